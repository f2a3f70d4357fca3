package differential

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/internal/differential/listed"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

// needReal returns a bench, or skips the test where the real programs cannot run.
func needReal(t *testing.T) *bench {
	t.Helper()
	b, err := newBench()
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("PLUMBLINE_REQUIRE"), ","), "differential") {
			t.Fatal(err)
		}
		t.Skip("the real shells are not run: ", err)
	}
	t.Cleanup(func() {
		if err := b.real.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestRealPrograms shows what the root of the real programs is like.
func TestRealPrograms(t *testing.T) {
	t.Parallel()
	b := needReal(t)
	rows := []struct {
		reason, text, stdout string
		code                 int
	}{
		{"the shell is process 1, as in a container", "echo $$", "1\n", 0},
		{"an exit code", "exit 7", "", 7},
		{"process 1 is deaf to signals from inside", "kill -9 $$; echo immune", "immune\n", 0},
		{"a file", "echo x > /left; cat /left", "x\n", 0},
		{"which the next script does not see", "cat /left; echo $?", "1\n", 0},
		{"what runs on is killed", "sleep 1000 & echo started", "started\n", 0},
		{"programs cannot be changed", "rm /bin/jq; jq -n 1", "1\n", 0},
		{"the machine's clock cannot be set", "date -s @$(date +%s) 2>&1 | grep -c permitted", "1\n", 0},
		{"and its settings cannot be changed", "echo 1 > /proc/sys/vm/drop_caches; echo $?", "1\n", 0},
		{"nothing of the machine is there", "ls /home /opt /etc", "/etc:\ngroup\npasswd\n\n/home:\n\n/opt:\n", 0},
	}
	for _, r := range rows {
		o := b.real.Run("ash", []string{"sh", "-c", r.text})
		if o.Stdout != r.stdout || o.Code != r.code || o.Failure != "" {
			t.Errorf("%s: %q gives %+v, want %q and %d", r.reason, r.text, o, r.stdout, r.code)
		}
	}
}

// TestADifferenceIsFoundAndShrunk uses one that exists by construction: only the real root has files in its /lib.
func TestADifferenceIsFoundAndShrunk(t *testing.T) {
	t.Parallel()
	needReal(t)
	s := script.Script{Dialect: script.Ash, Parts: []string{"a=1", "echo same", "if [ -n \"$a\" ]; then echo /lib/*; fi", "echo end"}}
	r, err := Compare([]script.Script{s, {Dialect: script.Ash, Parts: []string{"echo the same"}}}, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Scripts != 2 || r.Different != 1 || r.Unlisted() != 1 || len(r.Differences) != 1 {
		t.Fatalf("%+v", r)
	}
	d := r.Differences[0]
	if strings.Contains(d.Script, "same") || !strings.Contains(d.Script, "/lib") || strings.Contains(d.Script, "if") || len(d.Script) > 12 {
		t.Errorf("shrunk to %q", d.Script)
	}
	if v := r.Violations(script.Ash, false); len(v) != 1 {
		t.Errorf("violations: %q", v)
	}
}

// TestListedKindsAreDifferences holds that every kind on the list still is one, on its own example.
func TestListedKindsAreDifferences(t *testing.T) {
	t.Parallel()
	b := needReal(t)
	for _, k := range listed.Kinds() {
		covered := k.Example == ""
		for _, d := range script.Dialects() {
			sim, real := b.both(d, k.Example)
			name, ok := listed.Find(d, k.Example, sim, real)
			covered = covered || !sim.Same(real) && ok && name == k.Name
		}
		if !covered {
			t.Errorf("%q: the example is no such difference in any shell; take the kind off the list", k.Name)
		}
	}
}
