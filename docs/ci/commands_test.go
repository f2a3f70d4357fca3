package ci_test

import (
	"os"
	"strings"
	"testing"
)

// A log that is full of workflow commands gives none to the runner: the runner follows only what the action itself prints.
func TestLogsGiveNoCommands(t *testing.T) {
	a := theAction(t) // before the working directory is another one
	words := map[string]bool{}
	for range 2 {
		dir := t.TempDir()
		t.Chdir(dir)
		for _, d := range []string{"runner", "actions/plumbline/docs/ci"} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		ownFixtures(t, "wrong", "Slow")
		text, err := os.ReadFile("wrong/slow.yaml")
		if err != nil {
			t.Fatal(err)
		}
		const orders = `echo '::error::of the log'; echo ' ::set-output name=x::y'; echo '##[error]of the log'; echo '::stop-commands::mine'; sleep 60`
		if err := os.WriteFile("wrong/slow.yaml", []byte(strings.Replace(string(text), `"[ slow = quick ] || sleep 60"`, `"`+orders+`"`, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		g := &github{t: t, dir: dir, inputs: map[string]string{"target": "fake", "fixtures": "wrong"}, outputs: map[string]string{}}
		if failed, code := g.play(a); failed != "Verdict" || code != 1 {
			t.Fatalf("step %q fails with %d:\n%s", failed, code, g.log.String())
		}
		stopped, ours, seen := "", 0, false
		for line := range strings.SplitSeq(g.log.String(), "\n") {
			line = strings.TrimSpace(line)
			word, stops := strings.CutPrefix(line, "::stop-commands::")
			switch {
			case stopped != "" && line == "::"+stopped+"::":
				stopped = ""
			case strings.Contains(line, "##["), stopped != "" && strings.HasPrefix(line, "::"):
				t.Errorf("the log gives an order: %s", line)
			case stopped != "":
				seen = seen || strings.Contains(line, "of the log")
			case stops && len(word) == 32 && !words[word]:
				stopped, words[word] = word, true
			case strings.HasPrefix(line, "::error file=wrong/slow.yaml,"), strings.HasPrefix(line, "::error title=your Tasks on the plumbline reference"):
				ours++
			case strings.HasPrefix(line, "::"):
				t.Errorf("a command that is not ours: %s", line)
			}
		}
		if stopped != "" || ours != 2 || !seen {
			t.Errorf("commands are still off: %t; %d of ours; the log was seen: %t\n%s", stopped != "", ours, seen, g.log.String())
		}
	}
	if len(words) != 2 {
		t.Errorf("the words are %v, want one for each run", words)
	}
}
