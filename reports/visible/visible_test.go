package visible

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, text, line string }{
		{"plain text is left alone", "a: b — größer 日本 🙂\n\tx", "a: b — größer 日本 🙂\n\tx", `a: b — größer 日本 🙂\n\tx`},
		{"a terminal obeys ESC and BEL", "\x1b]0;T\a", `\x1b]0;T\x07`, `\x1b]0;T\x07`},
		{"CR overwrites the line", "ok\rFAIL\r\n", "ok\\rFAIL\\r\n", `ok\rFAIL\r\n`},
		{"C1 as UTF-8 is obeyed by some terminals", "\u009b31m", `\u009b31m`, `\u009b31m`},
		{"a byte that is not UTF-8", "\x9b31m\xff", `\x9b31m\xff`, `\x9b31m\xff`},
		{"U+FFFD itself is a character", "\ufffd", "\ufffd", "\ufffd"},
		{"text would be shown in another order", "\u202ertl\u2066", `\u202ertl\u2066`, `\u202ertl\u2066`},
		{"line breaks that do not end a line here", "a\u2028b\u0085", `a\u2028b\u0085`, `a\u2028b\u0085`},
		{"invisible text", "a\u200b\ufeff\U000e0041", `a\u200b\ufeff\U000e0041`, `a\u200b\ufeff\U000e0041`},
		{"emoji are made with joiners", "👩\u200d🚀", "👩\u200d🚀", "👩\u200d🚀"},
		{"XML refuses it", "\uffff", `\uffff`, `\uffff`},
	} {
		if got := Text(tt.in); got != tt.text {
			t.Errorf("%s: Text is %q, want %q", tt.reason, got, tt.text)
		}
		if got := Line(tt.in); got != tt.line {
			t.Errorf("%s: Line is %q, want %q", tt.reason, got, tt.line)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, want string }{
		{"a workflow command", "::error file=a::b", `:\x3aerror file=a::b`},
		{"indented, the runner trims", "a\n \t\u3000::error::b", "a\n \t\u3000:\\x3aerror::b"},
		{"within a line it is not a command", "a ::error::b", "a ::error::b"},
		{"the older form is found everywhere in a line", "a ##[error]b", `a ##\x5berror]b`},
		{"Azure Pipelines and TeamCity", "##vso[task.x]y ##teamcity[z]", `##vso\x5btask.x]y ##teamcity\x5bz]`},
		{"more marks than two", "###[x]", `###\x5bx]`},
		{"a heading, a list, a comment", "## a [b]\n#[c]\n:a:", "## a [b]\n#[c]\n:a:"},
	} {
		if got := string(Commands([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: Commands is %q, want %q", tt.reason, got, tt.want)
		}
		// What is written in pieces is the same.
		var b bytes.Buffer
		w := NewWriter(&b)
		for i := range len(tt.in) {
			if _, err := io.WriteString(w, tt.in[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.String(); got != tt.want {
			t.Errorf("%s: the Writer wrote %q, want %q", tt.reason, got, tt.want)
		}
	}
	if got, want := string(Markup([]byte("<p>\n::x::y ##[z]"))), "<p>\n:&#58;x::y ##&#91;z]"; got != want {
		t.Errorf("Markup is %q, want %q", got, want)
	}
}

func TestWriterEndsWithHalfACharacter(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, piece := range []string{"a\xe2\x82", "\xac\xe2"} {
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `a€\xe2`; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// hostile is what the generator puts together.
var hostile = []string{
	"\x1b[31m", "\x00", "\a", "\b", "\r", "\n", "\r\n", "\t", "\x7f", "\u0085", "\u009b", "\x9b", "\xff\xfe", "\xe2\x80", "\u202e", "\u2066", "\u200f",
	"\u2028", "\u200b", "\U000e0041", "\ufffe", "\ufffd", "::error::x", "::stop-commands::t", " ", "\u3000", ":", "#", "##[error]", "##vso[x]", "##", "[", "a", "ü", "🙂",
}

func generated(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(hostile[r.IntN(len(hostile))])
	}
	return b.String()
}

var (
	obeyed = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]`)
	orders = regexp.MustCompile(`(?m)^\s*::|##[A-Za-z]*\[`)
)

func TestGeneratedText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := generated(r)
		var b bytes.Buffer
		w := NewWriter(&b)
		for rest := s; rest != ""; {
			n := 1 + r.IntN(len(rest))
			_, _ = io.WriteString(w, rest[:n]) // a bytes.Buffer takes everything
			rest = rest[n:]
		}
		_ = w.Close() // as above
		written := string(Commands([]byte(Text(s))))
		if b.String() != written {
			t.Fatalf("%q: in pieces %q, at once %q", s, b.String(), written)
		}
		if at := obeyed.FindString(written); at != "" || !utf8.ValidString(written) {
			t.Fatalf("%q became %q, with %q", s, written, at)
		}
		if at := orders.FindString(written); at != "" {
			t.Fatalf("%q became %q, with the order %q", s, written, at)
		}
		if !Plain(written) {
			t.Fatalf("%q became %q, which is not Plain", s, written)
		}
		if line := Line(s); strings.ContainsAny(line, "\n\t") || obeyed.MatchString(line) {
			t.Fatalf("%q as a line is %q", s, line)
		}
	}
}

// The documents for programs keep the text exactly, and are as harmless.
func TestGeneratedDocuments(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		s := strings.ToValidUTF8(generated(r), "?") // JSON has no bytes that are not UTF-8
		data, err := json.Marshal([]string{s})
		if err != nil {
			t.Fatal(err)
		}
		for form, document := range map[string][]byte{"JSON": JSON(data), "YAML": YAML(append([]byte("- "), data[1:len(data)-1]...))} {
			if at := obeyed.Find(document); at != nil {
				t.Fatalf("%q as %s is %q, with %q", s, form, document, at)
			}
			if at := orders.Find(document); at != nil {
				t.Fatalf("%q as %s is %q, with the order %q", s, form, document, at)
			}
			var got []string
			read := json.Unmarshal
			if form == "YAML" {
				read = yaml.Unmarshal
			}
			if err := read(document, &got); err != nil {
				t.Fatalf("%q as %s: %v", document, form, err)
			}
			if diff := cmp.Diff([]string{s}, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", form, diff)
			}
		}
	}
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) { *c++; return len(p), nil }

func TestEmptyTextIsNotWritten(t *testing.T) {
	t.Parallel()
	var writes counter
	w := NewWriter(&writes)
	for _, piece := range []string{"", "whole\n", "\xe2", "\x82\xac"} { // an empty write to a pipe waits for a reader
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if writes != 2 {
		t.Errorf("%d writes for two texts", writes)
	}
}
