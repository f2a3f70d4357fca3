package operators

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// load finds the changes of a package of one file that imports nothing.
func load(t *testing.T, text string) []string {
	t.Helper()
	p := &Package{Name: "p", goName: "p", sources: []source{{"f.go", []byte(text)}}}
	if err := p.find(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range p.Mutations {
		out = append(out, strings.TrimPrefix(m.String(), "p/"))
	}
	return out
}

func TestOperators(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, text string
		want         []string
	}{
		{
			reason: "conditions are negated, unless the change of their operator is just that",
			text:   "func f(a, b bool, n int) int {\n\tif a { return n }\n\tif n == 0 { return n }\n\tfor n < 3 { n++ }\n\treturn n\n}",
			want: []string{
				"f.go:2:5  negate condition  a -> !(a)",
				"f.go:3:7  change comparison  n == 0 -> n != 0",
				"f.go:3:10  change constant  0 -> 1",
				"f.go:4:6  negate condition  n < 3 -> !(n < 3)",
				"f.go:4:8  change comparison  n < 3 -> n <= 3",
				"f.go:4:10  change constant  3 -> 4",
				"f.go:4:14  drop statement  n++ -> (removed)",
			},
		},
		{
			reason: "the tag of a field is left alone, since a change behind its words means nothing",
			text:   "func f(s string) any { return struct { A string `json:\"a\"` }{s} }",
			want:   nil,
		},
		{
			reason: "operators have their opposites; + of strings has none",
			text:   "func f(a, b bool, n int, s string) (bool, int, string) { return a && (b || a), n + n - n, s + s }",
			want: []string{
				"f.go:1:67  swap && and ||  a && (b || a) -> a || (b || a)",
				"f.go:1:73  swap && and ||  b || a -> b && a",
				"f.go:1:82  swap + and -  n + n -> n - n",
				"f.go:1:86  swap + and -  n + n - n -> n + n + n",
			},
		},
		{
			reason: "assignments are dropped, definitions are not; a dropped call may leave a variable unused, which does not count as a change",
			text:   "func f(x *int) {\n\ty := 1\n\t*x = y\n\tg(y)\n\tz := 2\n\tg(z)\n}\nfunc g(int) {}",
			want: []string{
				"f.go:2:7  change constant  1 -> 2",
				"f.go:3:2  drop statement  *x = y -> (removed)",
				"f.go:4:2  drop statement  g(y) -> (removed)",
				"f.go:5:7  change constant  2 -> 3",
			},
		},
		{
			reason: "branches are dropped where the rest still returns",
			text:   "func f(n int) bool {\n\tswitch n {\n\tcase 1:\n\t\treturn true\n\tdefault:\n\t}\n\tif n > 2 { n = 3 } else { n = 4 }\n\treturn n > 3\n}",
			want: []string{
				"f.go:3:2  drop branch  case 1: return true -> (removed)",
				"f.go:3:7  change constant  1 -> 2",
				"f.go:4:10  flip bool  true -> !true",
				"f.go:7:5  negate condition  n > 2 -> !(n > 2)",
				"f.go:7:7  change comparison  n > 2 -> n >= 2",
				"f.go:7:9  change constant  2 -> 3",
				"f.go:7:13  drop statement  n = 3 -> (removed)",
				"f.go:7:17  change constant  3 -> 4",
				"f.go:7:20  drop branch  else { n = 4 } -> (removed)",
				"f.go:7:28  drop statement  n = 4 -> (removed)",
				"f.go:7:32  change constant  4 -> 5",
				"f.go:8:11  change comparison  n > 3 -> n >= 3",
				"f.go:8:13  change constant  3 -> 4",
			},
		},
		{
			reason: "errors are forgotten; loops are not run",
			text:   "func f(list []error) error {\n\tfor _, e := range list {\n\t\tif e != nil { return e }\n\t}\n\treturn f(nil)\n}",
			want: []string{
				"f.go:2:26  drop statement  for _, e := range list -> for _, e := range list { break",
				"f.go:3:8  change comparison  e != nil -> e == nil",
				"f.go:3:24  drop error  return e -> nil for the error",
				"f.go:5:2  drop error  return f(nil) -> return nil",
			},
		},
		{
			reason: "constants change where they are used, and rows of tables; names of fields are none",
			text:   "type T struct{ name string }\ntype R string\nconst c R = \"x\"\nvar table = []T{{name: \"a\"}}\nvar typed R = \"t\"\nfunc f() (R, T) { return c, T{name: \"b\"} }",
			want: []string{
				"f.go:4:24  change constant  \"a\" -> \"a~\"",
				"f.go:6:26  change constant  c -> (c + \"~\")",
				"f.go:6:37  change constant  \"b\" -> \"b~\"",
			},
		},
		{
			reason: "prose for people is left alone: as a format or message, also by a constant of the package",
			text: "const sorry, key = \"not at all\", \"a\"\nfunc f(t func(string)) any {\n\ttell(key, \"it is %s\", \"b c\")\n\ttell(key, sorry)\n\ttell(key, \"%s\")\n\tt(\"d e\")\n" +
				"\treturn struct{ Message, Name string }{Message: sorry, Name: \"f g\"}\n}\nfunc tell(key, message string, args ...any) {}",
			want: []string{
				"f.go:3:2  drop statement  tell(key, \"it is %s\", \"b c\") -> (removed)",
				"f.go:3:7  change constant  key -> (key + \"~\")",
				"f.go:3:24  change constant  \"b c\" -> \"b c~\"",
				"f.go:4:2  drop statement  tell(key, sorry) -> (removed)",
				"f.go:4:7  change constant  key -> (key + \"~\")",
				"f.go:5:2  drop statement  tell(key, \"%s\") -> (removed)",
				"f.go:5:7  change constant  key -> (key + \"~\")",
				"f.go:5:12  change constant  \"%s\" -> \"%s~\"",
				"f.go:6:2  drop statement  t(\"d e\") -> (removed)",
				"f.go:6:4  change constant  \"d e\" -> \"d e~\"",
				"f.go:7:62  change constant  \"f g\" -> \"f g~\"",
			},
		},
		{
			reason: "what writes to a log is left alone, and so are the formats of messages in a table",
			text: "type row struct {\n\tName, Message string\n\tPaths []string\n}\nvar rows = []row{{\"a\", \"b\", nil}, {Name: \"c\", Message: \"%q\", Paths: []string{\"d\"}}}\n" +
				"func f(log func(format string)) { g(\"%v\", \"e\") }\nfunc g(format string, args ...any) {}",
			want: []string{
				"f.go:5:19  change constant  \"a\" -> \"a~\"",
				"f.go:5:24  change constant  \"b\" -> \"b~\"",
				"f.go:5:42  change constant  \"c\" -> \"c~\"",
			},
		},
	} {
		if diff := cmp.Diff(shift(tt.want), load(t, "package p\n\n"+tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}

// shift moves the lines by the two that load puts before the text.
func shift(rows []string) []string {
	out := slices.Clone(rows)
	for i, r := range out {
		line, rest, _ := strings.Cut(strings.TrimPrefix(r, "f.go:"), ":")
		n, _ := strconv.Atoi(line)
		out[i] = fmt.Sprintf("f.go:%d:%s", n+2, rest)
	}
	return out
}

func TestEquivalentMutantsNameExistingCode(t *testing.T) {
	t.Parallel()
	all, err := Equivalents()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Equivalent]bool{}
	for _, e := range all {
		source, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(e.File)))
		if err != nil {
			t.Error(err)
			continue
		}
		name := e.Function[strings.LastIndexByte(e.Function, '.')+1:]
		if !strings.Contains(string(source), name+"(") && e.Function != "" {
			t.Errorf("%s has no function %s", e.File, e.Function)
		}
		if !slices.Contains(Packages(), filepath.ToSlash(filepath.Dir(e.File))) {
			t.Errorf("%s is in none of the pure packages", e.File)
		}
		key := e
		key.Reason = ""
		if seen[key] {
			t.Errorf("%s, %s: %q is excused twice", e.File, e.Function, e.Before)
		}
		seen[key] = true
	}
}

func TestStaleExcuses(t *testing.T) {
	t.Parallel()
	m := Mutation{File: "a/b/f.go", Function: "T.f", Operator: DropStatement, Before: "x =\n\t\t1", After: ""}
	fits := Equivalent{File: "a/b/f.go", Function: "T.f", Operator: DropStatement, Before: "x = 1"}
	other, elsewhere := fits, fits
	other.Before, elsewhere.File = "x = 2", "a/f.go"
	if diff := cmp.Diff([]Equivalent{other}, Stale([]Equivalent{fits, other, elsewhere}, "a/b", []Mutation{m})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	var tally Tally
	if tally.Ratio() != 100 {
		t.Errorf("of nothing, %v %% is noticed", tally.Ratio())
	}
	for _, v := range []Verdict{Killed, Endless, Overlooked, Survived, Unreached, Excused} {
		tally.Add(v)
	}
	if want := (Tally{Mutations: 6, Killed: 3, Survived: 1, Unreached: 1, Excused: 1}); tally != want || tally.Ratio() != 60 {
		t.Errorf("%+v, %v %%; want %+v, 60 %%", tally, tally.Ratio(), want)
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	blocks, err := parseProfile([]byte("mode: set\nm/p/f.go:3.10,5.2 2 1\nm/p/f.go:5.2,5.9 1 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		line, column int
		want         string
	}{{3, 9, ""}, {3, 10, "hit"}, {4, 1, "hit"}, {5, 1, "hit"}, {5, 2, "missed"}, {5, 9, ""}} {
		got := ""
		for _, b := range blocks["f.go"] {
			if b.holds(tt.line, tt.column) {
				got = map[bool]string{true: "hit", false: "missed"}[b.hit]
			}
		}
		if got != tt.want {
			t.Errorf("%d:%d: %q, want %q", tt.line, tt.column, got, tt.want)
		}
	}
	if _, err := parseProfile([]byte("mode: set\nnonsense\n")); err == nil {
		t.Error("nonsense is accepted")
	}
}
