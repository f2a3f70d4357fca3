// Package resolve finds the Task that a run asks for: the one that it embeds, or a Task or ClusterTask of the cluster.
//
// Tasks of bundles and of resolvers are fetched by package remote, and then taken by [Fetched].
//
// What is found is a copy that the caller owns, with its name and what it passes on to the run. Whether to ask at all
// (a run that has begun keeps the Task it began with) is the caller's decision.
package resolve

import (
	"errors"
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

// ErrNothing says why there is no Task although the cluster works.
var ErrNothing = errors.New("the TaskRun names no Task and embeds none")

// Find returns the Task that a reference, which may be nil, names in a namespace, or else the embedded one, which may be nil, too.
func Find(tasks Tasks, namespace string, ref *v1beta1.TaskRef, embedded *v1beta1.TaskSpec) (Task, error) {
	switch {
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

// Fetched is a Task that was fetched for a reference. It leaves its name on the run as one of the cluster does.
func Fetched(task *v1beta1.Task, ref *v1beta1.TaskRef) Task {
	label := v1beta1.LabelTask
	if ref.Kind == v1beta1.ClusterTaskKind {
		label = v1beta1.LabelClusterTask
	}
	return taken(task.Name, &task.Spec, task.Labels, task.Annotations, label)
}

// taken is a Task of the cluster, which leaves its name on the run as a label.
func taken(name string, spec *v1beta1.TaskSpec, labels, annotations map[string]string, nameLabel string) Task {
	all := map[string]string{}
	maps.Copy(all, labels)
	if name != "" {
		all[nameLabel] = name
	}
	return Task{Name: name, Spec: spec.DeepCopy(), Labels: all, Annotations: maps.Clone(annotations)}
}
