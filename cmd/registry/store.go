package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// largestManifest is more than any has.
const largestManifest = 4 << 20

// unfinished is how names of files begin that are being written.
const unfinished = ".new-"

// store is a registry on a disk. Blobs are files already; manifests would be in memory alone, so each that is pushed is
// also written down, and pushed again by the next store of the directory.
type store struct {
	manifests string
	next      http.Handler
}

// written is how a manifest is written down.
type written struct {
	Path, ContentType string
	Body              []byte
}

func newStore(directory string) (*store, error) {
	blobs := filepath.Join(directory, "blobs")
	s := &store{
		manifests: filepath.Join(directory, "manifests"),
		next:      registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(log.New(io.Discard, "", 0))),
	}
	for _, dir := range []string{blobs, s.manifests} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return s, s.replay()
}

// replay pushes what is written down. What names other manifests goes after them.
func (s *store) replay() error {
	var all []written
	err := filepath.WalkDir(s.manifests, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), unfinished) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var w written
		if err := json.Unmarshal(content, &w); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, w)
		return nil
	})
	for err == nil && len(all) > 0 {
		var refused []written
		for _, w := range all {
			if e := s.push(w); e != nil {
				refused, err = append(refused, w), e
			}
		}
		if len(refused) < len(all) {
			err = nil
		}
		all = refused
	}
	return err
}

func (s *store) push(w written) error {
	request := httptest.NewRequest(http.MethodPut, w.Path, bytes.NewReader(w.Body))
	request.Header.Set("Content-Type", w.ContentType)
	answer := httptest.NewRecorder()
	s.next.ServeHTTP(answer, request)
	if answer.Code >= http.StatusMultipleChoices {
		return fmt.Errorf("pushing %s again: %s", w.Path, strings.TrimSpace(answer.Body.String()))
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/manifests/") {
		s.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestManifest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	s.next.ServeHTTP(answer, r)
	if answer.Code < http.StatusMultipleChoices {
		if err := s.write(written{Path: r.URL.Path, ContentType: r.Header.Get("Content-Type"), Body: body}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = answer.Body.WriteTo(w) // the client went away
}

// write puts a manifest into a file of its own, whole or not at all.
func (s *store) write(w written) error {
	content, err := json.Marshal(w)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(s.manifests, unfinished)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(s.manifests, url.PathEscape(w.Path)))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
