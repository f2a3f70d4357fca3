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
		{"too many bytes", strings.Repeat(" ", limits.Size) + "{}", "<input>:1:1: the file has more than the 67108864 bytes that are read; split it"},
		{"nesting in JSON", strings.Repeat(`{"a":`, 1000), "<input>:1:326: values nest deeper than 64; flatten the document"},
		{"nesting in YAML", "a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "<input>:1:68: values nest deeper than 64; flatten the document"},
		{"an alias bomb", "a: &a [b]\nc: [*a, *a]\n", "<input>:1:1: has no apiVersion and kind; a document of this kind begins with apiVersion plumbline.dev/v1alpha1 and kind ConformanceReport"},
		{"more values than any report has", head + strings.Repeat(`"",`, limits.Values), "<input>:1:6000081: the document has more than 2000000 values; split it"},
		{"an invalid number", head + `1e999999999]}`, `<input>:1:96: reasons[0]: must be a string, got the number 1e999999999; quote it: "1e999999999"`},
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
