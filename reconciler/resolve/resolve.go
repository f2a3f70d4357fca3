// Package resolve finds the Task that a TaskRun runs: the one it embeds, or a Task or ClusterTask of the cluster.
//
// Tasks in bundles and Tasks that a resolver would find are not supported; asking for one fails, saying so.
//
// What is found is a copy that the caller owns, with its name and what it passes on to the TaskRun. Whether to ask at all
// (a run that has begun keeps the Task it began with) is the caller's decision.
package resolve

import (
	"errors"
	"fmt"
	"maps"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Tasks is the cluster's store of Tasks. Its errors are those of the API; a Task that is not there is a NotFound.
type Tasks interface {
	Task(namespace, name string) (*v1beta1.Task, error)
	ClusterTask(name string) (*v1beta1.ClusterTask, error)
}

// Task is what a TaskRun runs.
type Task struct {
	// Name is that of the Task; an embedded one has the name of its TaskRun.
	Name string
	Spec *v1beta1.TaskSpec
	// Labels and Annotations are what the TaskRun takes over.
	Labels, Annotations map[string]string
}

// Reasons why a Task cannot be had although the cluster works.
var (
	ErrBundle   = errors.New("bundles are not supported: apply the Task to the cluster and refer to it by its name")
	ErrResolver = errors.New("remote resolution is not supported: apply the Task to the cluster and refer to it by its name")
	ErrNothing  = errors.New("the TaskRun names no Task and embeds none")
)

// Find is the Task of a TaskRun.
func Find(tr *v1beta1.TaskRun, tasks Tasks) (Task, error) {
	ref := tr.Spec.TaskRef
	switch {
	case ref != nil && ref.IsRemote():
		return Task{}, fmt.Errorf("resolver %q: %w", ref.Resolver, ErrResolver)
	case ref != nil && ref.Bundle != "":
		return Task{}, fmt.Errorf("bundle %q: %w", ref.Bundle, ErrBundle)
	case ref != nil && ref.Name != "":
		return referenced(tr, tasks)
	case tr.Spec.TaskSpec != nil:
		return Task{Name: tr.Name, Spec: tr.Spec.TaskSpec.DeepCopy()}, nil
	default:
		return Task{}, ErrNothing
	}
}

// Name is the name of the Task of a TaskRun, without looking for it.
func Name(tr *v1beta1.TaskRun) string {
	if ref := tr.Spec.TaskRef; ref != nil && ref.Name != "" {
		return ref.Name
	}
	return tr.Name
}

func referenced(tr *v1beta1.TaskRun, tasks Tasks) (Task, error) {
	ref := tr.Spec.TaskRef
	if ref.Kind == v1beta1.ClusterTaskKind {
		t, err := tasks.ClusterTask(ref.Name)
		if err != nil {
			return Task{}, err
		}
		return taken(t.Name, &t.Spec, t.Labels, t.Annotations, v1beta1.LabelClusterTask), nil
	}
	t, err := tasks.Task(tr.Namespace, ref.Name)
	if err != nil {
		return Task{}, err
	}
	return taken(t.Name, &t.Spec, t.Labels, t.Annotations, v1beta1.LabelTask), nil
}

// taken is a Task of the cluster, which leaves its name on the TaskRun as a label.
func taken(name string, spec *v1beta1.TaskSpec, labels, annotations map[string]string, nameLabel string) Task {
	all := map[string]string{}
	maps.Copy(all, labels)
	all[nameLabel] = name
	return Task{Name: name, Spec: spec.DeepCopy(), Labels: all, Annotations: maps.Clone(annotations)}
}
