package secondkind_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/internal/secondkind"
	"github.com/plumbline-ci/plumbline/reports"
)

func TestMain(m *testing.M) {
	if err := kinds.Register(secondkind.Row()); err != nil {
		panic(err)
	}
	if err := fixture.Register(secondkind.Info()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fixtureOf is a fixture about Batches.
func fixtureOf(t *testing.T, then, more string) *fixture.Fixture {
	t.Helper()
	f, err := fixture.Load("batch.yaml", []byte(`apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: batch}
spec:
  requirement: A Batch makes a TaskRun and ends as it does.
  profile: example.com/batches
  level: required
`+more+`
  then:
  - `+then+`
---
apiVersion: tekton.dev/v1
kind: Batch
metadata: {name: b}
spec: {script: sleep 60}
`))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// judge runs a fixture and returns its report.
func judge(t *testing.T, s *subject.Subject, f *fixture.Fixture) reports.Fixture {
	t.Helper()
	target, err := fake.New(fake.Options{Subject: s})
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Fixtures: []*fixture.Fixture{f}, Claims: conformance.Claims{Profiles: []string{"example.com/batches"}}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Fixtures[0]
}

// TestTheTwoTablesAgree: what the API has, fixtures can name, in a version that is served.
func TestTheTwoTablesAgree(t *testing.T) {
	t.Parallel()
	for _, k := range kinds.API().All() {
		at := slices.IndexFunc(fixture.Kinds(), func(i fixture.KindInfo) bool { return i.Kind == k.Name })
		if at < 0 {
			t.Errorf("fixtures cannot name a %s", k.Name)
			continue
		}
		info := fixture.Kinds()[at]
		gvk := k.GroupVersionKind(k.Storage())
		if info.Group != gvk.Group || info.ClusterScoped == k.Namespaced || k.Version(info.Version) == nil {
			t.Errorf("%s: fixtures name %s, cluster-scoped %t; the API has %s, namespaced %t", k.Name, info.APIVersion(), info.ClusterScoped, gvk, k.Namespaced)
		}
	}
}

func TestABatchIsAdmittedAndConverted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, then, more string }{
		{"defaulted, and read in the other version", "eventually: {on: batch.v1beta1/b, match: {spec: {image: busybox, script: sleep 60}}}", ""},
		{"defaulted, in its own version", "eventually: {on: batch/b, match: {spec: {runs: busybox}}}", ""},
	} {
		if f := judge(t, subjectOf(false), fixtureOf(t, tt.then, tt.more)); f.Verdict != reports.Pass {
			t.Errorf("%s: %s %+v", tt.reason, f.Verdict, f.Failure)
		}
	}
	bad := fixtureOf(t, "eventually: {on: batch/b, match: {status: {conditions: [{type: Succeeded}]}}}", "")
	bad.Manifests[0].Object["spec"] = map[string]any{"script": "true", "timeout": "soon"}
	if f := judge(t, subjectOf(false), bad); f.Verdict == reports.Pass || f.Failure == nil || !strings.Contains(fmt.Sprint(*f.Failure), "invalid value: soon: spec.timeout") {
		t.Errorf("an invalid Batch: %s %+v", f.Verdict, f.Failure)
	}
}

// TestABatchIsWatchedAndJudged: its TaskRun and its Pod are watched although no check names them, and what holds of every
// run is held against it.
func TestABatchIsWatchedAndJudged(t *testing.T) {
	t.Parallel()
	const ends = "eventually: {on: batch/b, match: {status: {conditions: [{type: Succeeded, status: \"True\"}]}}}"
	f := fixtureOf(t, ends, "")
	must, may := f.Watched()
	var watched []string
	for _, k := range append(must, may...) {
		watched = append(watched, k.Kind)
	}
	if diff := cmp.Diff([]string{"Batch", "TaskRun", "Pod", "Event"}, watched); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
	if got := judge(t, subjectOf(false), f); got.Verdict != reports.Pass {
		t.Errorf("%s: %+v", got.Verdict, got.Failure)
	}
	long := fixtureOf(t, ends, "")
	long.Manifests[0].Object["spec"] = map[string]any{"script": "sleep 3600"}
	got := judge(t, subjectOf(true), long)
	// No statement of the documents backs it for a Batch, so it is told and does not fail a foreign subject.
	told := slices.ContainsFunc(got.Evidence, func(e reports.Evidence) bool {
		return strings.Contains(e.Saw, "nothing-runs: batch/b: it has been over for ") && strings.Contains(e.Saw, "but its taskrun/b is not")
	})
	if !told {
		t.Errorf("a Batch that is over before its TaskRun: %s %+v", got.Verdict, got.Evidence)
	}
}

// TestFaultsStrikeBatches: drawn faults are of its requests, too, and its controller stands them.
func TestFaultsStrikeBatches(t *testing.T) {
	t.Parallel()
	f := fixtureOf(t, "eventually: {on: batch/b, match: {status: {conditions: [{type: Succeeded, status: \"True\"}]}}}", "")
	struck := map[string]bool{}
	for seed := range uint64(500) {
		for _, fault := range disturbance.Draw(f.Name(), seed, disturbance.TableFor(f)) {
			struck[fault.Kind] = true
		}
	}
	for _, kind := range []string{"Batch", "TaskRun", "Pod"} {
		if !struck[kind] {
			t.Errorf("no fault strikes a %s", kind)
		}
	}
	target, err := fake.New(fake.Options{Subject: subjectOf(false)})
	if err != nil {
		t.Fatal(err)
	}
	runner, err := conformance.NewRunner(conformance.Options{Target: target, Fixtures: []*fixture.Fixture{f}, Claims: conformance.Claims{Profiles: []string{"example.com/batches"}}})
	if err != nil {
		t.Fatal(err)
	}
	sweep, err := runner.Sweep(t.Context(), conformance.Sweep{Seeds: 30, Faults: true})
	if err != nil || sweep.Schedules != 30 {
		t.Fatalf("%v, %+v", err, sweep)
	}
	for _, b := range sweep.Breaches {
		t.Errorf("seed %d: %+v", b.Seed, b.Violation)
	}
}

// TestSimulateShowsABatch: without a controller it stays as it is, and has its place in the tree.
func TestSimulateShowsABatch(t *testing.T) {
	t.Parallel()
	in := strings.NewReader("apiVersion: tekton.dev/v1\nkind: Batch\nmetadata: {name: b}\nspec: {script: \"true\"}\n")
	var out, errs bytes.Buffer
	code := command.Main(t.Context(), []string{"simulate", "-f", "-", "-o", "name", "--limit", "1h"}, command.Streams{In: in, Out: &out, Err: &errs})
	if code != 4 || out.String() != "batch.tekton.dev/b\n" || !strings.Contains(errs.String(), "these runs are not done: default/batch/b") {
		t.Errorf("exit code %d\n%s\n%s", code, out.String(), errs.String())
	}
}
