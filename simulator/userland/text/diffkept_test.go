package text

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// TestBothDiffAlgorithmsKeepTheSameNumberOfLines compares random lists by the table of all pairs and by the way of long
// lists: both lead from one list to the other, and keep the same number of lines.
func TestBothDiffAlgorithmsKeepTheSameNumberOfLines(t *testing.T) {
	t.Parallel()
	root, err := image.NewRoot(image.Busybox())
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	list := func() []string {
		out := make([]string, random.IntN(30))
		for i := range out {
			out[i] = strconv.Itoa(random.IntN(12)) + "\n"
		}
		return out
	}
	same := func(line string) string { return line }
	kept := func(x, y []string, edits []edit) int {
		var first, second strings.Builder
		n := 0
		for _, e := range edits {
			if e.kind != '+' {
				first.WriteString(x[e.x])
			}
			if e.kind != '-' {
				second.WriteString(y[e.y])
			}
			if e.kind == ' ' {
				n++
				if x[e.x] != y[e.y] {
					t.Errorf("%q and %q: %v keeps what differs", x, y, e)
				}
			}
		}
		if first.String() != strings.Join(x, "") || second.String() != strings.Join(y, "") {
			t.Errorf("%q and %q: %v leaves lines out", x, y, edits)
		}
		return n
	}
	program := func(p *container.Process) int {
		d := kit.Begin(p, []string{"diff"})
		for range 2000 {
			x, y := list(), list()
			if random.IntN(2) == 0 {
				y = slices.Concat(x[:len(x)/2], y, x[len(x)/2:])
			}
			if a, b := kept(x, y, editsOf(d, x, y, same)), kept(x, y, fewestEdits(d, x, y, 0, 0, same)); a != b {
				t.Errorf("%q and %q: %d lines kept, and %d", x, y, a, b)
			}
		}
		return 0
	}
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: &image.Image{Reference: "x", Root: root}, Hostname: "host", Command: []string{"/bin/true"},
		Programs: map[string]container.Program{"true": program}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.RunWhile(c.Running, k.Now().Add(1<<40), 1_000_000); err != nil {
		t.Fatal(err)
	}
	if status, ok := c.ExitStatus(); !ok || status.Code != 0 {
		t.Errorf("status %+v", status)
	}
}
