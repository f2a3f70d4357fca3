package prose_test

import (
	"os"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/internal/prose"
)

const root = "../.."

func checker(t *testing.T) *prose.Checker {
	t.Helper()
	c, err := prose.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestExamples: what begins with "- " is found, and what begins with "+ " is not.
func TestExamples(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	c := checker(t)
	for _, line := range prose.Lines(string(data)) {
		text := line[2:]
		var found bool
		if strings.HasPrefix(text, "func ") {
			found = len(c.File("x_test.go", []byte("package x\n"+text+"}"))) > 0
		} else {
			found = len(c.Text(text, 1)) > 0
		}
		if found != strings.HasPrefix(line, "- ") {
			t.Errorf("found %t: %s", found, line)
		}
	}
}

func TestGoCodeIsNotProse(t *testing.T) {
	t.Parallel()
	const word = "no" + "body" // not in one piece, since this file is checked, too
	c := checker(t)
	for text, want := range map[string]int{
		"package x\n\nvar " + word + " = 1\n":                  0,
		"package x\n\n// It is " + word + "'s.\nvar x = 1\n":   1,
		"package x\n\nvar x = `a\nb\n" + word + "`\n":          1,
		"package x\n\nfunc Test" + "WhoReads(*testing.T) {}\n": 1,
	} {
		if got := c.File("x.go", []byte(text)); len(got) != want {
			t.Errorf("%q: %+v, want %d findings", text, got, want)
		}
	}
}

// TestWording checks every file.
func TestWording(t *testing.T) {
	t.Parallel()
	files, err := prose.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 500 {
		t.Fatalf("only %d files: is this the repository?", len(files))
	}
	c := checker(t)
	for _, name := range files {
		found, err := c.Read(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s:%d: %q; write: %s", name, f.Line, f.Text, f.Instead)
		}
	}
}
