package kindcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// scripts is a source with one script, whose text is given.
func scripts(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"script": text, "kindconfig/assets/kubernetes/go.mod": "module x\n", "go.mod": "module x\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestInterruptReachesWhatAScriptStarted interrupts a script whose child would hold its output open for ever, as a
// compiler does.
func TestInterruptReachesWhatAScriptStarted(t *testing.T) {
	t.Parallel()
	dir := scripts(t, "trap 'echo tidied > tidied' EXIT\ncd "+"$(dirname \"$0\")"+"\nsleep 600 & echo $! > child\necho begun >&2\nwait\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	o := &Options{Builder: images.Builder{Directory: dir}, Tell: func(text string) {
		if text == "begun" {
			cancel(interrupted)
		}
	}}
	w := &work{Options: o}
	if _, err := w.run(ctx, filepath.Join(dir, "script")); !errors.Is(err, interrupted) {
		t.Errorf("it ended with %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "tidied")); err != nil || string(text) != "tidied\n" {
		t.Errorf("the script has not tidied up: %q, %v", text, err)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	// It was sent the same signal; on a busy machine it may take it later than the script.
	stat := "/proc/" + strings.TrimSpace(string(pid)) + "/stat"
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		is, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(is), ") Z ") {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the child is still there: %s", is)
		}
	}
}
