package conformance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/internal/double"
)

func TestPlayActsWithoutJudging(t *testing.T) {
	t.Parallel()
	c, err := (&double.Target{Script: double.Toy(double.Faults{})}).Start(context.Background(), conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	f := load(t, "f", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: {status: {conditions: [{reason: Running}]}}}}, {after: 2s}, {cancel: taskrun/slow}]\nthen: [{eventually: {on: taskrun/slow, match: {a: b}}}]", slow)
	if err := conformance.Play(context.Background(), c, f, "default", true); err != nil {
		t.Fatal(err)
	}
	run := &unstructured.Unstructured{}
	run.SetAPIVersion("tekton.dev/v1beta1")
	run.SetKind("TaskRun")
	if err := c.Client().Get(context.Background(), client.ObjectKey{Namespace: "default", Name: "slow"}, run); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := unstructured.NestedString(run.Object, "spec", "status"); status != "TaskRunCancelled" {
		t.Errorf("spec.status is %q", status)
	}
	if got, want := c.Now().Sub(double.Epoch), 3100*time.Millisecond; got != want {
		t.Errorf("the last action was at +%v, want +%v: running at 1.1s, then 2s", got, want)
	}
}

func TestPlayTakesPlainManifests(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.TrimPrefix(quick, "---\n"): "",
		strings.TrimPrefix(both, "---\n"):  "x.yaml:4:17: spec.taskRef: taskrun/both was refused: admission webhook",
	} {
		c, err := (&double.Target{Script: double.Toy(double.Faults{})}).Start(context.Background(), conformance.Setup{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := fixture.LoadAny("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		err = conformance.Play(context.Background(), c, f, "default", true)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestEmbeddedSuiteLoads(t *testing.T) {
	t.Parallel()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d fixtures, %v", len(list), err)
	}
	table, err := statement.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c := table.Cover(fixture.Claims(list))
	if len(c.Unknown) > 0 || len(c.Proven) == 0 || len(c.Proven)+len(c.Unproven) > len(table.All()) {
		t.Errorf("%d proven, %d unproven, unknown %v", len(c.Proven), len(c.Unproven), c.Unknown)
	}
	t.Logf("%d fixtures prove %d statements; %d are unproven", len(list), len(c.Proven), len(c.Unproven))
}
