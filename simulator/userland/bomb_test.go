package userland_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

var fullBombs = flag.Bool("bombs", false, "give the bombs the budget of a real container: takes minutes")

// bombs are the scripts of testdata/bombs.txt.
func bombs(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/bombs.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	list := strings.Split(strings.TrimSuffix(text, "\n"), "\n----\n")
	if len(list) < 250 {
		t.Fatalf("only %d bombs", len(list))
	}
	return list
}

// TestBombsEndAtTheirLimits runs scripts that ask for more than there is. Each ends by itself, by a count of its budget,
// or, where it only goes on and on, by the time that computing takes in the simulation, and none takes much memory of
// the machine. Without -bombs the budgets are small, so that the counts are reached soon.
func TestBombsEndAtTheirLimits(t *testing.T) {
	b := newBench(t)
	budget := container.Budget{Steps: 100_000, Bytes: 2 << 20, Output: 1 << 20, Memory: 4 << 20, Storage: 4 << 20, Files: 500, Processes: 50}
	if *fullBombs {
		budget = container.Budget{}
	}
	const most = 1 << 30
	ended, ran := 0, 0
	for i, script := range bombs(t) {
		sh, body := "sh", script
		if rest, ok := strings.CutPrefix(script, "bash:\n"); ok {
			sh, body = "bash", rest
		}
		t.Run(fmt.Sprintf("%03d", i), func(t *testing.T) {
			ran++
			debug.FreeOSMemory()
			began := time.Now()
			status, running := b.bomb(t, budget, sh, body)
			var after runtime.MemStats
			runtime.ReadMemStats(&after)
			held := after.HeapSys - after.HeapReleased
			if held > most {
				t.Errorf("%s\nleft the process with %d MiB", script, held>>20)
			}
			if running {
				t.Errorf("%s\nwas still running", script)
			}
			if status.Code == 137 && strings.HasPrefix(status.Message, "the simulation ended the container: ") {
				ended++
			}
			t.Logf("%6.2fs %4d MiB, %d %s: %.60q", time.Since(began).Seconds(), held>>20, status.Code, status.Message, script)
		})
	}
	if ended*3 < ran*2 && ran > 100 {
		t.Errorf("only %d of %d were ended by the simulation", ended, ran)
	}
}

// bomb runs a script to its end.
func (b *bench) bomb(t *testing.T, budget container.Budget, shell, script string) (status container.ExitStatus, running bool) {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: b.toolbox, Programs: b.programs, Hostname: "host", WorkingDir: "/w",
		Command: []string{shell, "-c", script}, Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	_ = k.RunWhile(c.Running, k.Now().Add(10*365*24*time.Hour), 50_000_000)
	status, exited := c.ExitStatus()
	if !exited {
		c.Kill()
	}
	return status, !exited
}

// The words of a container that was ended name the limit.
func TestLimitsAreNamed(t *testing.T) {
	b := newBench(t)
	for _, row := range []struct{ name, script, want string }{
		{"one allocation", `jq -n '[.[500000000]=1]|length'`, "its programs held more than 67108864 bytes of memory"},
		{"endless recursion", `jq -n 'def f: f|f; f'`, "its programs held more than 67108864 bytes of memory"},
		{"nesting of a value", `jq -n 'reduce range(1000000) as $i (null;[.])'`, "a value nested more than 131072 levels deep"},
	} {
		status, running := b.bomb(t, container.Budget{}, "sh", row.script)
		if want := "the simulation ended the container: " + row.want; running || status.Code != 137 || status.Message != want {
			t.Errorf("%s: %s: code %d, %q, want %q", row.name, row.script, status.Code, status.Message, want)
		}
	}
}
