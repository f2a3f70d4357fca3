package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// mischief is what hostile texts are made of: orders to terminals and runners, and the marks of every format.
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
		if v.Type() == reflect.TypeFor[string]() && v.String() != APIVersion && v.String() != Kind {
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

func spoiled(seed uint64) *ConformanceReport {
	r := full()
	spoil(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(r).Elem())
	slices.SortFunc(r.Statements, func(a, b Statement) int { return strings.Compare(a.ID, b.ID) })
	return r
}

var (
	obeyed  = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}]`)
	orders  = regexp.MustCompile(`(?m)^\s*::|##[A-Za-z]*\[`)
	command = regexp.MustCompile(`^::(error|warning|notice) (file=[^:,]*,)?(line=[0-9]+,)?(col=[0-9]+,)?title=[^:,]*::[^\r\n]*$`)
)

// harmless finds what a terminal or a runner would obey.
func harmless(t *testing.T, what string, got []byte, commands bool) {
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

// Whatever the texts of a report are, no rendering of it gives orders to a terminal, a runner or a browser.
func TestHostileTextsAreHarmless(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := spoiled(seed)
		for _, format := range Formats() {
			got := rendered(t, format, r)
			harmless(t, format, got, format == FormatGitHub)
			switch format {
			case FormatHTML:
				browse(t, format, got, pageJS)
			case FormatJUnit:
				wellFormed(t, got)
			}
		}
		var explained strings.Builder
		for i := range r.Fixtures {
			explained.WriteString(Explain(&r.Fixtures[i], r.Proven(&r.Fixtures[i])...) + "\n")
		}
		harmless(t, "Explain", []byte(explained.String()), false)
		for _, x := range []struct {
			name    string
			c       Comparison
			formats []string
		}{
			{"diff", Diff(r, spoiled(seed+1000), DiffOptions{}), ComparisonFormats()},
			{"gate", NewGate(r, spoiled(seed+1000)), ComparisonFormats()},
			{"table", NewTable([]Named{{Report: r}, {Report: spoiled(seed + 1000)}}, TableOptions{}), TableFormats()},
		} {
			for _, format := range x.formats {
				var b bytes.Buffer
				if err := x.c.Render(&b, format); err != nil {
					t.Fatal(err)
				}
				harmless(t, x.name+" as "+format, b.Bytes(), format == FormatGitHub)
				if format == FormatHTML {
					browse(t, x.name, b.Bytes(), tableJS)
				}
			}
		}
	}
}

// The documents for programs keep every text as it was.
func TestHostileTextsAreKept(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := spoiled(seed)
		utf8Only(reflect.ValueOf(r).Elem())
		for _, format := range []string{FormatJSON, FormatYAML} {
			got := &ConformanceReport{}
			if _, m := read(rendered(t, format, r), Kind, got); m != nil {
				t.Fatalf("%s: %v", format, m)
			}
			if diff := cmp.Diff(r, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", format, diff)
			}
		}
	}
}

// utf8Only makes texts valid UTF-8: neither JSON nor YAML has others.
func utf8Only(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToValidUTF8(v.String(), "?"))
	case reflect.Struct:
		for i := range v.NumField() {
			utf8Only(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			utf8Only(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			utf8Only(v.Elem())
		}
	}
}

func wellFormed(t *testing.T, got []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, got)
		}
	}
}

// browse reads a page as a browser does: its only script is ours, nothing is fetched, links lead to the web or within the page.
func browse(t *testing.T, what string, got []byte, script string) {
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

func TestLinksLeadToTheWeb(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com/toy": `<a href="https://example.com/toy">`,
		`https://x/"onx="`:        `<a href="https://x/%22onx=%22">`,
		"javascript:alert(1)":     "",
		"data:text/html,x":        "",
		"//example.com":           "",
		"https:":                  "",
		"https://bank@evil.com/":  "",
	} {
		r := full()
		r.Implementation.URL = address
		got := regexp.MustCompile(`<dt>url</dt><dd>(<a href="[^"]*">)?`).FindSubmatch(rendered(t, FormatHTML, r))
		if got == nil || string(got[1]) != want {
			t.Errorf("%s: the link is %q, want %q", address, got, want)
		}
	}
}
