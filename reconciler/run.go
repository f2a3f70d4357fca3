package reconciler

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Run is a run of any kind: an object with the status that runs of all kinds have.
type Run interface {
	client.Object
	// CommonStatus returns the part of the status that every kind has.
	CommonStatus() *v1beta1.Status
	// WholeStatus returns a pointer to the whole status.
	WholeStatus() any
	// StartedAt returns when the present attempt began, and CompletedAt when it ended, or nil.
	StartedAt() *metav1.Time
	CompletedAt() *metav1.Time
}

var (
	_ Run = (*v1beta1.TaskRun)(nil)
	_ Run = (*v1beta1.PipelineRun)(nil)
)
