package reports

import (
	"strings"
	"testing"
	"time"
)

// Documents that are made to hurt are refused, or read in the time that their size is worth.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	const head = `{"apiVersion":"plumbline.dev/v1alpha1","kind":"ConformanceReport","result":"passed","reasons":[`
	for _, tt := range []struct{ reason, text, want string }{
		{"too many bytes", strings.Repeat(" ", maxSize) + "{}", "1:1: the document has 67108866 bytes; at most 67108864 are read"},
		{"nesting in JSON", strings.Repeat(`{"a":`, 1000), "1:326: nested too deeply"},
		{"nesting in YAML", "a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "1:68: nested too deeply"},
		{"an alias bomb", "a: &a [b]\nc: [*a, *a]\n", "2:5: reports must not contain anchors or aliases"},
		{"an invalid number", head + `1e999999999]}`, `1:96: reasons[0]: is a number, want a string`},
	} {
		_, err := Decode([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.reason, err, tt.want)
		}
	}
	// One line of many values: places are counted once, and not from the beginning of the line for each, which takes minutes.
	began := time.Now()
	r, err := Decode([]byte(head + strings.Repeat(`"a",`, 1<<18) + `"b"]}`))
	if err != nil || len(r.Reasons) != 1<<18+1 {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}
