package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandsOfANodeAreAccepted runs the commands of the document without a cluster: then nothing but that is wrong with
// them. With one they are run by the tests of the command.
func TestCommandsOfANodeAreAccepted(t *testing.T) {
	t.Chdir("..")
	text := blocks(read(t, "docs/simulated-node.md"), languageCluster)
	subject(t) // a folder of its own, with what the commands name
	if err := os.WriteFile("images.yaml", []byte("images: {busybox: registry.example.com/tools/shell}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	found := 0
	for _, block := range text {
		for line := range strings.SplitSeq(block, "\n") {
			args, ok := plumbline(line)
			if !ok {
				continue
			}
			found++
			if code, _, stderr := run(t, args...); code != 2 || !strings.Contains(stderr, "kubeconfig") {
				t.Errorf("%s\nexits with %d: %s", line, code, stderr)
			}
		}
	}
	if found < 4 {
		t.Errorf("the document prints %d commands", found)
	}
}
