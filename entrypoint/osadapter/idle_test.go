//go:build linux

package osadapter_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

// TestWaitingByEventsDoesNotWake: a launcher that waits does not run at all, whereas one that polls never rests for
// long. Rest is looked for again and again, since a program that has just started has things to settle.
func TestWaitingByEventsDoesNotWake(t *testing.T) {
	t.Parallel()
	const rest = 200 * time.Millisecond // four times the longest pause of polling
	for _, tt := range []struct {
		env   string
		tries int
		rests bool
	}{
		{"", 100, true},
		{osadapter.EnvWait + "=" + osadapter.WaitByPolling, 3, false},
	} {
		root, err := os.MkdirTemp("/dev/shm", "pl") // which carries events on every machine
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(root) })
		put(t, root, "/tekton/creds-secrets/s/.dockerconfigjson", `{"auths":{"a":{}}}`)
		cmd := launcher(t, root, "exit 0", "-wait_file", root+"/go", "-docker-config", "s")
		cmd.Env = append(cmd.Env, tt.env)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, "credentials", func() bool { return hasContent(root + "/tekton/creds/.docker/config.json") })
		rested := false
		for tries := 0; tries < tt.tries && !rested; tries++ {
			before := switches(t, cmd.Process.Pid)
			<-time.After(rest)
			rested = switches(t, cmd.Process.Pid) == before
		}
		if rested != tt.rests {
			t.Errorf("%q: rested %v, want %v", tt.env, rested, tt.rests)
		}
		put(t, root, "/go", "")
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// switches is how many times the threads of a process have been given a processor.
func switches(t *testing.T, pid int) int {
	t.Helper()
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(line, ":"); strings.HasSuffix(name, "voluntary_ctxt_switches") {
				n, err := strconv.Atoi(strings.TrimSpace(value))
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
		}
	}
	return sum
}
