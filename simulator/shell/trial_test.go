package shell_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// TestTrialOfAsh runs scripts that a differential trial with BusyBox 1.35.0 had found to differ, shrunk, with what the
// real shell does.
func TestTrialOfAsh(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/trial-ash.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var row struct {
			Script, Stdout string
			Silent         bool // nothing on standard error
			Code           int
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, 1)
		cfg := w.config("busybox")
		cfg.Command, cfg.WorkingDir = []string{"sh", "-c", row.Script}, "/tmp/w"
		cfg.Budget = container.Budget{Steps: 1 << 20}
		got := w.run(cfg)
		if got.Stdout != row.Stdout || got.Code != row.Code || (got.Stderr == "") != row.Silent {
			t.Errorf("line %d:\n%s\ngives %d %q %q, want %d %q, silent %v", n+1, row.Script, got.Code, got.Stdout, got.Stderr, row.Code, row.Stdout, row.Silent)
		}
	}
	if n < 200 {
		t.Errorf("%d scripts, want at least 200", n)
	}
}
