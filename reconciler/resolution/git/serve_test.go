package git

import (
	"context"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/git/gitserver"
)

// gitServer serves one repository at /r.git, and counts what is fetched.
type gitServer struct {
	url     string
	fetches atomic.Int32
}

// serve serves a store with the protocol as go-git has it: whole histories, and tags that are not peeled.
func serve(t *testing.T, store storer.Storer) *gitServer {
	t.Helper()
	g := &gitServer{}
	inner := http.StripPrefix("/r.git", gitserver.Handler(store))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			g.fetches.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	g.url = s.URL + "/r.git"
	return g
}

// program runs git in a folder.
func program(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "git", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "HOME="+folder, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2022-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2022-01-01T00:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// checkedOut is a repository on the disk, as git makes it: two commits on main, a branch, a tag of each kind, links. It
// returns the folder and the names of the two commits.
func checkedOut(t *testing.T) (folder, first, second string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	folder = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program(t, folder, "init", "-q", "-b", "main")
	write("task/lint.yaml", "first\n")
	program(t, folder, "add", ".")
	program(t, folder, "commit", "-q", "-m", "first")
	first = program(t, folder, "rev-parse", "HEAD")
	program(t, folder, "tag", "light")
	program(t, folder, "tag", "-a", "-m", "annotated", "v1.0")
	write("task/lint.yaml", "second\n")
	// Much text that changes little, so that the pack has deltas.
	write("big.txt", strings.Repeat("a line of some length\n", 2000))
	for name, to := range map[string]string{"link.yaml": "task/lint.yaml", "task/up.yaml": "../task/./lint.yaml", "out.yaml": "../../etc/passwd", "abs.yaml": "/etc/passwd", "loop": "loop", "folder": "task"} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	program(t, folder, "add", ".")
	program(t, folder, "commit", "-q", "-m", "second")
	program(t, folder, "checkout", "-q", "-b", "feature/x")
	write("task/lint.yaml", "feature\n")
	write("big.txt", strings.Repeat("a line of some length\n", 2000)+"end\n")
	program(t, folder, "add", ".")
	program(t, folder, "commit", "-q", "-m", "third")
	program(t, folder, "checkout", "-q", "main")
	second = program(t, folder, "rev-parse", "HEAD")
	return folder, first, second
}

// backend serves a folder of repositories with git itself, under what the repository's configuration allows.
func backend(t *testing.T, folder string, config ...string) *gitServer {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Skip("git is not installed")
	}
	script := filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	if _, err := os.Stat(script); err != nil {
		t.Skip("git http-backend is not installed")
	}
	root := t.TempDir()
	program(t, root, "clone", "-q", "--bare", folder, "r.git")
	for _, c := range config {
		program(t, filepath.Join(root, "r.git"), "config", c, "true")
	}
	g := &gitServer{}
	handler := &cgi.Handler{Path: script, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			g.fetches.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	g.url = s.URL + "/r.git"
	return g
}
