package kindcluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command puts a shell script of that name into a folder.
func command(t *testing.T, dir, name, script string) {
	t.Helper()
	//nolint:gosec // a program has to be executable
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestEnginesAreFound is not parallel: what is found depends on the search path of the process.
func TestEnginesAreFound(t *testing.T) {
	for _, row := range []struct {
		why     string
		wanted  string
		scripts map[string]string
		found   string
		says    string
	}{
		{"Docker is the first choice", "", map[string]string{docker: "echo 27.3.1", podman: "echo 5.0.0"}, "docker 27.3.1", ""},
		{"nerdctl comes before Podman, as with kind", "", map[string]string{nerdctl: "echo 2.0.0", podman: "echo 5.0.0"}, "nerdctl 2.0.0", ""},
		{"the requested engine is used", podman, map[string]string{docker: "echo 27.3.1", podman: "echo 5.0.0"}, "podman 5.0.0", ""},
		{"Debian's version has more to it", "", map[string]string{docker: "echo 20.10.24+dfsg1"}, "docker 20.10.24+dfsg1", ""},
		{"an invalid version is not judged", "", map[string]string{docker: "echo master-dev"}, "docker master-dev", ""},
		{"nothing is installed", "", nil, "", "no container engine is installed: install Docker"},
		{"the requested engine is not installed", podman, map[string]string{docker: "echo 27.3.1"}, "", "KIND_EXPERIMENTAL_PROVIDER says podman, and there is no command podman"},
		{"kind does not know it", "lxc", nil, "", "KIND_EXPERIMENTAL_PROVIDER=lxc: kind knows docker, nerdctl and podman"},
		{"the daemon does not run", "", map[string]string{docker: "echo Cannot connect to the Docker daemon. >&2; exit 1"}, "", "docker is installed and does not answer (Cannot connect to the Docker daemon.): start its daemon"},
		{"the user may not", "", map[string]string{docker: "echo dial unix /var/run/docker.sock: connect: permission denied >&2; exit 1"}, "", "this user may not use it: become a member of the group docker"},
		{"it is too old", "", map[string]string{docker: "echo 19.03.15"}, "", "docker is of version 19.03.15, and kind needs 20.10 at least"},
		{"it is a little too old", "", map[string]string{docker: "echo 20.9.0"}, "", "kind needs 20.10 at least"},
	} {
		dir := t.TempDir()
		for name, script := range row.scripts {
			command(t, dir, name, script)
		}
		t.Setenv("PATH", dir)
		e, err := FindEngine(t.Context(), row.wanted)
		switch {
		case row.says == "" && (err != nil || e.Name+" "+e.Version != row.found):
			t.Errorf("%s: found %v, %v", row.why, e, err)
		case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)):
			t.Errorf("%s: it says %v", row.why, err)
		}
	}
}

// TestSilentEngineHasATypedError, so that a command can choose its exit code.
func TestSilentEngineHasATypedError(t *testing.T) {
	dir := t.TempDir()
	command(t, dir, docker, "echo 'connect: Permission Denied' >&2; exit 1")
	t.Setenv("PATH", dir)
	_, err := FindEngine(t.Context(), "")
	var silent *EngineNotRunningError
	if !errors.As(err, &silent) || !silent.Denied {
		t.Errorf("%v", err)
	}
}

func TestMissingCapabilitiesAreFound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, status, last string
		lacks, fails      bool
	}{
		{"all 41 of them", "Name:\tx\nCapBnd:\t000001ffffffffff\n", "40\n", false, false},
		{"without CAP_SYS_RESOURCE", "CapBnd:\t000001fffeffffff\n", "40\n", true, false},
		{"an older kernel has fewer", "CapBnd:\t0000003fffffffff\n", "37\n", false, false},
		{"a kernel that says nothing lacks nothing", "Name:\tx\n", "40\n", false, false},
		{"no number", "CapBnd:\tmany\n", "40\n", false, true},
		{"no number of the last one", "CapBnd:\t1\n", "x\n", false, true},
	} {
		dir := t.TempDir()
		status, last := filepath.Join(dir, "status"), filepath.Join(dir, "last")
		for file, text := range map[string]string{status: row.status, last: row.last} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if lacks, err := lacksCapability(status, last); lacks != row.lacks || (err != nil) != row.fails {
			t.Errorf("%s: %v, %v", row.why, lacks, err)
		}
	}
}

// TestCapabilitiesAreReadFromTheDaemon: the daemon's capabilities count, and not those of the process that asks it.
func TestCapabilitiesAreReadFromTheDaemon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "42"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"here": "42\n", "gone": "43\n", "42/status": ""} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own := filepath.Join(dir, "self", "status")
	if os.Geteuid() != 0 {
		own = ""
	}
	for file, want := range map[string]string{"here": filepath.Join(dir, "42", "status"), "gone": own, "none": own} {
		if got := daemonStatus(filepath.Join(dir, file), dir); got != want {
			t.Errorf("%s: %s, not %s", file, got, want)
		}
	}
}
