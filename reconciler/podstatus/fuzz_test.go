package podstatus

import (
	"errors"
	"testing"
)

// Whatever a container prints, it is results within the limit, or an error.
func FuzzParseResultLog(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","value":"b"}` + "\n", "\n\n", "noise\n", `{"name":"a"`, `{"name":5}`, `{"name":"a","value":"` + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" + `"}`, "\r\n", "\xff", "null", "[]",
	} {
		f.Add([]byte(seed))
	}
	const limit = 64
	f.Fuzz(func(t *testing.T, log []byte) {
		results, err := ParseResultLog(log, limit)
		if err != nil {
			var large *LargeResultError
			if errors.As(err, &large) && len(log) <= limit {
				t.Fatalf("%d bytes are said to be more than %d", len(log), limit)
			}
			return
		}
		for _, r := range results {
			if len(r.Value) > 3*limit { // a byte that is not text becomes the three of U+FFFD
				t.Fatalf("a result of %d bytes passes the limit", len(r.Value))
			}
		}
	})
}
