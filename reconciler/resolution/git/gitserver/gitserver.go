//plumbline:adapter it answers requests over HTTP

// Package gitserver serves git repositories that a program has, by git's protocol over HTTP, to clients that only read:
// whole histories, and tags as they are.
package gitserver

import (
	"compress/gzip"
	"io"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
)

// Handler serves a store. It is asked for the paths /info/refs and /git-upload-pack below the repository's own.
func Handler(s storer.Storer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info/refs", func(w http.ResponseWriter, r *http.Request) {
		refs, err := refsOf(r, s)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_ = refs.Encode(w) // to a client that has gone
	})
	mux.HandleFunc("POST /git-upload-pack", func(w http.ResponseWriter, r *http.Request) {
		q, err := asked(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := pack(r, s, q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		_ = answer.Encode(w) // to a client that has gone
	})
	return mux
}

func session(s storer.Storer) (transport.UploadPackSession, error) {
	at := &transport.Endpoint{Protocol: "https", Host: "localhost", Path: "/"}
	return server.NewServer(server.MapLoader{at.String(): s}).NewUploadPackSession(at, nil)
}

func refsOf(r *http.Request, s storer.Storer) (*packp.AdvRefs, error) {
	on, err := session(s)
	if err != nil {
		return nil, err
	}
	refs, err := on.AdvertisedReferencesContext(r.Context())
	if err != nil {
		return nil, err
	}
	refs.Prefix = [][]byte{[]byte("# service=git-upload-pack"), {}}
	return refs, nil
}

// asked reads what a client wants.
func asked(r *http.Request) (*packp.UploadPackRequest, error) {
	const most = 1 << 20
	body := io.LimitReader(r.Body, most)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(unpacked, most)
	}
	q := packp.NewUploadPackRequest()
	return q, q.Decode(body)
}

func pack(r *http.Request, s storer.Storer, q *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	on, err := session(s)
	if err != nil {
		return nil, err
	}
	return on.UploadPack(r.Context(), q)
}
