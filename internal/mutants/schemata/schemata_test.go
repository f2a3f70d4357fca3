package schemata

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const program = `package main

import "fmt"

const limit = 3

var greetings = []string{"hello", "bye"}

type pair[T any] struct{ a, b T }

func (p pair[T]) swap() pair[T] { return pair[T]{p.b, p.a} }

func sum(_ string, numbers ...int) (total int) {
loop:
	for i, n := range numbers {
		if i >= limit {
			break loop
		}
		total += n
	}
	return total
}

func first[T any](list []T, _ int) T { return list[0] }

func (pair[T]) say(string) { fmt.Print("said ") }

func main() {
	pair[int]{1, 2}.say("x")
	fmt.Println(greetings[0], pair[int]{1, 2}.swap(), sum("", 1, 2, 3, 4), first([]int{7, 8}, 0))
}
`

// replace is the edit of the one place where the text occurs.
func replace(t *testing.T, text, with string) []Edit {
	t.Helper()
	if strings.Count(program, text) != 1 {
		t.Fatalf("%q occurs %d times", text, strings.Count(program, text))
	}
	at := strings.Index(program, text)
	return []Edit{{at, at + len(text), with}}
}

func TestOneBinaryHasAllFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		reason     string
		text, with string
		value      bool
		want       string // "" where the fault is left
	}{
		{reason: "no fault", want: "said hello {2 1} 6 7"},
		{reason: "labels of a copy are its own; a param without name; a variadic one", text: "i >= limit", with: "i > limit", want: "said hello {2 1} 10 7"},
		{reason: "a second fault of the same function", text: "total += n", with: "_ = n", want: "said hello {2 1} 0 7"},
		{reason: "a method of a generic type", text: "{p.b, p.a}", with: "{p.a, p.b}", want: "said hello {1 2} 6 7"},
		{reason: "a generic function", text: "list[0]", with: "list[1]", want: "said hello {2 1} 6 8"},
		{reason: "a receiver without a name, and no result", text: `fmt.Print("said ")`, want: "hello {2 1} 6 7"},
		{reason: "a value outside functions", text: `"hello"`, with: `"hullo"`, value: true, want: "said hullo {2 1} 6 7"},
		{reason: "a constant cannot be switched", text: "limit = 3", with: "limit = 4"},
		{reason: "nor can main", text: `sum("", 1`, with: `sum("", 2`},
		{reason: "nor an edit of a signature", text: "_ string, numbers", with: "_ string, many"},
	}
	var faults []Fault
	for i, row := range rows[1:] {
		faults = append(faults, Fault{ID: i + 1, Edits: replace(t, row.text, row.with), Value: row.value})
	}
	woven, err := Weave("main.go", []byte(program), faults)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"main.go": woven.Source, SwitchFile: Switch("main"), "go.mod": []byte("module m\n\ngo 1.26\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, woven.Source)
	}
	for i, row := range rows {
		if left := slices.Contains(woven.Left, i); left != (row.want == "") {
			t.Errorf("%s: left %v", row.reason, left)
		}
		if row.want == "" {
			continue
		}
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), Environment+"="+strconv.Itoa(i))
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != row.want {
			t.Errorf("%s: %q, %v; want %q", row.reason, got, err, row.want)
		}
	}
	if id, ok := woven.FaultAt(strings.Index(string(woven.Source), "_ = n")); !ok || id != 2 {
		t.Errorf("the copy of fault 2 is said to be of %d, %v", id, ok)
	}
	if id, ok := woven.FaultAt(strings.Index(string(woven.Source), "func main")); ok {
		t.Errorf("main is said to be a copy, of fault %d", id)
	}
}

func TestEditsMustFit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		edits  []Edit
		want   string
	}{
		{reason: "none", want: "abcdef"},
		{reason: "in any order", edits: []Edit{{4, 5, "E"}, {0, 1, ""}}, want: "bcdEf"},
		{reason: "insertions at one place keep their order", edits: []Edit{{3, 3, "1"}, {3, 3, "2"}}, want: "abc12def"},
		{reason: "overlapping", edits: []Edit{{0, 3, ""}, {2, 4, ""}}},
		{reason: "behind the end", edits: []Edit{{5, 7, ""}}},
		{reason: "backwards", edits: []Edit{{3, 2, ""}}},
	} {
		got, err := Apply([]byte("abcdef"), tt.edits)
		if (err != nil) != (tt.want == "") || string(got) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.reason, got, err, tt.want)
		}
	}
}

func TestOverlaysNeedAbsolutePaths(t *testing.T) {
	t.Parallel()
	if got, err := Overlay(map[string]string{"/a.go": "/b.go"}); err != nil || string(got) != `{"Replace":{"/a.go":"/b.go"}}` {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := Overlay(map[string]string{"a.go": "/b.go"}); err == nil {
		t.Errorf("a relative path is accepted: %s", got)
	}
}
