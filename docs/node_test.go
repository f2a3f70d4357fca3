package docs_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
)

// TestCommandsOfANodeAreAccepted runs the commands of the document without a cluster: then nothing but that is wrong with
// them.
func TestCommandsOfANodeAreAccepted(t *testing.T) {
	commands := nodeCommands(t)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	for _, args := range commands {
		if code, _, stderr := run(t, args...); code != 2 || !strings.Contains(stderr, "kubeconfig") {
			t.Errorf("plumbline %s\nexits with %d: %s", strings.Join(args, " "), code, stderr)
		}
	}
}

// nodeCommands are what the document prints. The test goes on in a folder with what they name.
func nodeCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	t.Chdir("..")
	text := blocks(read(t, "docs/simulated-node.md"), languageCluster)
	subject(t)
	if err := os.WriteFile("images.yaml", []byte("images: {busybox: registry.example.com/tools/shell}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, start := range slices.Sorted(maps.Keys(text)) {
		for line := range strings.SplitSeq(text[start], "\n") {
			if args, ok := plumbline(line); ok {
				commands = append(commands, args)
			}
		}
	}
	if len(commands) < 4 {
		t.Errorf("the document prints %d commands", len(commands))
	}
	return commands
}

// TestCommandsOfANodeWork runs them before a real API server: each says that its node is ready, and ends well when it is
// interrupted.
func TestCommandsOfANodeWork(t *testing.T) {
	commands := nodeCommands(t)
	plane := controlplane.Start(t, envtest.StartEmpty)
	kubeconfig(t, plane.Config)
	data, err := os.ReadFile(os.Getenv("KUBECONFIG"))
	if err == nil {
		err = os.WriteFile("envtest.kubeconfig", data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range commands {
		ctx, interrupt := context.WithCancel(t.Context())
		out, says := io.Pipe()
		var errs bytes.Buffer
		ended := make(chan int, 1)
		go func() {
			ended <- command.Main(ctx, args, command.Streams{In: strings.NewReader(""), Out: says, Err: &errs})
			says.Close()
		}()
		printed := bufio.NewReader(out)
		line, err := printed.ReadString('\n')
		go func() { _, _ = io.Copy(io.Discard, printed) }() // what it says as it ends must not wait for a reader
		interrupt()
		if code := <-ended; code != 0 || !strings.HasPrefix(line, "node plumbline is ready at ") {
			t.Errorf("plumbline %s\nsays %q (%v), and exits with %d: %s", strings.Join(args, " "), line, err, code, errs.String())
		}
	}
}
