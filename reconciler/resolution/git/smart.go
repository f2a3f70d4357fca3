//plumbline:adapter it talks to servers

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
)

// Servers are the repositories that the network reaches over HTTP and HTTPS. Of a repository as little is fetched as the
// server allows: one commit without its history. Other protocols are refused: the disk, and what SSH's configuration has,
// are the controller's, and not the user's.
type Servers struct {
	client *http.Client
	// turns is as long as the number of repositories that may be fetched at a time, since each takes memory.
	turns chan struct{}
}

// NewServers returns the repositories that a network has.
func NewServers(n outbound.Network) *Servers {
	return &Servers{client: n.Client(maxPack), turns: make(chan struct{}, 2)}
}

// Open implements Repositories.
func (s *Servers) Open(ctx context.Context, url string) (Repository, error) {
	at, err := transport.NewEndpoint(url)
	if err != nil {
		return nil, err
	}
	if at.Protocol != "http" && at.Protocol != "https" {
		return nil, fmt.Errorf("unsupported scheme %q", at.Protocol)
	}
	session, err := githttp.NewClient(s.client).NewUploadPackSession(at, nil)
	if err != nil {
		return nil, err
	}
	refs, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, err
	}
	return &served{server: s, session: session, refs: refs}, nil
}

// served is a repository on a server. It is used by one request.
type served struct {
	server  *Servers
	session transport.UploadPackSession
	refs    *packp.AdvRefs
	// store has what has been fetched.
	store *memory.Storage
}

// Commit implements Repository.
func (r *served) Commit(ctx context.Context, revision string) (plumbing.Hash, error) {
	if plumbing.IsHash(revision) {
		return plumbing.NewHash(revision), nil
	}
	for _, name := range names(revision) {
		at, ok := r.refs.References[string(name)]
		if name == plumbing.HEAD && r.refs.Head != nil {
			at, ok = *r.refs.Head, true
		}
		if !ok {
			continue
		}
		if commit, ok := r.refs.Peeled[string(name)]; ok {
			return commit, nil
		}
		if !name.IsTag() {
			return at, nil
		}
		// It is a commit, or a tag whose commit the server does not say.
		if err := r.fetch(ctx, at); err != nil {
			return plumbing.ZeroHash, err
		}
		return peel(r.store, at)
	}
	if abbreviated(revision) {
		if err := r.fetchAll(ctx); err != nil {
			return plumbing.ZeroHash, err
		}
		return completed(r.store, revision)
	}
	return plumbing.ZeroHash, errRevision(plumbing.ErrReferenceNotFound)
}

// File implements Repository.
func (r *served) File(ctx context.Context, commit plumbing.Hash, name string) ([]byte, error) {
	if r.store == nil {
		if err := r.fetch(ctx, commit); err != nil {
			return nil, err
		}
	}
	at, err := peel(r.store, commit)
	if err != nil {
		return nil, err
	}
	return Stored{Store: r.store}.File(ctx, at, name)
}

// fetch gets one commit or tag, without its history if the server knows how, and everything if it gives no single commits.
func (r *served) fetch(ctx context.Context, at plumbing.Hash) error {
	if !r.offers(at) {
		return r.fetchAll(ctx)
	}
	q := packp.NewUploadPackRequestFromCapabilities(r.refs.Capabilities)
	q.Wants = []plumbing.Hash{at}
	if r.refs.Capabilities.Supports(capability.Shallow) {
		if err := q.Capabilities.Set(capability.Shallow); err != nil {
			return err
		}
		q.Depth = packp.DepthCommits(1)
	}
	return r.get(ctx, q)
}

// offers reports whether the server gives what has this name.
func (r *served) offers(at plumbing.Hash) bool {
	if r.refs.Capabilities.Supports(capability.AllowReachableSHA1InWant) || r.refs.Capabilities.Supports("allow-any-sha1-in-want") {
		return true
	}
	//plumbline:unordered any of them is enough
	for _, of := range []map[string]plumbing.Hash{r.refs.References, r.refs.Peeled} {
		for _, h := range of {
			if h == at {
				return true
			}
		}
	}
	return false
}

// fetchAll gets what all branches and tags have.
func (r *served) fetchAll(ctx context.Context) error {
	q := packp.NewUploadPackRequestFromCapabilities(r.refs.Capabilities)
	seen := map[plumbing.Hash]bool{}
	//plumbline:unordered the server sends the same objects in any case
	for name, at := range r.refs.References {
		if ref := plumbing.ReferenceName(name); (ref.IsBranch() || ref.IsTag()) && !seen[at] {
			seen[at] = true
			q.Wants = append(q.Wants, at)
		}
	}
	if len(q.Wants) == 0 {
		return errRevision(plumbing.ErrReferenceNotFound)
	}
	return r.get(ctx, q)
}

func (r *served) get(ctx context.Context, q *packp.UploadPackRequest) error {
	select {
	case r.server.turns <- struct{}{}:
		defer func() { <-r.server.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	store, err := r.download(ctx, q)
	if err != nil {
		return fmt.Errorf("unexpected fetch error: %w", err)
	}
	r.store = store
	return nil
}

func (r *served) download(ctx context.Context, q *packp.UploadPackRequest) (*memory.Storage, error) {
	answer, err := r.session.UploadPack(ctx, q)
	if err != nil {
		return nil, err
	}
	var pack io.Reader = answer
	switch {
	case q.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case q.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	data, err := outbound.ReadAll(pack, maxPack)
	if err := errors.Join(err, answer.Close()); err != nil {
		return nil, err
	}
	store := memory.NewStorage()
	return store, unpack(data, store)
}
