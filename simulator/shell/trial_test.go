package shell_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// TestTrials runs scripts with what the real shell does: those that the differential had found to differ from BusyBox
// 1.35.0's ash and dash 0.5.12, shrunk, and some of what bash 5.2.15 does otherwise when it is called sh.
func TestTrials(t *testing.T) {
	t.Parallel()
	for _, dialect := range []struct {
		name, program string
		least         int
	}{{"ash", "sh", 200}, {"dash", "dash", 1}, {"bash-as-sh", "bash-as-sh", 60}} {
		t.Run(dialect.name, func(t *testing.T) {
			t.Parallel()
			tree := image.Busybox()
			tree.Programs["bin/sh"] = dialect.program
			tree.Programs["bin/jq"], tree.Programs["bin/dash"] = "jq", "dash"
			root, err := image.NewRoot(tree)
			if err != nil {
				t.Fatal(err)
			}
			if n := replayTrials(t, "testdata/trial-"+dialect.name+".jsonl", dialect.name, &image.Image{Reference: "trial", Root: root}); n < dialect.least {
				t.Errorf("%d scripts, want at least %d", n, dialect.least)
			}
		})
	}
}

// replayTrials runs the scripts of a file and returns how many there are.
func replayTrials(t *testing.T, file, shell string, i *image.Image) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	if shell != "dash" {
		shell = "sh"
	}
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
		cfg.Image, cfg.Command, cfg.WorkingDir = i, []string{shell, "-c", row.Script}, "/tmp/w"
		cfg.Budget = container.Budget{Steps: 1 << 20}
		got := w.run(cfg)
		if got.Stdout != row.Stdout || got.Code != row.Code || (got.Stderr == "") != row.Silent {
			t.Errorf("%s:%d:\n%s\ngives %d %q %q, want %d %q, silent %v", file, n+1, row.Script, got.Code, got.Stdout, got.Stderr, row.Code, row.Stdout, row.Silent)
		}
	}
	return n
}
