package disturbance_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// frozen is a digest of the faults of the first thousand seeds.
const frozen = "4b92a43f0d431af73a38f7ea3a1c3198ff44e6e72ca882e8babc4b48ff2b9e0e"

// about is a fixture about one kind.
func about(t *testing.T, kind string) *fixture.Fixture {
	t.Helper()
	f, err := fixture.Load("f.yaml", []byte(fmt.Sprintf(`apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: x}
spec:
  requirement: R.
  profile: example.com/p
  then:
  - eventually: {on: %s/r, match: {status: {x: y}}}
---
apiVersion: tekton.dev/v1beta1
kind: %s
metadata: {name: r}
`, strings.ToLower(kind), kind)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDrawnFaultsExist(t *testing.T) {
	t.Parallel()
	points, table := map[string]bool{}, disturbance.TableFor(about(t, "TaskRun"))
	for seed := range uint64(500) {
		for _, f := range disturbance.Draw("x", seed, table) {
			points[f.Point] = true
			at := slices.IndexFunc(fixture.FaultPoints(), func(p fixture.FaultPoint) bool { return p.Name == f.Point })
			if at < 0 || f.Error != "" && !slices.Contains(fixture.FaultPoints()[at].Errors, f.Error) {
				t.Errorf("seed %d: %+v", seed, f)
			}
		}
	}
	if len(points) != len(fixture.FaultPoints())-1 { // visitors are trouble of their own
		t.Errorf("of %d points only %d are drawn: %v", len(fixture.FaultPoints()), len(points), points)
	}
	if diff := cmp.Diff(disturbance.Draw("x", 3, table), disturbance.Draw("x", 3, table)); diff != "" {
		t.Errorf("the same seed draws something else:\n%s", diff)
	}
	if cmp.Equal(disturbance.Draw("x", 3, table), disturbance.Draw("x", 4, table)) {
		t.Error("seeds 3 and 4 draw the same")
	}
}

// TestSeedsOfTaskRunsAreFrozen: a published seed means the same faults for ever.
func TestSeedsOfTaskRunsAreFrozen(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	table := disturbance.TableFor(about(t, "TaskRun"))
	for seed := range uint64(1000) {
		for _, line := range disturbance.Text(disturbance.Draw("x", seed, table)) {
			fmt.Fprintln(h, line)
		}
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != frozen {
		t.Errorf("the faults of TaskRuns' seeds changed: %s", got)
	}
}

// TestFaultsStrikeEveryKindOfRun: a fixture about a PipelineRun has faults of its requests, and of those for what it makes.
func TestFaultsStrikeEveryKindOfRun(t *testing.T) {
	t.Parallel()
	struck := map[string]bool{}
	table := disturbance.TableFor(about(t, "PipelineRun"))
	for seed := range uint64(2000) {
		for _, f := range disturbance.Draw("x", seed, table) {
			struck[strings.TrimSpace(f.Point+" "+f.Verb+" "+f.Kind+" "+f.Subresource)] = true
		}
	}
	for _, want := range []string{
		"api update PipelineRun status", "api patch PipelineRun", "api get PipelineRun", "watch  PipelineRun", "controller update PipelineRun status",
		"api create TaskRun", "api patch TaskRun", "api update TaskRun status", "watch  TaskRun", "api create Run", "api create CustomRun", "watch  CustomRun", "api create Pod",
	} {
		if !struck[want] {
			t.Errorf("no seed has a fault of %q", want)
		}
	}
}
