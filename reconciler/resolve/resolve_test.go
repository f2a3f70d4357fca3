package resolve

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

var errNotFound = errors.New("not found")

// store has one Task and one ClusterTask, of the same name.
type store struct {
	task    *v1beta1.Task
	cluster *v1beta1.ClusterTask
}

func (s store) Task(namespace, name string) (*v1beta1.Task, error) {
	if namespace != s.task.Namespace || name != s.task.Name {
		return nil, errNotFound
	}
	return s.task, nil
}

func (s store) ClusterTask(name string) (*v1beta1.ClusterTask, error) {
	if name != s.cluster.Name {
		return nil, errNotFound
	}
	return s.cluster, nil
}

func TestFind(t *testing.T) {
	t.Parallel()
	tasks := store{
		task: &v1beta1.Task{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "t", Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"a": "2"}},
			Spec:       v1beta1.TaskSpec{Description: "local"},
		},
		cluster: &v1beta1.ClusterTask{ObjectMeta: metav1.ObjectMeta{Name: "t"}, Spec: v1beta1.TaskSpec{Description: "cluster"}},
	}
	for _, tt := range []struct {
		reason, spec string
		want         Task
		err          error
	}{
		{"an embedded Task has no name and nothing to pass on", "taskSpec: {description: embedded}",
			Task{Spec: &v1beta1.TaskSpec{Description: "embedded"}}, nil},
		{"a Task passes on what it has, and its name", "taskRef: {name: t}",
			Task{Name: "t", Spec: &v1beta1.TaskSpec{Description: "local"}, Labels: map[string]string{"l": "1", "tekton.dev/task": "t"}, Annotations: map[string]string{"a": "2"}}, nil},
		{"a ClusterTask has another label", "taskRef: {name: t, kind: ClusterTask}",
			Task{Name: "t", Spec: &v1beta1.TaskSpec{Description: "cluster"}, Labels: map[string]string{"tekton.dev/clusterTask": "t"}}, nil},
		{"a missing Task", "taskRef: {name: nosuch}", Task{}, errNotFound},
		{"a missing ClusterTask, though a Task exists", "taskRef: {name: t2, kind: ClusterTask}", Task{}, errNotFound},
		{"a reference to nothing does not hide the Task beside it", "{taskRef: {}, taskSpec: {description: embedded}}",
			Task{Spec: &v1beta1.TaskSpec{Description: "embedded"}}, nil},
		{"nothing", "{}", Task{}, ErrNothing},
	} {
		tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "run"}}
		if err := yaml.UnmarshalStrict([]byte(tt.spec), &tr.Spec); err != nil {
			t.Fatal(err)
		}
		got, err := Find(tasks, tr.Namespace, tr.Spec.TaskRef, tr.Spec.TaskSpec)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.reason, err, tt.err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}

// TestFindCopies: what is found may come from a cache that others read.
func TestFindCopies(t *testing.T) {
	t.Parallel()
	tasks := store{task: &v1beta1.Task{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "t", Labels: map[string]string{}},
		Spec:       v1beta1.TaskSpec{Steps: []v1beta1.Step{{Name: "a"}}},
	}}
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "ns"}, Spec: v1beta1.TaskRunSpec{TaskRef: &v1beta1.TaskRef{Name: "t"}}}
	got, err := Find(tasks, "ns", tr.Spec.TaskRef, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.Spec.Steps[0].Name = "changed"
	got.Labels["x"] = "y"
	if tasks.task.Spec.Steps[0].Name != "a" || len(tasks.task.Labels) != 0 {
		t.Errorf("the stored Task became %+v", tasks.task)
	}
}
