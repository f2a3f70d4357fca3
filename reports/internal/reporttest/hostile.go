package reporttest

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/plumbline-ci/plumbline/reports"
)

// mischief lists the parts of hostile texts: orders to terminals and runners, and the marks of every format.
var mischief = []string{
	"\x1b[2J", "\x1b]0;PWNED\a", "\x00", "\b", "\r", "\n", "\r\n", "\t", "\x7f", "\u0085", "\u009b31m", "\x9b31m", "\xff\xfe", "\u202e", "\u2066", "\u2028", "\ufeff",
	"::error file=x::pwn", "\n::set-output name=x::y", "\n  ::stop-commands::t", ":", "::", "##[error]x", "##vso[task.x]", "##", "#", "[",
	"</pre></script><script>alert(9)</script>", "<img src=x onerror=alert(2)>", `"onx="`, "'", "javascript:alert(3)", "https://x/", "[x](javascript:alert(3))",
	"]]>", "<![CDATA[", "&amp;", "```", "\n# heading\n", "</details>", "|", "`c`", "@everyone", "*", " ", strings.Repeat("word ", 20) + "::error::x " + strings.Repeat("word ", 30), "größer", "🙂",
}

func hostile(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(mischief[r.IntN(len(mischief))])
	}
	return b.String()
}

// spoil replaces every text of a document, but for words that the reader knows.
func spoil(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.String() != reports.APIVersion && v.String() != reports.Kind {
			v.SetString(hostile(r))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(r, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(r, v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(r, v.Elem())
		}
	}
}

// Spoiled is a report with every verdict whose texts are hostile.
func Spoiled(seed uint64) *reports.ConformanceReport {
	r := Full()
	spoil(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(r).Elem())
	slices.SortFunc(r.Statements, func(a, b reports.Statement) int { return strings.Compare(a.ID, b.ID) })
	return r
}

var (
	obeyed  = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}]`)
	orders  = regexp.MustCompile(`(?m)^\s*::|##[A-Za-z]*\[`)
	command = regexp.MustCompile(`^::(error|warning|notice) (file=[^:,]*,)?(line=[0-9]+,)?(col=[0-9]+,)?title=[^:,]*::[^\r\n]*$`)
)

// Harmless finds what a terminal or a runner would obey.
func Harmless(t *testing.T, what string, got []byte, commands bool) {
	t.Helper()
	if at := obeyed.FindIndex(got); at != nil || !utf8.Valid(got) {
		t.Fatalf("%s has control characters at %v: %.200q", what, at, got[max(0, slices.Concat(at, []int{0})[0]-50):])
	}
	if !commands {
		if at := orders.FindIndex(got); at != nil {
			t.Fatalf("%s gives an order: %.200q", what, got[at[0]:])
		}
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(string(got), "\n"), "\n") {
		if !command.MatchString(line) || strings.Contains(line[strings.LastIndex(line, "::"):], "##[") {
			t.Fatalf("%s has a line that is no annotation of ours: %.200q", what, line)
		}
	}
}

// Browse reads a page as a browser does: its only script is ours, nothing is fetched, links lead to the web or within the page.
func Browse(t *testing.T, what string, got []byte, script string) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			scripts++
			if n.FirstChild == nil || strings.TrimSpace(n.FirstChild.Data) != strings.TrimSpace(script) {
				t.Fatalf("%s has a script that is not ours: %.200q", what, n.FirstChild.Data)
			}
		case "img", "iframe", "object", "embed", "link", "base", "svg":
			t.Fatalf("%s has an element <%s>", what, n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"):
				t.Fatalf("%s: <%s> has the attribute %s", what, n.Data, a.Key)
			case (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://"):
				t.Fatalf("%s: <%s> leads to %q", what, n.Data, a.Val)
			}
		}
	}
	if scripts != 1 {
		t.Fatalf("%s has %d scripts", what, scripts)
	}
}
