package fake

import (
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
	"github.com/plumbline-ci/plumbline/reports"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Deps is what a reconciler under test may use. Everything of the world comes through it: a subject that keeps to it is
// repeatable.
type Deps struct {
	// Client reads from a cache, which may be behind, and writes.
	Client client.Client
	// Reader reads from the API server.
	Reader client.Reader
	Clock  taskrun.Clock
	// Recorder records events.
	Recorder taskrun.Recorder
	// Config is the configuration as of now.
	Config func() config.Config
	// Images are the container images of the reference, which a subject may use as its own.
	Images taskrun.Images
	// ImageConfig answers for registries, Logs for kubelets.
	ImageConfig taskrun.ImageLookup
	Logs        taskrun.PodLogs
}

// Subject is an implementation as a value: a reconciler, and which changes wake it.
type Subject struct {
	Name string
	// New makes a reconciler; a cluster makes one of its own.
	New func(Deps) (reconcile.Reconciler, error)
	// For is the kind that is reconciled; changes of kinds in Owns wake their controlling owner.
	For  schema.GroupVersionKind
	Owns []schema.GroupVersionKind
	// SharedReads says that the reconciler changes nothing of what its Client reads, so that it need not be given copies
	// (UnsafeDisableDeepCopy of controller-runtime's cache).
	SharedReads bool
}

// Reference is the implementation of this repository.
func Reference() *Subject {
	return &Subject{
		Name: "taskrun",
		New: func(d Deps) (reconcile.Reconciler, error) {
			return taskrun.New(taskrun.Deps{
				Client: d.Client, Reader: d.Reader, Clock: d.Clock, Recorder: d.Recorder, Config: d.Config,
				Images: d.Images, ImageConfig: d.ImageConfig, Logs: d.Logs, Revision: conformance.SuiteVersion,
			}), nil
		},
		For:  v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun),
		Owns: []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("Pod")},

		SharedReads: true,
	}
}

// Implementation describes the reference in reports.
func Implementation() reports.Implementation {
	return reports.Implementation{
		Organization: "Plumbline",
		Project:      "plumbline reference implementation",
		URL:          "https://github.com/plumbline-ci/plumbline",
		Version:      conformance.SuiteVersion,
	}
}
