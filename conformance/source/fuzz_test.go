package source

import (
	"testing"
	"unicode/utf8"
)

// Whatever the bytes, they are documents whose values can be had, or mistakes that say where they are.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: 1\n---\nb: [x, {c: yes}]\n", "a: &a {b: 1}\nc: {<<: *a, d: 2}\n", "a: &a [*a]", "<<: 1", "? [a]\n: b", "!!int x", "a: !!binary gA==",
		"a: 0o17\nb: 1e400\nc: -.inf\nd: 0x_1\ne: 2000-01-01\n", "\xff", "\tx: 1", "%YAML 1.1\n---\na", "- |\n a\n- >-\n b\n", "{a: {a: {a: [[[[]]]]}}}", `{"a": [1, -2.5e3, "\u00e9", null, true, {"b": {}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		one, problems := ParseOne("f.yaml", data, Limits{Size: 1 << 20, Values: 1000, Depth: 50})
		if one == nil && len(problems) == 0 {
			t.Fatal("neither a document nor a mistake")
		}
		docs, errs := Parse("f.yaml", data)
		if len(errs) == 0 {
			for _, d := range docs {
				_, more := d.Value(d.Root)
				errs = append(errs, more...)
			}
		}
		for _, e := range append(errs, problems...) {
			if e.Message == "" || e.Hint == "" || e.File != "f.yaml" || e.Line < 0 || utf8.ValidString(string(data)) && !utf8.ValidString(e.Message) {
				t.Fatalf("a mistake that does not help: %+v", e)
			}
		}
	})
}
