package reports_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
)

func TestTitleOfAMissingCommand(t *testing.T) {
	t.Parallel()
	rows := []struct {
		reason  string
		command []string
		want    string
	}{
		{"the command alone", []string{"make"}, "make"},
		{"its verb belongs to it", []string{"git", "clone", "https://x"}, "git clone"},
		{"an option is not a verb", []string{"curl", "-sS", "https://x"}, "curl"},
		{"a file is not a verb", []string{"cc", "main.c"}, "cc"},
		{"a wildcard is not a verb", []string{"python3", "*"}, "python3"},
	}
	for _, r := range rows {
		if got := (reports.MissingCommand{Command: r.command}).Title(); got != r.want {
			t.Errorf("%s: %q, want %q", r.reason, got, r.want)
		}
	}
}
