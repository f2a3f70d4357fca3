package kindcluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestShimExpandsPrivileged: --privileged is replaced by its parts, and other arguments are passed on unchanged.
func TestShimExpandsPrivileged(t *testing.T) {
	before, behind := t.TempDir(), t.TempDir()
	//nolint:gosec // a program has to be executable
	if err := os.WriteFile(filepath.Join(before, docker), shim, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, behind, docker, `for a in "$@"; do echo "$a"; done`)
	t.Setenv("PATH", strings.Join([]string{before, behind, os.Getenv("PATH")}, string(os.PathListSeparator)))
	status := filepath.Join(behind, "status")
	if err := os.WriteFile(status, []byte("Name:\tdockerd\nCapBnd:\t000001fffeffffff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(variableStatus, status)
	e := &Engine{Name: docker}
	run := func(arguments ...string) []string {
		out, err := e.Output(t.Context(), nil, arguments...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	got := run("run", "--name", "a b", "--privileged", "image")
	if slices.Contains(got, "--privileged") || !slices.Contains(got, "--cap-add=ALL") || !slices.Contains(got, "--cap-drop=SYS_RESOURCE") || !slices.Contains(got, "a b") || !slices.Contains(got, "a *:* rwm") || got[len(got)-1] != "image" {
		t.Errorf("run: %q", got)
	}
	if got := run("exec", "--privileged", "node", "cat"); !slices.Equal(got, []string{"exec", "node", "cat"}) {
		t.Errorf("exec: %q", got)
	}
	if got := run("ps", "--privileged"); !slices.Equal(got, []string{"ps", "--privileged"}) {
		t.Errorf("another command: %q", got)
	}
}
