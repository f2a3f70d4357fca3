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
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/controllers"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/tenancy"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator/controller"
)

// Subject returns the implementation of this repository: the controllers of all kinds, and of the example custom tasks,
// with these resolvers beside that of the cluster.
func Subject(resolvers ...resolver.Resolver) *subject.Subject {
	list := controllers.WithExamples(resolvers...)
	first := controllerOf(&list[0])
	s := &subject.Subject{
		Name: first.Name, New: first.New, For: first.For, Owns: first.Owns, Watches: first.Watches, Predicates: first.Predicates, EventSource: first.EventSource,
		Unwatched:   first.Unwatched,
		SharedReads: true,
		Trusted:     true,
	}
	for i := range list[1:] {
		s.Also = append(s.Also, controllerOf(&list[1+i]))
	}
	return s
}

// Beside returns what an author of custom tasks has judged: their controllers beside those of this repository, which carry out the
// Pipelines that ask for them.
func Beside(theirs ...subject.Controller) *subject.Subject {
	s := &subject.Subject{Substituted: []string{fixture.ComponentController}}
	list := controllers.All()
	for i := range list {
		theirs = append(theirs, controllerOf(&list[i]))
	}
	first := theirs[0]
	s.New, s.For, s.Owns, s.Watches, s.Predicates, s.EventSource = first.New, first.For, first.Owns, first.Watches, first.Predicates, first.EventSource
	s.Name, s.Also = first.Name, theirs[1:]
	return s
}

// controllerOf is a controller in the form that simulated clusters can run.
func controllerOf(c *reconciler.Controller) subject.Controller {
	made, right := c.New, c.Needs.Tenancy
	out := subject.Controller{
		Name: c.Name, For: c.For, Predicates: c.Predicates, EventSource: c.EventSource, Unwatched: c.Unwatched,
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			d.Revision = conformance.SuiteVersion
			r := made(d)
			if d.Rights != nil {
				r = &tenancy.Gate{Reconciler: r, Right: right, Rights: d.Rights, Now: d.Clock.Now}
			}
			return r, nil
		},
	}
	for _, o := range c.Owns {
		if len(o.Predicates) == 0 {
			out.Owns = append(out.Owns, o.Kind)
		} else {
			out.Watches = append(out.Watches, controller.Watch{GVK: o.Kind, Map: controller.OwnerOf(c.For), Predicates: o.Predicates})
		}
	}
	for _, w := range c.Watches {
		out.Watches = append(out.Watches, controller.Watch{GVK: w.Kind, Map: w.Map})
	}
	return out
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
		Profiles: []string{fixture.ProfileTaskRunCore, fixture.ProfilePipelineRun, fixture.ProfileCustomTask},
		Features: []string{
			"credentials", "directories", "launcher", "injected-sidecars", "object-params", "array-results", "propagated-params",
			"propagated-workspaces", "overrides", "debug", "gates", "events", "hermetic", "stdout-config",
			"v1", "cluster-tasks", "configuration", "multi-tenancy",
			"pipeline-stop", "pipeline-pending", "pipeline-naming", "pipeline-metadata", "pipeline-account", "pipeline-task-run-specs",
			"pipeline-reasons", "pipeline-embedded-status", "pipeline-affinity", "pipeline-propagation", "pipeline-structured", "pipeline-matrix", "pipeline-custom-task",
			"alpha-run", "custom-run", "run-named", "run-unnamed", "run-spec", "run-params", "run-results", "run-timeout", "run-cancel", "run-retries",
			"run-pod", "run-pipeline",
			"remote-resolution", "resolver-cluster", "resolver-git", "resolver-bundles", "resolver-hub", "resolver-http", "bundles",
		},
		CustomTask: fixture.ExampleCustomTask(),
		Reference:  true,
	}
}
