package command

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWarningOfTheAPIServerIsOneLine has a server that warns with each answer.
func TestWarningOfTheAPIServerIsOneLine(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Warning", `299 - "tekton.dev/v1beta1 TaskRun is \"old\""`)
		w.Header().Add("Warning", `199 - "this is for machines"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	kubeconfig := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: c, cluster: {server: %q}}], users: [{name: u, user: {token: t}}], contexts: [{name: x, context: {cluster: c, user: u}}]}`, server.URL)
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "--target", "cluster", "--kubeconfig", file},
		{"kubelet", "--kubeconfig", file},
		{"install", "--kubeconfig", file},
	} {
		var out, errs bytes.Buffer
		if code := Main(t.Context(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitForbidden {
			t.Errorf("%s ended with %d, want %d: %s", args[0], code, exitForbidden, errs.String())
		}
		const want = "plumbline: warning of the API server: tekton.dev/v1beta1 TaskRun is \"old\"\n"
		if got := errs.String(); strings.Count(got, want) != 1 || strings.Count(got, "is \"old\"") != 1 || strings.Contains(got, "machines") {
			t.Errorf("%s does not say once %q:\n%s", args[0], want, got)
		}
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	x := newWarnings(&out)
	for i := range 3 * mostWarnings {
		x.HandleWarningHeaderWithContext(t.Context(), warningCode, "-", fmt.Sprintf("two\nlines %d", i))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != mostWarnings+1 || lines[0] != "plumbline: warning of the API server: two lines 0" || lines[mostWarnings] != "plumbline: more warnings of the API server are not shown" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
