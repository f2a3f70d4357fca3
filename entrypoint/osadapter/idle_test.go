//go:build linux

package osadapter_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/contract"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

// TestWaitingByEventsDoesNotWake: a launcher that waits does not run at all, whereas one that polls wakes again and
// again. Rest is looked for repeatedly, since a program that has just started has things to settle.
func TestWaitingByEventsDoesNotWake(t *testing.T) {
	t.Parallel()
	const rest = 200 * time.Millisecond // four times the longest pause of polling
	for _, tt := range []struct {
		env   string
		rests bool
	}{
		{"", true},
		{osadapter.EnvWait + "=" + osadapter.WaitByPolling, false},
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
		await(t, "credentials", func() bool { return contract.HasContent(root + "/tekton/creds/.docker/config.json") })
		if tt.rests {
			await(t, "rest", func() bool {
				before := switches(t, cmd.Process.Pid)
				<-time.After(rest)
				return switches(t, cmd.Process.Pid) == before
			})
		} else {
			start := switches(t, cmd.Process.Pid)
			await(t, "waking again and again", func() bool { return switches(t, cmd.Process.Pid) >= start+20 })
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
