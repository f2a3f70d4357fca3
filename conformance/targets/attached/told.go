package attached

import (
	"strings"
	"sync"
)

// told remembers what the fixtures of a run have reported about a subject. Each cluster starts the subject again, so a
// fault in its start shows in every fixture.
type told struct {
	mu sync.Mutex
	// first are the fixtures that told it, by the first line of the error.
	first map[string]string
}

// before returns the fixture that has told an error before, or nothing if it is this one.
func (t *told) before(fixture string, err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	first, known := t.first[line]
	if !known {
		if t.first == nil {
			t.first = map[string]string{}
		}
		t.first[line] = fixture
		return ""
	}
	if first == fixture {
		return ""
	}
	return first
}
