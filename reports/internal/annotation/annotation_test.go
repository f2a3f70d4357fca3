package annotation

import (
	"fmt"
	"testing"
)

func TestPositionsAreParsed(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"a.yaml:9:5":     "a.yaml 9 5",
		`c:\a.yaml:9:5`:  `c:\a.yaml 9 5`,
		"a:7/b.yaml:9":   "a:7/b.yaml 9 0",
		"a.yaml":         "a.yaml 0 0",
		"a.yaml:x":       "a.yaml:x 0 0",
		"":               " 0 0",
		"a.yaml:0:0":     "a.yaml:0:0 0 0",
		"1:2:a.yaml:3:4": "1:2:a.yaml 3 4",
	} {
		if file, line, column := Place(at); fmt.Sprint(file, " ", line, " ", column) != want {
			t.Errorf("%q: got %q %d %d, want %s", at, file, line, column, want)
		}
	}
}

// In a property two more letters are escaped than in the text.
func TestTextsAreEscaped(t *testing.T) {
	t.Parallel()
	if got, want := escapeData("50%\r\n, a: b"), "50%25%0D%0A, a: b"; got != want {
		t.Errorf("data %q, want %q", got, want)
	}
	if got, want := escapeProperty("50%\n, a: b"), "50%25%0A%2C a%3A b"; got != want {
		t.Errorf("property %q, want %q", got, want)
	}
}
