package userland_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// TestBackReferences uses what a group matched in sed and expr; the answers are those of GNU's tools. One that would
// backtrack for ever ends by its steps.
func TestBackReferences(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const bomb = `x=$(printf 'a%.0s' $(seq 1 400)); `
	for _, row := range []struct{ script, want string }{
		{`echo aabbc | sed 's/\(.\)\1/<\1>/g'; echo aabbc | sed -E 's/(.)\1/<&>/2'; printf 'abab\nabba\n' | sed -n '/^\(ab\)\1$/p'`, "<a><b>c\naa<bb>c\nabab\n"},
		{`expr abab : '\(ab\)\1'; expr abba : '\(ab\)\1'; echo $?; expr abc : '\(x\)*a'`, "ab\n\n1\n\n"},
		{bomb + `echo "$x" | sed 's/\(a*\)\(a*\)\(a*\)\1\2\3c/X/'`, "plumbline: the simulation ended the container: it ran more than 200000 commands\n"},
		{bomb + `expr "$x" : '\(a*\)\(a*\)\(a*\)\1\2\3c'`, "plumbline: the simulation ended the container: it ran more than 200000 commands\n"},
	} {
		if got, status := b.said(t, container.Budget{Steps: 200_000}, row.script); got != row.want {
			t.Errorf("%s\ngot %.300q, %d\nwant %q", row.script, got, status.Code, row.want)
		}
	}
}
