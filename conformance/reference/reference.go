// Package reference is the implementation of this repository in a form that simulated clusters can run.
//
// The simulator knows Kubernetes, the reconciler knows Tekton, and the launcher knows neither. This package makes the API's
// kinds and admission parts of a simulated API server, and the container binaries programs of simulated containers.
//
//	reference.go  the implementation as a subject, its claims, and how reports name it
//	admission.go  the API's webhooks, in process
//	kinds.go      the API's kinds in all versions
//	launcher.go   the step launcher on a simulated process
//	images.go     the container images, and their registry
package reference

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
	"github.com/plumbline-ci/plumbline/reports"
)

// Subject returns the implementation of this repository.
func Subject() *subject.Subject {
	return &subject.Subject{
		Name: "taskrun",
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			d.Revision = conformance.SuiteVersion
			return taskrun.New(d), nil
		},
		For:  v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun),
		Owns: []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("Pod")},

		Predicates:  []predicate.Predicate{taskrun.Predicate()},
		SharedReads: true,
		Trusted:     true,
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

// Claims are the features of the reference that no profile demands.
func Claims() conformance.Claims {
	return conformance.Claims{
		Profiles: []string{fixture.ProfileTaskRunCore},
		Features: []string{
			"credentials", "directories", "launcher", "injected-sidecars", "object-params", "array-results", "propagated-params",
			"propagated-workspaces", "overrides", "debug", "gates", "events", "hermetic", "stdout-config",
			"v1", "cluster-tasks", "configuration",
		},
		Reference: true,
	}
}
