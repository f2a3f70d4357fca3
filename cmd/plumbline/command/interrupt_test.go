package command

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
)

// A command that was interrupted says so, in text and in documents, and does not pass.
func TestInterruptedCommandsSaySo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	file := filepath.Join(t.TempDir(), "report.json")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "-q", "--name", "single-step-succeeds", "--report", file},
			"the run was cut short, and 1 of 1 fixtures were not run: interrupt signal received\n"},
		{[]string{"run", "-q", "--name", "single-step-succeeds", "-o", "junit"}, "the run was cut short, and 1 of 1 fixtures were not run: interrupt signal received\n"},
		{[]string{"run", "-q", "--name", "single-step-succeeds", "--seeds", "3"}, "the sweep was cut short after 0 of 3 schedules: interrupt signal received\nINCOMPLETE: "},
		{[]string{"simulate", "-f", "../../../docs/examples/results.yaml"}, "plumbline: the command was interrupted: interrupt signal received\n"},
	} {
		var out bytes.Buffer
		if code := Main(ctx, tt.args, Streams{In: strings.NewReader(""), Out: &out, Err: &out}); code != exitBudget {
			t.Errorf("%q ended with %d, want %d", tt.args, code, exitBudget)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%q does not say %q:\n%s", tt.args, tt.want, out.String())
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := reports.Decode(data); err != nil || r.Result != reports.Incomplete || len(r.Reasons) == 0 || !strings.Contains(r.Reasons[0], "interrupt signal received") {
		t.Errorf("the report is %+v: %v", r, err)
	}
}
