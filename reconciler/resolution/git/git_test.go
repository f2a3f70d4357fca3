package git

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

// request is one with params as name=value, under the configuration as it is installed, and with changes to that.
func request(config map[string]string, params ...string) resolver.Request {
	all := (&Resolver{}).Defaults()
	maps.Copy(all, config)
	return resolvertest.Request(all, params...)
}

func TestParams(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		params []string
		config map[string]string
		want   string
		got    wanted
	}{
		{reason: "all of them", params: []string{"url=u", "revision=r", "pathInRepo=p"}, got: wanted{url: "u", revision: "r", path: "p"}},
		{reason: "the defaults", params: []string{"pathInRepo=p"}, got: wanted{url: "https://github.com/tektoncd/catalog.git", revision: "main", path: "p"}},
		{reason: "by name", params: []string{"org=o", "repo=n", "pathInRepo=p"}, got: wanted{org: "o", repo: "n", revision: "main", path: "p"}},
		{reason: "by name, with a default", params: []string{"repo=n", "pathInRepo=p"}, config: map[string]string{"default-org": "d"}, got: wanted{org: "d", repo: "n", revision: "main", path: "p"}},
		{reason: "both", params: []string{"url=u", "repo=n", "pathInRepo=p"}, want: "cannot specify both 'url' and 'repo'"},
		{reason: "neither", params: []string{"pathInRepo=p"}, config: map[string]string{"default-url": ""}, want: "must specify one of 'url' or 'repo'"},
		{reason: "no organization", params: []string{"repo=n", "pathInRepo=p"}, want: "'org' is required when 'repo' is specified"},
		{reason: "no path", params: []string{"url=u"}, want: "missing required git resolver params: pathInRepo"},
		{reason: "nothing", params: []string{"url=u"}, config: map[string]string{"default-revision": ""}, want: "missing required git resolver params: revision, pathInRepo"},
	} {
		r := request(tt.config, tt.params...)
		resolvertest.WantError(t, tt.reason, (&Resolver{}).Validate(t.Context(), r), tt.want)
		got, err := read(r)
		if err == nil && got != tt.got {
			t.Errorf("%s: %+v, want %+v", tt.reason, got, tt.got)
		}
		if tt.want != "" {
			_, err := (&Resolver{}).Resolve(t.Context(), r)
			resolvertest.WantError(t, tt.reason+", resolved", err, tt.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"1m": time.Minute, "2s": 2 * time.Second, "": time.Minute, "soon": time.Minute, "-1s": time.Minute} {
		if got := (&Resolver{}).Timeout(map[string]string{"fetch-timeout": text}); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// one is Repositories with the same repository under each URL.
type one struct{ Repository }

func (o one) Open(context.Context, string) (Repository, error) { return o.Repository, nil }

// TestRevisionsAndPaths asks repositories of all kinds for the same.
func TestRevisionsAndPaths(t *testing.T) {
	t.Parallel()
	folder, first, second := checkedOut(t)
	disk, err := Folder(folder)
	if err != nil {
		t.Fatal(err)
	}
	packed := t.TempDir()
	program(t, packed, "clone", "-q", "--bare", folder, "r.git")
	program(t, filepath.Join(packed, "r.git"), "gc", "-q")
	bare, err := Folder(filepath.Join(packed, "r.git"))
	if err != nil {
		t.Fatal(err)
	}
	store := filesystem.NewStorage(osfs.New(filepath.Join(folder, ".git")), cache.NewObjectLRUDefault())

	type place struct {
		url          string
		repositories Repositories
	}
	local := func(url string) place { return place{url, NewServers(resolvertest.Local(url))} }
	for kind, at := range map[string]place{
		"on the disk":                         {"u", one{disk}},
		"packed, on the disk":                 {"u", one{bare}},
		"served by go-git":                    local(serve(t, store).url),
		"served by git":                       local(backend(t, folder).url),
		"served by git, with single commits":  local(backend(t, folder, "uploadpack.allowReachableSHA1InWant").url),
		"served by git, with single objects":  local(backend(t, folder, "uploadpack.allowAnySHA1InWant").url),
		"served by git, with partial fetches": local(backend(t, folder, "uploadpack.allowFilter").url),
	} {
		for _, tt := range []struct{ reason, revision, path, want, commit, err string }{
			{reason: "a branch", revision: "main", path: "task/lint.yaml", want: "second\n", commit: second},
			{reason: "a branch with a slash", revision: "feature/x", path: "task/lint.yaml", want: "feature\n"},
			{reason: "a tag", revision: "light", path: "task/lint.yaml", want: "first\n", commit: first},
			{reason: "an annotated tag", revision: "v1.0", path: "task/lint.yaml", want: "first\n", commit: first},
			{reason: "a full reference", revision: "refs/tags/v1.0", path: "task/lint.yaml", want: "first\n", commit: first},
			{reason: "HEAD", revision: "HEAD", path: "task/lint.yaml", want: "second\n", commit: second},
			{reason: "a commit at the end of a branch", revision: second, path: "task/lint.yaml", want: "second\n", commit: second},
			{reason: "a commit in between", revision: first, path: "task/lint.yaml", want: "first\n", commit: first},
			{reason: "the beginning of a commit", revision: first[:8], path: "task/lint.yaml", want: "first\n", commit: first},
			{reason: "a path from the root", revision: "main", path: "/task/lint.yaml", want: "second\n", commit: second},
			{reason: "a path with dots", revision: "main", path: "./task/../task/lint.yaml", want: "second\n", commit: second},
			{reason: "a link", revision: "main", path: "link.yaml", want: "second\n", commit: second},
			{reason: "a link upwards", revision: "main", path: "task/up.yaml", want: "second\n", commit: second},
			{reason: "through a linked folder", revision: "main", path: "folder/lint.yaml", want: "second\n", commit: second},
			{reason: "a large file made from another", revision: "feature/x", path: "big.txt", want: strings.Repeat("a line of some length\n", 2000) + "end\n"},

			{reason: "no such branch", revision: "nosuch", path: "task/lint.yaml", err: "revision error: reference not found"},
			{reason: "an option", revision: "--upload-pack=touch /tmp/x", path: "task/lint.yaml", err: "revision error: reference not found"},
			{reason: "a revision that climbs", revision: "../../config", path: "task/lint.yaml", err: "revision error: reference not found"},
			{reason: "no such beginning of a commit", revision: "abcdef0", path: "task/lint.yaml", err: "revision error: reference not found"},
			{reason: "no such file", revision: "main", path: "task/nosuch.yaml", err: `error opening file "task/nosuch.yaml": file does not exist`},
			{reason: "not a folder", revision: "main", path: "big.txt/x", err: `error opening file "big.txt/x": file does not exist`},
			{reason: "a folder", revision: "main", path: "task", err: `error opening file "task": it is a folder`},
			{reason: "out of the repository", revision: "main", path: "../../etc/passwd", err: `error opening file "../../etc/passwd": the path leads out of the repository`},
			{reason: "a link out of the repository", revision: "main", path: "out.yaml", err: `error opening file "out.yaml": the path leads out of the repository`},
			{reason: "a link to the machine", revision: "main", path: "abs.yaml", err: `error opening file "abs.yaml": the path leads out of the repository`},
			{reason: "a link to itself", revision: "main", path: "loop", err: `error opening file "loop": too many levels of symbolic links`},
			{reason: "an option as path", revision: "main", path: "--output=x", err: `error opening file "--output=x": file does not exist`},
		} {
			g := &Resolver{Repositories: at.repositories}
			got, err := g.Resolve(t.Context(), request(nil, "url="+at.url, "revision="+tt.revision, "pathInRepo="+tt.path))
			resolvertest.WantError(t, kind+": "+tt.reason, err, tt.err)
			if string(got.Data) != tt.want {
				t.Errorf("%s: %s: %.50q, want %.50q", kind, tt.reason, got.Data, tt.want)
			}
			if tt.commit != "" && got.Source.Digest["sha1"] != tt.commit {
				t.Errorf("%s: %s: %v, want %s", kind, tt.reason, got.Source, tt.commit)
			}
		}
		g := &Resolver{Repositories: at.repositories}
		if _, err := g.Resolve(t.Context(), request(nil, "url="+at.url, "revision="+strings.Repeat("a", 40), "pathInRepo=x")); err == nil || !strings.HasPrefix(err.Error(), "revision error: ") && !strings.HasPrefix(err.Error(), "unexpected fetch error: ") {
			t.Errorf("%s: a commit that does not exist: %v", kind, err)
		}
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	r, err := New(map[string]map[string]string{"main": {"task/lint.yaml": "text"}})
	if err != nil {
		t.Fatal(err)
	}
	commit, err := r.Commit(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	given := &Given{Missing: func(url string) error { return errors.New("no " + url) }}
	given.Add("https://git.example/r.git", r)
	g := &Resolver{Repositories: given}
	got, err := g.Resolve(t.Context(), request(nil, "url=https://git.example/r", "pathInRepo=task/lint.yaml"))
	want := resolver.Resource{
		Data: []byte("text"),
		Annotations: map[string]string{
			"resolution.tekton.dev/revision":     commit.String(),
			"resolution.tekton.dev/path":         "task/lint.yaml",
			"resolution.tekton.dev/url":          "https://git.example/r",
			"resolution.tekton.dev/content-type": "application/x-yaml",
		},
		Source: &v1beta1.ConfigSource{URI: "git+https://git.example/r", Digest: map[string]string{"sha1": commit.String()}, EntryPoint: "task/lint.yaml"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	_, err = g.Resolve(t.Context(), request(nil, "url=https://git.example/other", "pathInRepo=x"))
	resolvertest.WantError(t, "no such repository", err, "clone error: no https://git.example/other")
}

func TestCommitsAreFetchedOnce(t *testing.T) {
	t.Parallel()
	folder, first, _ := checkedOut(t)
	s := backend(t, folder)
	g := &Resolver{Repositories: NewServers(resolvertest.Local(s.url))}
	for _, tt := range []struct {
		reason, revision, path string
		fetches                int32
	}{
		{"a branch", "main", "task/lint.yaml", 1},
		{"the same branch", "main", "task/lint.yaml", 1},
		{"another file", "main", "big.txt", 2},
		{"another commit", "light", "task/lint.yaml", 3},
		{"that commit by its name", first, "task/lint.yaml", 3},
	} {
		if _, err := g.Resolve(t.Context(), request(nil, "url="+s.url, "revision="+tt.revision, "pathInRepo="+tt.path)); err != nil {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if n := s.fetches.Load(); n != tt.fetches {
			t.Errorf("%s: %d fetches, want %d", tt.reason, n, tt.fetches)
		}
	}
	program(t, folder, "commit", "-q", "--allow-empty", "-m", "later")
	moved := backend(t, folder)
	g.Repositories = NewServers(resolvertest.Local(moved.url))
	got, err := g.Resolve(t.Context(), request(nil, "url="+moved.url, "revision=main", "pathInRepo=task/lint.yaml"))
	if err != nil || got.Annotations["resolution.tekton.dev/revision"] != program(t, folder, "rev-parse", "main") {
		t.Errorf("a branch that has moved: %v, %v", got.Annotations, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cacheOfFiles
	data := make([]byte, cacheSize/4)
	for _, path := range []string{"a", "b", "b", "c", "d"} {
		c.put("u", "c", path, data)
	}
	for path, want := range map[string]bool{"a": false, "b": true, "c": true, "d": true} {
		if _, ok := c.get("u", "c", path); ok != want {
			t.Errorf("%s: %t, want %t", path, ok, want)
		}
	}
	if c.size > cacheSize || len(c.files) != 3 || len(c.order) != 3 {
		t.Errorf("%d bytes, %d files, %d in order", c.size, len(c.files), len(c.order))
	}
}

func TestFolderThatIsNotARepository(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "task/lint"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"task/lint/lint.yaml": "lint", "task/lint-more.yaml": "more", "README.md": "x"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Folder(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"main", "v1", strings.Repeat("a", 40)} {
		for path, want := range map[string]string{"task/lint/lint.yaml": "lint", "task/lint-more.yaml": "more"} {
			got, err := (&Resolver{Repositories: one{r}}).Resolve(t.Context(), request(nil, "url=u", "revision="+revision, "pathInRepo="+path))
			if err != nil || string(got.Data) != want {
				t.Errorf("%s at %s: %q, %v", path, revision, got.Data, err)
			}
		}
	}
	if _, err := Folder(filepath.Join(folder, "nosuch")); err == nil {
		t.Error("a folder that does not exist is accepted")
	}
	if _, err := New(map[string]map[string]string{"main": {"../x": ""}}); err == nil {
		t.Error("a path that climbs is accepted")
	}
}
