package customtask_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/examples/customtask"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// TestTimer judges the timer, beside the controllers that carry out Pipelines. Each fixture is a subtest.
func TestTimer(t *testing.T) {
	fake.Run(t, "timer.yaml", reference.Beside(subject.Controller{
		Name: "timer",
		For:  v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun),
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			return &customtask.Timer{Client: d.Client, Clock: d.Clock}, nil
		},
	}))
}
