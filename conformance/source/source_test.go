package source

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Pos   Position
	Name  string            `yaml:"name" fixture:"required" doc:"what it is called"`
	Size  int               `yaml:"size"`
	Big   *bool             `yaml:"big"`
	Kind  string            `yaml:"kind" fixture:"enum=cat|dog"`
	Wait  Duration          `yaml:"wait"`
	Tags  []string          `yaml:"tags"`
	Words map[string]string `yaml:"words"`
	inner
}

type inner struct {
	Deep string `yaml:"deep"`
}

func decode(t *testing.T, text string) (sample, map[string]Position, Errors) {
	t.Helper()
	docs, errs := Parse("s.yaml", []byte(text))
	if len(errs) > 0 || len(docs) != 1 {
		t.Fatalf("%q: %v", text, errs)
	}
	var s sample
	places := map[string]Position{}
	(&Decoder{Doc: docs[0], Errs: &errs, Places: places}).Decode(docs[0].Root, &s, "")
	return s, places, errs
}

func TestDecodeFillsEveryKindOfField(t *testing.T) {
	t.Parallel()
	got, places, errs := decode(t, "# a comment\nname: n\nsize: 3\nbig: true\nkind: dog\nwait: 1m30s\ntags: [a, b]\nwords: {x: y}\ndeep: d\n")
	if errs.Err() != nil {
		t.Fatal(errs)
	}
	yes := true
	want := sample{Pos: Position{"s.yaml", 2, 1}, Name: "n", Size: 3, Big: &yes, Kind: "dog", Wait: Duration(90 * time.Second), Tags: []string{"a", "b"}, Words: map[string]string{"x": "y"}, inner: inner{"d"}}
	if diff := cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := places["tags[1]"], (Position{"s.yaml", 7, 11}); got != want {
		t.Errorf("tags[1] is at %v, want %v", got, want)
	}
}

func TestDecodeSaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, text, want string }{
		{"a field that is missing", "size: 1", `s.yaml:1:1: "name" is missing; add name: what it is called`},
		{"a field that is misspelt", "nqme: n", `s.yaml:1:1: unknown field "nqme"; did you mean "name"?`},
		{"a field like no other", "name: n\ncompletely: x", `s.yaml:2:1: unknown field "completely"; use one of: name, size, big, kind, wait, tags, words, deep`},
		{"an empty name", "name: ''", "s.yaml:1:7: name: is empty; what it is called"},
		{"an unknown word", "name: n\nkind: dgo", `s.yaml:2:7: kind: unknown value "dgo"; did you mean "dog"? one of: cat, dog`},
		{"a list for a string", "name: [n]", "s.yaml:1:7: name: must be a string, got a list; write one line of text"},
		{"a string for a number", "name: n\nsize: '3'", `s.yaml:2:7: size: must be a whole number, got the string "3"; write it without quotes`},
		{"a number that is too large", "name: n\nsize: 99999999999999999999999", "s.yaml:2:7: size: must be a whole number, got the number 99999999999999999999999; write it without quotes"},
		{"a word for a boolean", "name: n\nbig: yes", `s.yaml:2:6: big: must be true or false, got the string "yes"; write true or false without quotes`},
		{"a string for a list", "name: n\ntags: a", "s.yaml:2:7: tags: must be a list, got the string \"a\"; put it into [ ] or start each item with \"- \""},
		{"a number in a map of strings", "name: n\nwords: {x: 1}", `s.yaml:2:12: words.x: must be a string, got the number 1; quote it: "1"`},
		{"nothing for a string", "name:", "s.yaml:1:6: name: must be a string, got nothing; write one line of text"},
	} {
		_, _, errs := decode(t, tt.text)
		if got := errs.Error(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.reason, got, tt.want)
		}
	}
}

func TestOnlyTheFirstMistakesOfAFileAreReported(t *testing.T) {
	t.Parallel()
	_, _, errs := decode(t, "name: n\ntags: ["+strings.Repeat("{}, ", 500)+"]")
	if len(errs) != maxErrors {
		t.Errorf("told %d mistakes, want %d", len(errs), maxErrors)
	}
}

func TestParseRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, text, want string }{
		{"a file too large", strings.Repeat("# ", MaxFileSize/2+1), "bytes"},
		{"nesting too deep", strings.Repeat("[", 150) + strings.Repeat("]", 150), "nest deeper"},
		{"an alias of nothing", "a: *b", "unknown anchor"},
		{"control characters", "a: \x01", "control characters"},
	} {
		if _, errs := Parse("s.yaml", []byte(tt.text)); len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, errs, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"eventually", "always", "never", "sequence", "rejected"}
	for word, want := range map[string]string{"eventuallly": "eventually", "allways": "always", "nevre": "never", "Sequence": "sequence", "reject": "rejected", "xyz": "", "": ""} {
		if got := Nearest(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
