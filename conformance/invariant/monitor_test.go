package invariant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
)

// scene is a cluster that shows a monitor what it is told to.
type scene struct {
	now     time.Time
	monitor *invariant.Monitor
	found   []string
	backed  map[string][]string
}

func newScene() *scene {
	s := &scene{now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), backed: map[string][]string{}}
	s.monitor = invariant.NewMonitor(invariant.Options{Now: func() time.Time { return s.now }, Found: func(v invariant.Violation) {
		s.found = append(s.found, v.String())
		s.backed[v.Rule] = v.Backing
	}})
	return s
}

func (s *scene) after(d time.Duration) { s.now = s.now.Add(d) }

// shows shows an object that owner, if any, controls.
func (s *scene) shows(event watch.EventType, kind, name string, owner *unstructured.Unstructured, content map[string]any) *unstructured.Unstructured {
	version := map[string]string{"Pod": "v1", "Run": "tekton.dev/v1alpha1"}[kind]
	if version == "" {
		version = "tekton.dev/v1beta1"
	}
	metadata := map[string]any{"name": name, "uid": kind + "-" + name}
	if owner != nil {
		metadata["ownerReferences"] = []any{map[string]any{
			"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(), "name": owner.GetName(), "uid": string(owner.GetUID()), "controller": true,
		}}
	}
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata}}
	for key, value := range content {
		o.Object[key] = value
	}
	s.monitor.Saw(event, o)
	return o
}

func status(succeeded, reason string, more ...any) map[string]any {
	m := map[string]any{"conditions": []any{map[string]any{"type": "Succeeded", "status": succeeded, "reason": reason}}}
	if succeeded != "Unknown" {
		m["completionTime"] = "2000-01-01T00:10:00Z"
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return map[string]any{"spec": map[string]any{}, "status": m}
}

func TestChildrenMustEndBeforeTheirRun(t *testing.T) {
	t.Parallel()
	pod := map[string]any{"status": map[string]any{"phase": "Running"}}
	for _, tt := range []struct {
		reason string
		play   func(s *scene)
		want   []string
	}{
		{"its TaskRun is not over", func(s *scene) {
			pr := s.shows(watch.Added, "PipelineRun", "p", nil, status("Unknown", "Running"))
			s.shows(watch.Added, "TaskRun", "t", pr, status("Unknown", "Running"))
			s.shows(watch.Modified, "PipelineRun", "p", nil, status("False", "Failed"))
		}, []string{"nothing-runs: pipelinerun/p: it has been over for 3m0s, but its taskrun/t is not", `parent-last: pipelinerun/p: it is over with False/Failed "" since , but its taskrun/t is not`}},
		{"its custom run is not over", func(s *scene) {
			pr := s.shows(watch.Added, "PipelineRun", "p", nil, status("Unknown", "Running"))
			s.shows(watch.Added, "Run", "r", pr, status("Unknown", "Running"))
			s.shows(watch.Modified, "PipelineRun", "p", nil, status("True", "Succeeded"))
		}, []string{"nothing-runs: pipelinerun/p: it has been over for 3m0s, but its run/r is not", `parent-last: pipelinerun/p: it is over with True/Succeeded "" since , but its run/r is not`}},
		{"two levels down, under a TaskRun that is gone", func(s *scene) {
			pr := s.shows(watch.Added, "PipelineRun", "p", nil, status("Unknown", "Running"))
			tr := s.shows(watch.Added, "TaskRun", "t", pr, status("Unknown", "Running"))
			s.shows(watch.Added, "Pod", "t-pod", tr, pod)
			s.shows(watch.Deleted, "TaskRun", "t", pr, status("Unknown", "Running"))
			s.shows(watch.Modified, "PipelineRun", "p", nil, status("True", "Succeeded"))
		}, []string{"nothing-runs: pipelinerun/p: it has been over for 3m0s, but the Pod t-pod of its taskrun/t, which is gone, still is Running"}},
		{"the Pod of a TaskRun that is over is the TaskRun's fault", func(s *scene) {
			pr := s.shows(watch.Added, "PipelineRun", "p", nil, status("Unknown", "Running"))
			tr := s.shows(watch.Added, "TaskRun", "t", pr, status("Unknown", "Running"))
			s.shows(watch.Added, "Pod", "t-pod", tr, pod)
			s.shows(watch.Modified, "TaskRun", "t", pr, status("False", "Failed"))
			s.shows(watch.Modified, "PipelineRun", "p", nil, status("False", "Failed"))
		}, []string{"nothing-runs: taskrun/t: it has been over for 3m0s, but its Pod t-pod still is Running"}},
		{"all is over", func(s *scene) {
			pr := s.shows(watch.Added, "PipelineRun", "p", nil, status("Unknown", "Running"))
			tr := s.shows(watch.Added, "TaskRun", "t", pr, status("Unknown", "Running"))
			s.shows(watch.Added, "Pod", "t-pod", tr, pod)
			s.shows(watch.Modified, "Pod", "t-pod", tr, map[string]any{"status": map[string]any{"phase": "Succeeded"}})
			s.shows(watch.Modified, "TaskRun", "t", pr, status("True", "Succeeded"))
			s.shows(watch.Modified, "PipelineRun", "p", nil, status("True", "Succeeded"))
		}, nil},
	} {
		s := newScene()
		tt.play(s)
		s.after(3 * time.Minute)
		s.monitor.Finish()
		if diff := cmp.Diff(tt.want, s.found); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}

// TestRulesOfAnyRun breaks, for each kind of run, what holds of any run.
func TestRulesOfAnyRun(t *testing.T) {
	t.Parallel()
	for _, k := range fixture.Kinds() {
		if k.Run == nil {
			continue
		}
		s := newScene()
		s.shows(watch.Added, k.Kind, "x", nil, status("Unknown", "Running"))
		s.after(time.Minute)
		s.shows(watch.Modified, k.Kind, "x", nil, status("False", k.Run.TimedOut[0], "startTime", "2000-01-01T00:00:00Z"))
		s.shows(watch.Modified, k.Kind, "x", nil, status("False", k.Run.Cancelled[0], "retriesStatus", []any{map[string]any{}}))
		unfinished := status("True", "Succeeded")
		delete(unfinished["status"].(map[string]any), "completionTime")
		s.shows(watch.Added, k.Kind, "y", nil, unfinished)
		s.shows(watch.Added, k.Kind, "late", nil, status("False", k.Run.TimedOut[0], "startTime", "2000-01-01T00:00:00Z"))
		s.shows(watch.Added, k.Kind, "never", nil, status("Unknown", "Running"))
		s.after(2 * time.Hour)
		s.shows(watch.Modified, k.Kind, "x", nil, status("False", k.Run.Cancelled[0], "retriesStatus", []any{map[string]any{}}))
		s.monitor.Finish()
		var rules []string
		for rule := range s.backed {
			rules = append(rules, rule)
		}
		slices.Sort(rules)
		want := []string{invariant.CompletionTime, invariant.Final, invariant.NoStorm, invariant.Progress, invariant.RetriesBounded, invariant.RightState}
		if diff := cmp.Diff(want, rules); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%q", k.Name, diff, s.found)
		}
		if k.Name == "taskrun" && len(s.backed[invariant.Progress]) == 0 {
			t.Error("no statement backs what must come of a TaskRun")
		}
	}
}
