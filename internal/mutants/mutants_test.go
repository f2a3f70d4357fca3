package mutants

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
)

func TestEveryEntryFitsTheSources(t *testing.T) {
	t.Parallel()
	all, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	suite, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	proves := map[string][]string{}
	for _, f := range suite {
		proves[f.Name()] = []string{}
		for _, s := range f.Spec.Proves {
			proves[f.Name()] = append(proves[f.Name()], s.ID)
		}
	}
	for _, m := range all {
		source, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.File)))
		if err != nil {
			t.Errorf("mutant %q: %v", m.Name, err)
			continue
		}
		mutated, err := m.Apply(source)
		if err != nil {
			t.Error(err)
			continue
		}
		if filepath.Ext(m.File) != ".go" {
			if err := yaml.Unmarshal(mutated, &map[string]any{}); err != nil {
				t.Errorf("mutant %q is not valid YAML: %v", m.Name, err)
			}
		} else if _, err := parser.ParseFile(token.NewFileSet(), m.File, mutated, parser.SkipObjectResolution); err != nil {
			t.Errorf("mutant %q is not valid Go: %v", m.Name, err)
		}
		var proved []string
		for _, name := range m.CaughtBy {
			ids, known := proves[name]
			if !known {
				t.Errorf("mutant %q is to be caught by %q, which is not a fixture", m.Name, name)
			}
			proved = append(proved, ids...)
		}
		if strings.HasPrefix(m.Rule, "S0") && !slices.Contains(proved, m.Rule) {
			t.Errorf("mutant %q breaks %s, which none of %q proves; they prove %q", m.Name, m.Rule, m.CaughtBy, proved)
		}
	}
}

func TestEveryFamilyHasEnoughFaults(t *testing.T) {
	t.Parallel()
	all, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	byFamily, catchers := map[string]int{}, map[string]bool{}
	for _, m := range all {
		byFamily[m.Family]++
		for _, name := range m.CaughtBy {
			catchers[name] = true
		}
	}
	for _, family := range []string{"lifecycle", "pod", "launcher", "status", "sidecars", "substitution", "admission", "retries", "results"} {
		if byFamily[family] < 3 {
			t.Errorf("family %s has %d faults, want at least 3", family, byFamily[family])
		}
	}
	if len(catchers) < len(all)/2 {
		t.Errorf("%d faults are caught by only %d different fixtures", len(all), len(catchers))
	}
}

func TestMutantTextMustOccurOnce(t *testing.T) {
	t.Parallel()
	m := Mutant{Name: "m", File: "f.go", Replace: "b", With: "x"}
	if got, err := m.Apply([]byte("abc")); err != nil || string(got) != "axc" {
		t.Errorf("once: %q, %v", got, err)
	}
	for _, source := range []string{"ac", "abcb"} {
		if got, err := m.Apply([]byte(source)); err == nil {
			t.Errorf("%q is accepted, and becomes %q", source, got)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	var all []Mutant
	for i := range 10 {
		all = append(all, Mutant{Name: fmt.Sprintf("fault %d", i), Family: []string{"pod", "status"}[i/5]})
	}
	for _, tt := range []struct {
		reason string
		only   string
		n      int
		want   string
	}{
		{reason: "all", want: "0 1 2 3 4 5 6 7 8 9"},
		{reason: "a family", only: "status", want: "5 6 7 8 9"},
		{reason: "names", only: "fault 3,fault 7", want: "3 7"},
		{reason: "a sample has its distance from both ends", n: 2, want: "2 7"},
		{reason: "a sample of one family", only: "pod", n: 3, want: "0 2 4"},
		{reason: "a sample of more than there are", n: 99, want: "0 1 2 3 4 5 6 7 8 9"},
		{reason: "nothing", only: "nosuch", want: ""},
	} {
		var got []string
		for _, m := range Select(all, tt.only, tt.n) {
			got = append(got, strings.TrimPrefix(m.Name, "fault "))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	report := func(verdicts ...string) string {
		var b strings.Builder
		for i, v := range verdicts {
			fmt.Fprintf(&b, `%s{"name": "f%d", "verdict": %q}`, strings.Repeat(",", min(i, 1)), i, v)
		}
		return `{"fixtures": [` + b.String() + `]}`
	}
	m := Mutant{Name: "m", CaughtBy: []string{"f0", "f1"}}
	for _, tt := range []struct {
		reason string
		report string
		want   Verdict
		missed []string
		others int
	}{
		{reason: "all named ones fail", report: report("fail", "fail", "pass"), want: Caught},
		{reason: "and others", report: report("fail", "fail", "fail", "error"), want: Caught, others: 2},
		{reason: "one of them broke down", report: report("fail", "error", "pass"), want: Broke},
		{reason: "one of them passed", report: report("fail", "pass", "fail"), want: Escaped, missed: []string{"f1"}, others: 1},
		{reason: "one of them was not run", report: report("fail", "unsupported"), want: Escaped, missed: []string{"f1"}},
		{reason: "one of them is missing", report: report("fail"), want: Escaped, missed: []string{"f1"}},
		{reason: "a broken one does not hide a passing one", report: report("error", "pass"), want: Escaped, missed: []string{"f1"}},
	} {
		o, err := judge(m, []byte(tt.report))
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if o.Verdict != tt.want || o.Others() != tt.others || o.Noticed() != (tt.want != Escaped) {
			t.Errorf("%s: %s, noticed %v, %d others; want %s, %d", tt.reason, o.Verdict, o.Noticed(), o.Others(), tt.want, tt.others)
		}
		if diff := cmp.Diff(tt.missed, o.Missed); diff != "" {
			t.Errorf("%s: missed (-want +got):\n%s", tt.reason, diff)
		}
	}
	for _, broken := range []string{"", "{}", "panic: out of cheese"} {
		if o, err := judge(m, []byte(broken)); err == nil {
			t.Errorf("%q is taken for a report: %+v", broken, o)
		}
	}
}

func TestMutantRunEndsAtItsTimeLimit(t *testing.T) {
	t.Parallel()
	program := func(text string) string {
		path := filepath.Join(t.TempDir(), "plumbline")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	m := Mutant{Name: "m", CaughtBy: []string{"f0"}}
	for _, tt := range []struct {
		reason string
		text   string
		limit  time.Duration
		want   Verdict
	}{
		{reason: "a run without end", text: "exec sleep 600", limit: 20 * time.Millisecond, want: TimedOut},
		{reason: "a crash", text: "echo panic >&2; exit 2", limit: time.Minute, want: Unbuilt},
		{reason: "a report, whatever the exit code", text: `echo '{"fixtures": [{"name": "f0", "verdict": "fail"}]}'; exit 10`, limit: time.Minute, want: Caught},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			o := Runner{Dir: t.TempDir(), Limit: tt.limit}.suite(context.Background(), program(tt.text), 0, m)
			if o.Verdict != tt.want || (o.Trouble != nil) != (tt.want == TimedOut || tt.want == Unbuilt) {
				t.Errorf("verdict %s (%v), want %s", o.Verdict, o.Trouble, tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Runner{Root: t.TempDir(), Dir: t.TempDir()}).Judge(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run: %v", err)
	}
}
