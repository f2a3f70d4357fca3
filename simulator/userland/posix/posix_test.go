package posix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

type free struct{}

func (free) Spend(int)      {}
func (free) Allocate(int64) {}

// TestExpressions is for what each part of an expression means.
func TestExpressions(t *testing.T) {
	t.Parallel()
	basic, extended, fold := posix.Options{}, posix.Options{Extended: true}, posix.Options{Extended: true, Fold: true}
	gnu, lenient := posix.Options{GNU: true}, posix.Options{Extended: true, GNU: true}
	for _, row := range []struct {
		options    posix.Options
		expr, text string
		want       string
	}{
		{basic, "a*", "baa", "[0 0]"},
		{basic, "*a", "x*a", "[1 3]"},
		{basic, `\(*a\)`, "x*a", "[1 3 1 3]"},
		{basic, "^*a", "*a", "[0 2]"},
		{basic, "a^b$c", "a^b$c", "[0 5]"},
		{basic, `a\|ab`, "xab", "[1 3]"},
		{basic, `\(.\)\1`, "abccd", "[2 4 2 3]"},
		{basic, `^\(.*\)\1$`, "abab", "[0 4 0 2]"},
		{basic, "a**", "", "Invalid preceding regular expression"},
		{basic, `\{1\}`, "", "Invalid preceding regular expression"},
		{basic, `\)`, "", `Unmatched ( or \(`},
		{basic, `\(`, "", `Unmatched ( or \(`},
		{basic, `a\{1`, "", `Unmatched \{`},
		{basic, `a\{x\}`, "", `Invalid content of \{\}`},
		{basic, `a\{,2\}b`, "aaab", "[1 4]"},
		{basic, "[a-", "", "Unmatched [, [^, [:, [., or [="},
		{basic, "[b-a]", "", "Invalid range end"},
		{basic, "[[:nope:]]", "", "Invalid character class name"},
		{basic, `\1`, "", "Invalid back reference"},
		{basic, `a\`, "", "Trailing backslash"},
		{basic, "[]x]*", "]x]y", "[0 3]"},
		{basic, "[^]x]", "]xy", "[2 3]"},
		{basic, `[\n]`, "n", "[0 1]"},
		{basic, "a+b", "a+b", "[0 3]"},
		{basic, `a\+b\?`, "caab", "[1 4]"},
		{basic, ".", "é", "[0 1]"},
		{basic, `\<b`, "ab b", "[3 4]"},
		{basic, `b\>`, "ba ab", "[4 5]"},
		{basic, `\w*\W`, "ab,", "[0 3]"},
		{extended, "a|ab|abc", "abcd", "[0 3]"},
		{extended, "(a|ab)(c|bcd)(d*)", "abcd", "[0 4 0 1 1 4 4 4]"},
		{extended, "x|", "yx", "[0 0]"},
		{extended, "()", "a", "[0 0 0 0]"},
		{extended, "(", "", `Unmatched ( or \(`},
		{extended, ")", "a)", "[1 2]"},
		{extended, "+a", "", "Invalid preceding regular expression"},
		{extended, "a|*b", "", "Invalid preceding regular expression"},
		{extended, "a{1,2}{2}", "aaaaa", "[0 4]"},
		{extended, "a{2,1}", "", `Invalid content of \{\}`},
		{extended, "a{1", "", `Unmatched \{`},
		{extended, "{1}", "", "Invalid preceding regular expression"},
		{extended, "a.c", "a\nc", "[0 3]"},
		{extended, "^b|^a", "ab", "[0 1]"},
		{extended, "[[:upper:]]+", "abC", "[2 3]"},
		{gnu, "a**", "aa", "[0 2]"},
		{gnu, `\{1\}`, "{1}", "[0 3]"},
		{gnu, "a\nb", "cb", "[1 2]"},
		{lenient, "+a", "+a", "[1 2]"},
		{lenient, "a|*b", "b", "[0 1]"},
		{lenient, "a{1", "a{1", "[0 3]"},
		{lenient, "^*", "a", "[0 0]"},
		{lenient, "{1}", "1}", "[0 2]"},
		{lenient, "a{2,1}", "", `Invalid content of \{\}`},
		{fold, "[[:upper:]]+", "abC", "[0 3]"},
		{fold, "[a-c]B", "aCb", "[1 3]"},
		{fold, `(A)\1`, "xaA", "[1 3 1 2]"},
	} {
		re, err := posix.Compile(free{}, row.expr, row.options)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(re.Match(row.text, 0, false))
		}
		if got != row.want {
			t.Errorf("%q in %q: %s; want %s", row.expr, row.text, got, row.want)
		}
	}
}

// TestAnchorDoesNotMatchInsideALine: ^ does not match at the start of a text that does not begin a line.
func TestAnchorDoesNotMatchInsideALine(t *testing.T) {
	t.Parallel()
	re, err := posix.Compile(free{}, "^a", posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := re.Match("a", 0, true); m != nil {
		t.Error(m)
	}
}

// TestRecorded compares with what the C library of Debian 12 answers in the C locale for random expressions.
func TestRecorded(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/glibc.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var row [4]string // the expression, the text, the kind of expression, the answer
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		re, err := posix.Compile(free{}, row[0], posix.Options{Extended: row[2] == "extended"})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(re.Match(row[1], 0, false))
		}
		if got != row[3] {
			t.Errorf("%s expression %q in %q: %s; want %s", row[2], row[0], row[1], got, row[3])
		}
	}
}
