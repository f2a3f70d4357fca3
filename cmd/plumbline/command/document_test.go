package command

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// Documents for programs keep texts that are made to hurt, and are harmless to print.
func TestHostileDocumentsAreEscaped(t *testing.T) {
	t.Parallel()
	orders := regexp.MustCompile(`(?m)^\s*::|##[a-z]*\[|[\x00-\x09\x0b-\x1f\x7f-\x{9f}\x{2028}-\x{202e}\x{feff}]`)
	document := map[string]any{
		"log":        "first\n::error::pwn\n  ::stop-commands::t\n##[error]x",
		"\x1b[2Jkey": []any{"\u202ertl", "\u009b31m", "plain", "plumbline0.", map[string]any{"tag": "\U000e0041"}},
		"long":       strings.Repeat("word ", 15) + "word ::error::x " + strings.Repeat("word ", 30),
		"list":       []any{},
		"null":       nil,
		"number":     float64(3),
	}
	for form, print := range map[string]func(*bytes.Buffer) error{
		"json": func(b *bytes.Buffer) error { return printJSON(b, document) },
		"yaml": func(b *bytes.Buffer) error { return printYAML(b, document) },
	} {
		var b bytes.Buffer
		if err := print(&b); err != nil {
			t.Fatal(err)
		}
		if at := orders.FindIndex(b.Bytes()); at != nil {
			t.Errorf("%s has %q:\n%s", form, b.Bytes()[at[0]:at[1]], b.String())
		}
		got := map[string]any{}
		read := json.Unmarshal
		if form == "yaml" {
			read = func(data []byte, into any) error { return yaml.Unmarshal(data, into) }
		}
		if err := read(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(document, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
}
