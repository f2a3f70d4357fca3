package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/internal/mutants"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
	"github.com/plumbline-ci/plumbline/reports"
)

// stage plays the cluster: the fixtures that fail are those that the installed image breaks.
type stage struct {
	installed string
	history   []string
	// breaks are the fixtures that fail under an image, by the image's name; under "" with the sound controller.
	breaks map[string][]string
	// lost: the run of that image leaves no report.
	lost string
}

func (s *stage) build(_ context.Context, faults []mutants.Mutant) ([]images.Image, error) {
	var out []images.Image
	for _, m := range faults {
		out = append(out, images.Image{Name: m.Name})
	}
	return out, nil
}

func (s *stage) install(_ context.Context, instead ...images.Image) error {
	s.installed = ""
	for _, i := range instead {
		s.installed = i.Name
	}
	s.history = append(s.history, s.installed)
	return nil
}

// plumbline writes the report of a run, and has the real command be the gate.
func (s *stage) plumbline(ctx context.Context, args ...string) (int, []byte, error) {
	if args[0] != "run" {
		var out, errs bytes.Buffer
		code := command.Main(ctx, args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		return code, out.Bytes(), nil
	}
	if s.lost != "" && s.installed == s.lost {
		return 10, nil, nil
	}
	names := strings.Split(args[slices.Index(args, "--name")+1], ",")
	r := &reports.ConformanceReport{APIVersion: reports.APIVersion, Kind: reports.Kind, Target: reports.Target{Name: "kind"}, Result: reports.Passed}
	for _, n := range names {
		f := reports.Fixture{Name: n, Profile: "p", Level: "required", Requirement: "It is " + n + ".", Verdict: reports.Pass}
		if slices.Contains(s.breaks[s.installed], n) {
			f.Verdict, f.Failure, r.Result = reports.Fail, &reports.Failure{At: n + ".yaml:1:1", Check: "c", Message: "m"}, reports.Failed
		}
		r.Fixtures = append(r.Fixtures, f)
	}
	data, err := reports.Encode(r)
	if err != nil {
		return 0, nil, err
	}
	_, file, _ := strings.Cut(args[slices.Index(args, "--report")+1], "=")
	return 1, nil, os.WriteFile(file, data, 0o600)
}

func TestEveryFaultHasToBeNamed(t *testing.T) {
	t.Parallel()
	faults := []mutants.Mutant{{Name: "one", CaughtBy: []string{"b", "a"}}, {Name: "two", CaughtBy: []string{"c"}}}
	for _, tt := range []struct {
		reason  string
		stage   stage
		wrong   string // of the error
		says    []string
		history string
	}{
		{"all are", stage{breaks: map[string][]string{"one": {"a", "b"}, "two": {"c"}}}, "",
			[]string{"the sound controller passes a, b, c", "newly-failing  a        required  pass      fail", `NAMED: "one" by b, a`, `NAMED: "two" by c`, "the gate has named all 2 faults"}, " one two "},
		{"one is by half", stage{breaks: map[string][]string{"one": {"a"}, "two": {"c"}}}, "one: the gate does not name b", []string{"NOT NAMED: one", `NAMED: "two" by c`}, " one two "},
		{"another one fails instead", stage{breaks: map[string][]string{"one": {"a", "b"}, "two": {"a"}}}, "two: the gate does not name c", nil, " one two "},
		{"one is not noticed", stage{breaks: map[string][]string{"one": {"a", "b"}}}, "two: the gate exits with 0, want 1", []string{"PASSED: 0 worse"}, " one two "},
		{"the sound controller fails, too", stage{breaks: map[string][]string{"": {"c"}}}, "with the sound controller c is fail already", nil, ""},
		{"a run leaves nothing", stage{lost: "two", breaks: map[string][]string{"one": {"a", "b"}}}, "the run has left no report", nil, " one two "},
	} {
		dir := t.TempDir()
		// A report of an earlier time is none of this one's.
		if err := os.WriteFile(filepath.Join(dir, "fault-2.json"), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s := tt.stage
		d := demonstration{faults: faults, reports: dir, out: &out, build: s.build, install: s.install, plumbline: s.plumbline}
		err := d.run(t.Context())
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.wrong)
		}
		for _, want := range tt.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: it does not say %q:\n%s", tt.reason, want, out.String())
			}
		}
		// The sound controller is there before and, whatever happened, in the end.
		if got := strings.Join(s.history, " "); got != tt.history {
			t.Errorf("%s: installed %q, want %q", tt.reason, got, tt.history)
		}
	}
}

func TestFailedReinstallationIsReported(t *testing.T) {
	t.Parallel()
	s := stage{breaks: map[string][]string{"one": {"a"}}}
	n := 0
	install := func(ctx context.Context, instead ...images.Image) error {
		if n++; n == 3 {
			return errors.New("no engine")
		}
		return s.install(ctx, instead...)
	}
	d := demonstration{faults: []mutants.Mutant{{Name: "one", CaughtBy: []string{"a"}}}, reports: t.TempDir(), out: &bytes.Buffer{}, build: s.build, install: install, plumbline: s.plumbline}
	if err := d.run(t.Context()); err == nil || err.Error() != "no engine" {
		t.Errorf("got %v", err)
	}
}

// TestChosenFaultsExist: the chosen faults are in the table, and can be switched on.
func TestChosenFaultsExist(t *testing.T) {
	t.Parallel()
	all, err := mutants.Table()
	if err != nil {
		t.Fatal(err)
	}
	picked, err := pick(all, chosen())
	if err != nil || len(picked) != 3 {
		t.Fatalf("%d faults, %v", len(picked), err)
	}
	if _, err := pick(all, []string{"none of that name"}); err == nil {
		t.Error("a fault that does not exist is found")
	}
	for _, args := range [][]string{{"x"}, {"-fault", "none of that name"}, {"-nope"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	for _, m := range picked {
		for _, name := range m.CaughtBy {
			if found, err := filepath.Glob(fmt.Sprintf("../../../../fixtures/*/*/%s.yaml", name)); err != nil || len(found) != 1 {
				t.Errorf("%s: fixture %s is at %v, %v", m.Name, name, found, err)
			}
		}
	}
}
