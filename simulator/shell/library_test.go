package shell

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// TestLibrariesKeepWhatCannotBeTold parses scripts and looks at which of them may be shared: those for which finding and
// parsing come to the same, in every world.
func TestLibrariesKeepWhatCannotBeTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, text string
		work         uint32
		want         bool
	}{
		{"a script", "for i in 1 2; do echo $i; done", 0, true},
		{"a script that took work to parse", "echo a", 1, false},
		{"characters that depend on the locale, which the key holds", `echo $'\u00e9'`, 0, true},
	} {
		taken := int64(0)
		sc := syntax.Parse(tt.text, bash, syntax.Options{}, syntax.Limits{Take: func(n int64) { taken += n }})
		if taken != sc.Size {
			t.Errorf("%s: parsing it takes %d bytes, finding it %d", tt.reason, taken, sc.Size)
		}
		l := NewLibrary()
		key := cacheKey{text: tt.text, kind: bash}
		if got := l.keep(key, sc, tt.work); got != tt.want || (l.find(key) == sc) != tt.want {
			t.Errorf("%s: kept is %t", tt.reason, got)
		}
	}
}

// TestLibrariesAreBounded fills a library.
func TestLibrariesAreBounded(t *testing.T) {
	t.Parallel()
	l := NewLibrary()
	for i := range 3 * maxScripts {
		text := "echo " + strings.Repeat("a", i)
		l.keep(cacheKey{text: text}, syntax.Parse(text, ash, syntax.Options{}, syntax.Limits{}), 0)
	}
	size := int64(0)
	for key, sc := range l.parsed.byKey {
		size += sc.Size + int64(len(key.text))
	}
	if n := len(l.parsed.byKey); n == 0 || n > maxScripts || l.parsed.size != size {
		t.Errorf("%d scripts of %d bytes, counted as %d", n, size, l.parsed.size)
	}
}
