package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A document that is JSON says the same as YAML that says the same, and mistakes have the places that an editor shows.
func TestJSONIsReadWithPlaces(t *testing.T) {
	t.Parallel()
	type item struct {
		Name  string `json:"name"`
		Count int64  `json:"count,omitempty"`
	}
	type document struct {
		Seed  uint64 `json:"seed"`
		On    bool   `json:"on"`
		Items []item `json:"items"`
		Next  *item  `json:"next"`
	}
	limits := Limits{Size: 1 << 10, Values: 20, Depth: 4}
	read := func(text string) (*document, error) {
		doc, errs := ParseOne("f", []byte(text), limits)
		if len(errs) > 0 {
			return nil, errs
		}
		into := &document{}
		d := &Decoder{Doc: doc, Errs: &errs, JSON: true}
		d.Decode(doc.Root, into, "")
		return into, errs.Err()
	}
	want := &document{Seed: 1<<64 - 1, On: true, Items: []item{{Name: "é", Count: -3}}}
	for _, text := range []string{
		`{"seed": 18446744073709551615, "on": true, "items": [{"name": "é", "count": -3}], "next": null}`,
		"seed: 18446744073709551615\non: true\nitems:\n- {name: é, count: -3}\nnext:\n",
	} {
		if got, err := read(text); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, tt := range []struct{ text, want string }{
		{"{\n \"é\": 1}", `f:2:2: unknown field "é"`},
		{`{"on": true, "seed": "x"}`, `f:1:22: seed: must be a whole number, got the string "x"`},
		{`{"items": [{"name": 1.5}]}`, `f:1:21: items[0].name: must be a string, got the number 1.5`},
		{`{"seed": 1.0}`, `f:1:10: seed: must be a whole number, got the number 1.0`},
		{`{"seed": 99999999999999999999}`, `f:1:10: seed: 99999999999999999999 is too large`},
		{`{"seed": 1, "seed": 2}`, `f:1:13: "seed" is given twice; first on line 1`},
		{`{"": 1}`, `f:1:2: a key is empty`},
		{`{"seed": 1} {}`, `f:1:13: there is more text after the document`},
		{`{"seed": 1`, `f:1:11: not valid JSON: the document ends too early`},
		{`{"seed": [[[[[1]]]]]}`, `f:1:14: values nest deeper than 4`},
		{`{"items": [` + strings.Repeat("1,", 30) + `1]}`, `f:1:48: the document has more than 20 values`},
		{`{"seed": "` + strings.Repeat("x", 1<<10) + `"}`, `f:1:1: the file has more than the 1024 bytes that are read`},
		{"seed: 1\n---\nseed: 2\n", `f:3:1: there is more text after the document: the file has 2 documents`},
		{"", `f:1:1: the file is empty`},
		{"[", `f:1:1: not valid YAML`},
	} {
		if _, err := read(tt.text); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.40s: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestAPathIsReachedAsFarAsThereAreValues(t *testing.T) {
	t.Parallel()
	docs, errs := Parse("f", []byte("spec:\n  steps:\n  - name: a\n    image: &x i\n  - name: b\n  at: *x\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, tt := range []struct {
		path          string
		line, missing int
	}{
		{"", 1, 0},
		{"spec.steps[1].name", 5, 0},
		{"Spec.Steps[b]", 5, 0},
		{"spec.steps[a].image", 4, 0},
		{"spec.steps[7].image", 3, 2},
		{"spec.other", 2, 1},
		{"spec.at", 4, 0},
		{"spec.at.more", 4, 1},
	} {
		if n, missing := Reach(docs[0].Root, tt.path); n.Line != tt.line || missing != tt.missing {
			t.Errorf("%s: line %d, %d missing, want line %d, %d", tt.path, n.Line, missing, tt.line, tt.missing)
		}
	}
}
