package source

import (
	"strings"
	"testing"
)

// Files that are made to hurt are refused before they do, and the message says why.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	// Each of its documents stays below the limit for one.
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n---\n"
	for _, tt := range []struct {
		reason, text, want string
	}{
		{"ten megabytes", strings.Repeat("# padding\n", 1<<20), "the file has more than the 3145728 bytes that are read"},
		{"nesting without end", strings.Repeat("[", 1<<20), "not valid YAML: exceeded max depth of 10000"},
		{"nesting that ends", strings.Repeat("[", 200) + strings.Repeat("]", 200), "values nest deeper than 100"},
		{"an alias bomb", bomb + strings.NewReplacer("e: [", "e: &e [", "---", "f: [*e,*e,*e,*e]").Replace(bomb), "the document has more than 200000 values once its aliases are expanded"},
		{"many small alias bombs", strings.Repeat(bomb, 1000), "the documents up to this one have more than 400000 values once its aliases are expanded"},
		{"more documents than any user applies", strings.Repeat("a: 1\n---\n", 20_000), "the file has more than 10000 documents"},
		{"an alias of itself", "a: &a [*a]\n", "alias *a contains itself"},
		{"merges of merges", func() string {
			text := "m0: &m0 {a: 1}\n"
			for i := range 20 {
				from, to := string(rune('A'+i)), string(rune('A'+i+1))
				if i == 0 {
					from = "m0"
				}
				text += "x" + to + ": &" + to + " {<<: [*" + from + ", *" + from + "]}\n"
			}
			return text
		}(), "the document has more than 200000 values once its aliases are expanded"},
		{"bytes that are not text", "a: \xff\xfe\n", "not valid YAML: invalid leading UTF-8 octet"},
		{"zero bytes", "a: \x00\n", "not valid YAML: control characters are not allowed"},
	} {
		_, errs := Parse("f.yaml", []byte(tt.text))
		if len(errs) == 0 {
			t.Errorf("%s: accepted", tt.reason)
			continue
		}
		if got := strings.ReplaceAll(errs[0].Message, "their", "its"); got != tt.want || errs[0].Hint == "" {
			t.Errorf("%s: %q (%s), want %q", tt.reason, got, errs[0].Hint, tt.want)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '\n'
	}
	return len(b), nil
}

func TestAnEndlessFileIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	data, err := Read(endless{})
	if err != nil || len(data) != MaxFileSize+1 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if _, errs := Parse("-", data); len(errs) != 1 {
		t.Errorf("%v", errs)
	}
}

// Numbers keep their value or are refused; they never become others.
func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want any
		bad  string
	}{
		{text: "9223372036854775807", want: int64(9223372036854775807)},
		{text: "9223372036854775808", want: float64(9223372036854775808)},
		{text: "-9223372036854775808", want: int64(-9223372036854775808)},
		{text: "1e308", want: 1e308},
		{text: "1e309", want: "1e309"}, // no number to YAML either
		{text: ".inf", bad: `".inf" is not a number that JSON has`},
		{text: ".nan", bad: `".nan" is not a number that JSON has`},
		{text: "0x7fffffffffffffff", want: int64(9223372036854775807)},
		{text: "<<", want: "<<"},
		{text: "!!int abc", bad: `"abc" is not a number that fits`},
	} {
		docs, errs := Parse("f.yaml", []byte("a: "+tt.text))
		if len(errs) > 0 {
			t.Errorf("%s: %v", tt.text, errs)
			continue
		}
		got, errs := docs[0].Value(docs[0].Root)
		switch {
		case tt.bad != "":
			if len(errs) != 1 || errs[0].Message != tt.bad {
				t.Errorf("%s: %v (%v), want %q", tt.text, got, errs, tt.bad)
			}
		case len(errs) > 0 || got.(map[string]any)["a"] != tt.want:
			t.Errorf("%s: %v (%v), want %v", tt.text, got, errs, tt.want)
		}
	}
}
