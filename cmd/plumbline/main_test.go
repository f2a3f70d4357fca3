package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

var update = flag.Bool("update", false, "write what commands print into the scripts' golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"plumbline": main})
}

// TestScripts runs testdata/script/*.txtar. Besides testscript's own commands they have
//
//	exits CODE COMMAND...   the command ends with this exit code
//	toolarge FILE           the file is made, with more bytes than are read
//	report RESULT NAME...   standard output is a report with this result, of these fixtures
//	replays FILE            the file is a report, and each replay command in it shows just the same failure
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"toolarge": toolarge,
			"report":   report,
			"replays":  replays,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func toolarge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: toolarge FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("#\n"), source.MaxFileSize), 0o600))
}

func report(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: report RESULT NAME...")
	}
	r, err := reports.Decode([]byte(ts.ReadFile("stdout")))
	ts.Check(err)
	if r.Result != reports.Result(args[0]) {
		ts.Fatalf("the report's result is %s, want %s", r.Result, args[0])
	}
	var names []string
	for _, f := range r.Fixtures {
		names = append(names, f.Name)
	}
	if want := args[1:]; !slices.Equal(names, want) {
		ts.Fatalf("the report's fixtures are %v, want %v", names, want)
	}
}

func replays(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: replays FILE")
	}
	r, err := reports.Decode([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	n := 0
	for _, want := range r.Fixtures {
		if want.Failure == nil {
			continue
		}
		n++
		// A shell takes the line apart, as a person's does.
		if err := ts.Exec("sh", "-c", want.Failure.Replay+" -q -o json"); err == nil {
			ts.Fatalf("%s: passes", want.Failure.Replay)
		}
		again, err := reports.Decode([]byte(ts.ReadFile("stdout")))
		ts.Check(err)
		if len(again.Fixtures) != 1 {
			ts.Fatalf("%s: %d fixtures", want.Failure.Replay, len(again.Fixtures))
		}
		if diff := cmp.Diff(want, again.Fixtures[0]); diff != "" {
			ts.Fatalf("%s (-first +again):\n%s", want.Failure.Replay, diff)
		}
	}
	if n == 0 {
		ts.Fatalf("the report has no failure")
	}
}
