package shell_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorded is what bash 5.2.15 said of a script: its output, whether it complained, and its exit code. The scripts were
// random ones, minimised, of which the simulation once said something else.
type recorded struct {
	Script string `json:"script"`
	Stdout string `json:"stdout"`
	Stderr bool   `json:"stderr"`
	Code   int    `json:"code"`
}

func TestRandomScriptsAreAsRecordedInBash(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/bash.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, 1)
		cfg := w.config("debian")
		cfg.Command, cfg.WorkingDir = []string{"bash", "-c", want.Script}, "/tmp/w"
		got := w.run(cfg)
		if d := cmp.Diff(want, recorded{want.Script, got.Stdout, got.Stderr != "", got.Code}); d != "" {
			t.Errorf("%s\n(-recorded +simulated):\n%s", want.Script, d)
		}
	}
	if n == 0 {
		t.Error("no scripts were recorded")
	}
}
