package entrypoint_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/contract"
	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// FuzzTerminationWriter: whatever a step leaves in its result and in its message, and however little room it has, what
// is written is a message that fits, which holds the result or says why not, and one post file that tells the same.
func FuzzTerminationWriter(f *testing.F) {
	f.Add([]byte("value"), []byte(""), 4096, 0, false)
	f.Add([]byte("<\xff>"), []byte(`[{"key":"k","value":"v","type":"TaskRunResult"}]`), 100, 3, true)
	f.Add([]byte(strings.Repeat("x", 5000)), []byte("no JSON"), 122, 0, false)
	f.Fuzz(func(t *testing.T, value, found []byte, budget, code int, onErrorContinue bool) {
		budget, code = 1+(budget&0xffff)%termination.MaxSize, code&0xff
		flags := []string{"-results", "a", "-termination_budget", strconv.Itoa(budget)}
		if onErrorContinue {
			flags = append(flags, "-on_error", entrypoint.OnErrorContinue)
		}
		c := contract.Case{
			Args:   shell("exit "+strconv.Itoa(code), flags...),
			Before: map[string]string{"/tekton/results/a": string(value), terminationPath: string(found)},
		}
		got := newMemory(c).run(c)
		message := got.Files[terminationPath]
		if len(message) > budget {
			t.Fatalf("%d bytes, %d allowed", len(message), budget)
		}
		entries, err := termination.Decode([]byte(message))
		if message != "" && err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		var before []termination.Entry
		if len(found) <= 1<<16 {
			before, _ = termination.Decode(found)
		}
		lost := !slices.ContainsFunc(entries, func(e termination.Entry) bool { return e.Key == "a" && e.Type == termination.Result })
		if !lost && utf8.Valid(value) && entries[len(before)].Value != string(value) {
			t.Errorf("the result %q became %q", value, entries[len(before)].Value)
		}
		_, posted := got.Files[postFile]
		_, failed := got.Files[postFile+".err"]
		if posted == failed || posted != (got.Code == 0) || lost && posted {
			t.Errorf("exit code %d, posted %v, failed %v, lost %v: %s", got.Code, posted, failed, lost, message)
		}
	})
}

// TestReasonFitsInAnyPod: even with a hundred containers the message tells why the step failed.
func TestReasonFitsInAnyPod(t *testing.T) {
	t.Parallel()
	c := contract.Case{
		Args:   shell("exit 0", "-results", "a", "-termination_budget", "122"),
		Before: map[string]string{"/tekton/results/a": strings.Repeat("x", 100)},
	}
	if b := termination.Budget(100); b != 122 {
		t.Fatalf("the share of one in a hundred containers is %d", b)
	}
	got := newMemory(c).run(c)
	entries, err := termination.Decode([]byte(got.Files[terminationPath]))
	if err != nil || len(entries) != 2 || entries[1].Value != termination.ReasonResultsTooLarge {
		t.Errorf("%v %v", entries, err)
	}
}
