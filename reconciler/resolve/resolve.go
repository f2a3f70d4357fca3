// Package resolve finds the Task that a run asks for: the one that it embeds, or a Task or ClusterTask of the cluster.
//
// Tasks in bundles and Tasks that a resolver would find are not supported; asking for one fails, saying so.
//
// What is found is a copy that the caller owns, with its name and what it passes on to the run. Whether to ask at all
// (a run that has begun keeps the Task it began with) is the caller's decision.
package resolve

import (
	"errors"
	"fmt"
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Tasks is the cluster's store of Tasks. Its errors are those of the API; a Task that does not exist is a NotFound.
type Tasks interface {
	Task(namespace, name string) (*v1beta1.Task, error)
	ClusterTask(name string) (*v1beta1.ClusterTask, error)
}

// Store is a Tasks over a function that reads an object of the cluster.
type Store func(key client.ObjectKey, into client.Object) error

// Task implements Tasks.
func (s Store) Task(namespace, name string) (*v1beta1.Task, error) {
	task := &v1beta1.Task{}
	return task, s(client.ObjectKey{Namespace: namespace, Name: name}, task)
}

// ClusterTask implements Tasks.
func (s Store) ClusterTask(name string) (*v1beta1.ClusterTask, error) {
	task := &v1beta1.ClusterTask{}
	return task, s(client.ObjectKey{Name: name}, task)
}

// Task is what a run asks for.
type Task struct {
	// Name is that of the Task. It is empty for an embedded one.
	Name string
	Spec *v1beta1.TaskSpec
	// Labels and Annotations are what the run takes over.
	Labels, Annotations map[string]string
}

// Reasons why a Task cannot be had although the cluster works.
var (
	ErrBundle   = errors.New("bundles are not supported: apply the Task to the cluster and refer to it by its name")
	ErrResolver = errors.New("remote resolution is not supported: apply the Task to the cluster and refer to it by its name")
	ErrNothing  = errors.New("the TaskRun names no Task and embeds none")
)

// Unsupported reports whether an error is one of these, and not the cluster's.
func Unsupported(err error) bool {
	return errors.Is(err, ErrBundle) || errors.Is(err, ErrResolver) || errors.Is(err, ErrNothing)
}

// Find returns the Task that a reference, which may be nil, names in a namespace, or else the embedded one, which may be nil, too.
func Find(tasks Tasks, namespace string, ref *v1beta1.TaskRef, embedded *v1beta1.TaskSpec) (Task, error) {
	switch {
	case ref != nil && ref.IsRemote():
		return Task{}, fmt.Errorf("resolver %q: %w", ref.Resolver, ErrResolver)
	case ref != nil && ref.Bundle != "":
		return Task{}, fmt.Errorf("bundle %q: %w", ref.Bundle, ErrBundle)
	case ref != nil && ref.Name != "":
		return referenced(tasks, namespace, ref)
	case embedded != nil:
		return Task{Spec: embedded.DeepCopy()}, nil
	default:
		return Task{}, ErrNothing
	}
}

func referenced(tasks Tasks, namespace string, ref *v1beta1.TaskRef) (Task, error) {
	if ref.Kind == v1beta1.ClusterTaskKind {
		t, err := tasks.ClusterTask(ref.Name)
		if err != nil {
			return Task{}, err
		}
		return taken(t.Name, &t.Spec, t.Labels, t.Annotations, v1beta1.LabelClusterTask), nil
	}
	t, err := tasks.Task(namespace, ref.Name)
	if err != nil {
		return Task{}, err
	}
	return taken(t.Name, &t.Spec, t.Labels, t.Annotations, v1beta1.LabelTask), nil
}

// taken is a Task of the cluster, which leaves its name on the run as a label.
func taken(name string, spec *v1beta1.TaskSpec, labels, annotations map[string]string, nameLabel string) Task {
	all := map[string]string{}
	maps.Copy(all, labels)
	all[nameLabel] = name
	return Task{Name: name, Spec: spec.DeepCopy(), Labels: all, Annotations: maps.Clone(annotations)}
}
