// Package outside is the world around a simulated cluster: repositories, registries, a hub and web servers that exist only
// in memory or in folders. It gives the reference's resolvers this world in place of the network, so that nothing leaves the
// process. It is a package of its own because the resolvers import git and registries, which who judges an implementation
// of its own does not need.
//
//	outside.go  the world
//	forge.go    the API of a server with git repositories
//	servers.go  the servers of such a world, for clusters whose resolvers use the network
//	served.go   these, on this machine
package outside

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing/fstest"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler/resolution"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/bundles"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git"
	webpages "github.com/plumbline-ci/plumbline/reconciler/resolution/http"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/hub"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// tektonHub is where a Tekton Hub is in this world.
const tektonHub = "https://api.hub.tekton.dev"

// World has what resolvers can find.
type World struct {
	repositories git.Given
	images       bundles.Images
	hub          hub.API
	pages        map[string]string
	missing      Missing
}

// Missing says what is wrong where something is asked for that the world does not have.
type Missing struct {
	Repository, Bundle, Page func(name string) error
	// Hub is the error where there is no hub at all.
	Hub error
}

// OfFixtures says what to write in a fixture.
func OfFixtures() Missing {
	lacks := func(field string) func(string) error {
		return func(name string) error {
			return fmt.Errorf("spec.remote.%s of the fixture does not have %s", field, name)
		}
	}
	return Missing{Repository: lacks("repositories"), Bundle: lacks("bundles"), Page: lacks("pages"), Hub: errors.New("the fixture has no spec.remote.hub")}
}

// New makes a world of what fixtures have.
func New(missing Missing, remotes ...fixture.Remote) (*World, error) {
	w := &World{missing: missing, pages: map[string]string{}}
	w.repositories.Missing, w.images.Missing = missing.Repository, missing.Bundle
	for i := range remotes {
		if err := w.add(&remotes[i]); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Of makes the world of one fixture, as a target takes it.
func Of(r fixture.Remote) (subject.Remote, error) {
	w, err := New(OfFixtures(), r)
	if err != nil {
		return subject.Remote{}, err
	}
	return w.Remote(), nil
}

func (w *World) add(r *fixture.Remote) error {
	for _, g := range r.Repositories {
		made, err := git.New(g.Branches)
		if err != nil {
			return fmt.Errorf("the repository %s: %w", g.URL, err)
		}
		w.repositories.Add(g.URL, made)
	}
	for _, b := range r.Bundles {
		image, err := imageOf(b)
		if err == nil {
			err = errors.Join(w.images.Add(b.Ref, image), w.images.Guard(b.Ref, b.Login))
		}
		if err != nil {
			return fmt.Errorf("the bundle %s: %w", b.Ref, err)
		}
	}
	if len(r.Hub) > 0 {
		files := fstest.MapFS{}
		for name, text := range r.Hub {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		w.hub = hub.Folder{FS: files}
	}
	for url, text := range r.Pages {
		w.pages[url] = text
	}
	return nil
}

func imageOf(b fixture.Bundle) (v1.Image, error) {
	var objects []bundles.Object
	for _, o := range b.Objects {
		objects = append(objects, bundles.Object{Text: []byte(o.Text), Annotations: o.Annotations})
	}
	return bundles.Image(objects...)
}

// AddRepository adds the repository in a folder.
func (w *World) AddRepository(url, folder string) error {
	r, err := git.Folder(folder)
	if err != nil {
		return err
	}
	w.repositories.Add(url, r)
	return nil
}

// AddBundle adds a bundle of the objects in a folder.
func (w *World) AddBundle(ref, folder string) error {
	if _, err := os.Stat(folder); err != nil {
		return err
	}
	image, err := bundles.Folder(os.DirFS(folder))
	if err != nil {
		return err
	}
	return w.images.Add(ref, image)
}

// SetHub makes a folder the hub.
func (w *World) SetHub(folder string) error {
	if _, err := os.Stat(folder); err != nil {
		return err
	}
	w.hub = hub.Folder{FS: os.DirFS(folder)}
	return nil
}

// Remote returns the resolvers that see this world.
func (w *World) Remote() subject.Remote {
	return subject.Remote{
		Resolvers: []resolver.Resolver{
			&git.Resolver{Repositories: &w.repositories, API: forge{w}, Namespace: resolution.Namespace},
			bundles.Resolver{Registry: &w.images},
			hub.Resolver{API: hubOf{w}, ArtifactURL: hub.ArtifactHub, TektonURL: tektonHub},
			webpages.Resolver{API: pagesOf{w}},
		},
		Bundles: bundles.Field{Registry: &w.images},
	}
}

// hubOf is the hub of a world, which may have none.
type hubOf struct{ *World }

// Do implements hub.API.
func (w hubOf) Do(r *http.Request) (*http.Response, error) {
	if w.hub == nil {
		return nil, w.missing.Hub
	}
	return w.hub.Do(r)
}

// pagesOf are the pages of a world. A host that has some does not have others; other hosts do not exist.
type pagesOf struct{ *World }

// Do implements webpages.API.
func (w pagesOf) Do(r *http.Request) (*http.Response, error) {
	at := r.URL.String()
	if text, ok := w.pages[at]; ok {
		return answer(r, http.StatusOK, text), nil
	}
	//plumbline:unordered any of them is enough
	for known := range w.pages {
		if strings.HasPrefix(known, r.URL.Scheme+"://"+r.URL.Host+"/") {
			return answer(r, http.StatusNotFound, ""), nil
		}
	}
	return nil, w.missing.Page(at)
}

func answer(r *http.Request, code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Request: r, Body: io.NopCloser(bytes.NewBufferString(body))}
}
