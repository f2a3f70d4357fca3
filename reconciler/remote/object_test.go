package remote

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestDecodeHostileTexts: what was found is one object of the API, or an error, in bounded memory.
func TestDecodeHostileTexts(t *testing.T) { //nolint:paralleltest // it measures memory
	const task = "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: t}\nspec: {steps: [{image: busybox}]}\n"
	var laughs strings.Builder
	laughs.WriteString("apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: t}\nspec:\n  description: &a0 lol\n")
	for i := range 9 {
		fmt.Fprintf(&laughs, "x%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	for _, tt := range []struct{ reason, text, want string }{
		{"one object", task, ""},
		{"one object behind a mark", "---\n" + task, ""},
		{"one object behind a comment", "# a licence\n---\n" + task, ""},
		{"one object between marks", "---\n# a comment\n---\n" + task + "---\n", ""},
		{"two objects", task + "---\n" + task, "invalid runtime object: the text has 2 objects, want one"},
		{"aliases of aliases of aliases", laughs.String(), "invalid runtime object: "},
		{"deep nesting", strings.Repeat("[", 1<<20), "invalid runtime object: "},
		{"deep nesting of JSON", strings.Repeat(`{"a":`, 1<<17), "invalid runtime object: "},
		{"many marks", strings.Repeat("---\na: 1\n", 1<<16), "invalid runtime object: "},
		{"another kind", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n", "invalid runtime object: "},
		{"not an object", "x", "invalid runtime object: "},
		{"nothing", "", "invalid runtime object: "},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode([]byte(tt.text))
		runtime.ReadMemStats(&after)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if tt.want == "" && err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.200q, want %q", tt.reason, got, tt.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%s: %d bytes were allocated", tt.reason, used)
		}
	}
}
