package awk_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/userland/awk"
)

// world has files and no commands. It ends a program after many steps.
type world struct {
	files map[string]string
	steps int
}

type stream struct {
	io.Reader
	io.Writer
}

func (stream) Close() int { return 0 }

// errExhausted is what Step panics with.
var errExhausted = errors.New("out of steps")

func (w *world) Open(name string) (awk.Stream, error) {
	text, ok := w.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return stream{strings.NewReader(text), io.Discard}, nil
}

func (w *world) Create(string, bool) (awk.Stream, error) { return stream{nil, io.Discard}, nil }

func (w *world) Command(string, bool) (awk.Stream, error) { return nil, errors.New("no shell") }

func (w *world) System(string) int { return 127 }
func (w *world) Now() time.Time    { return time.Unix(0, 0) }
func (w *world) Hold(int64)        {}

func (w *world) Step() {
	if w.steps++; w.steps > 20_000 {
		panic(errExhausted)
	}
}

func run(program *awk.Program, input string) (out string, status int, err error) {
	var b bytes.Buffer
	defer func() {
		if r := recover(); r != nil && r != any(errExhausted) {
			panic(r)
		}
	}()
	status, err = program.Run(awk.Options{World: &world{files: map[string]string{"-": input, "f": "x\ny\n"}}, Arguments: []string{"awk"}, Output: &b,
		Strftime: func(format string, _ time.Time) string { return format }})
	return b.String(), status, err
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	rows := []struct{ reason, program, want string }{
		{"an uninitialised variable becomes an array where a function makes it one", `function f(a) { a["k"] = 1 } BEGIN { f(x); print length(x), x["k"] }`, "1 1\n"},
		{"a new FS is for the next record", `{ FS = ":"; print $1 }`, "a:b\nc\n"},
		{"what is left of a range goes on over records", `/a/, /nothing/ { n++ } END { print n }`, "2\n"},
		{"next out of a function", `function skip() { next } NR == 1 { skip() } { print }`, "c:d\n"},
		{"exit out of a function runs END", `function out() { exit 3 } { out() } END { print NR }`, "1\n"},
		{"elements come in the order in which they were made", `BEGIN { a["z"]; a["a"]; a[1]; for (k in a) printf "%s ", k }`, "z a 1 "},
		{"an element that goes during a loop is not visited", `BEGIN { a[1]; a[2]; for (k in a) { delete a[2]; n++ } print n }`, "1\n"},
		{"the same seed, the same numbers", `BEGIN { srand(1); x = rand(); srand(1); print x == rand(), x < 1 }`, "1 1\n"},
		{"greater in print is a redirection, in parentheses it compares", `BEGIN { print (2 > 1) }`, "1\n"},
	}
	for _, r := range rows {
		program, err := awk.Parse(r.program, true)
		if err != nil {
			t.Errorf("%s: %v", r.reason, err)
			continue
		}
		out, _, err := run(program, "a:b\nc:d\n")
		if d := cmp.Diff(r.want, out); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", r.reason, err, d)
		}
	}
}

func TestInvalidProgramsAreRefused(t *testing.T) {
	t.Parallel()
	for program, line := range map[string]int{
		"BEGIN {": 1, "{ print }\n{ print (1, 2) + 3 }": 2, "function f(a, a) {": 1, "{ return }": 1, "BEGIN { break }": 1, "BEGIN { f() }": 1, "\n\n)": 3,
		"function f(x) { } BEGIN { f(1, 2) }": 1, "BEGIN { split(\"a\", 1) }": 1, "function f() { } function f() { }": 1, "{ x = }": 1, `{ print "a }`: 1,
	} {
		_, err := awk.Parse(program, true)
		var syntax *awk.SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != line {
			t.Errorf("%q: %v, want an error in line %d", program, err, line)
		}
	}
	if _, err := awk.Parse(strings.Repeat("(", 1<<16), true); err == nil {
		t.Error("a program that nests without end is parsed")
	}
}

// FuzzAwk parses and runs whatever it is given: that may be refused or run out of steps, but never panic or hang.
func FuzzAwk(f *testing.F) {
	for _, s := range []string{`{ a[$1] += NF } END { for (k in a) printf "%5s|%d\n", k, a[k] }`, `BEGIN { while ((getline l < "f") > 0) s = s l } { gsub(/[a-c]+/, "<&>"); $3 = s }`,
		`function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(9), substr("abc", 2), 2 ^ -1 ~ /5$/, !x++ }`} {
		f.Add(s, "a b\nc\n")
	}
	f.Fuzz(func(_ *testing.T, text, input string) {
		if program, err := awk.Parse(text, true); err == nil {
			_, _, _ = run(program, input)
		}
	})
}
