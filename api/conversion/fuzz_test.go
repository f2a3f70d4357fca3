package conversion_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Any client can write annotations: what they keep for v1beta1 is restored, or the error names the annotation. What could
// be restored comes back from another round.
func FuzzAnnotations(f *testing.F) {
	for _, seed := range []string{
		`{"inputs":[{"name":"repo"}]}`, `[]`, `null`, `{}`, `[{"attempt":0,"resourcesResult":[{"key":"k","value":"v"}]}]`,
		`[{"attempt":-1},{"attempt":9223372036854775807}]`, `[{"attempt":1,"resourcesResult":[]}]`, `{"inputs":5}`, ``, `{`, `"a"`, `[[[[[[]]]]]]`, `{"inputs":null,"inputs":[]}`,
	} {
		for key := range 4 {
			f.Add(key, seed)
		}
	}
	keys := []string{v1beta1.AnnotationV1beta1Resources, v1beta1.AnnotationV1beta1CloudEvents, v1beta1.AnnotationV1beta1ResourcesResult, v1beta1.AnnotationV1beta1RetriesStatus}
	f.Fuzz(func(t *testing.T, which int, text string) {
		key := keys[uint(which)%uint(len(keys))]
		in := &v1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "run", Annotations: map[string]string{key: text, "other": "stays"}}}
		in.Status.RetriesStatus = []v1.TaskRunStatus{{}}
		old, err := conversion.TaskRunFromV1(in)
		if err != nil {
			if !strings.Contains(err.Error(), key) {
				t.Fatalf("the error does not name %s: %v", key, err)
			}
			return
		}
		if old.Annotations["other"] != "stays" || in.Annotations[key] != text {
			t.Fatalf("annotations are lost: %v, %v", old.Annotations, in.Annotations)
		}
		back, err := conversion.TaskRunToV1(old)
		if err != nil {
			t.Fatal(err)
		}
		again, err := conversion.TaskRunFromV1(back)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(tree(t, old), tree(t, again)); diff != "" {
			t.Fatalf("another round changes it (-first +second):\n%s", diff)
		}
	})
}

// FuzzAnnotationsOfPipelineRuns is FuzzAnnotations for what PipelineRuns keep there: statuses of children, and PipelineResources by
// where they stand.
func FuzzAnnotationsOfPipelineRuns(f *testing.F) {
	keys := []string{
		v1beta1.AnnotationV1beta1Resources, v1beta1.AnnotationV1beta1TaskRuns, v1beta1.AnnotationV1beta1Runs, v1beta1.AnnotationV1beta1ChildReferences,
		v1beta1.AnnotationV1beta1PipelineResources, v1beta1.AnnotationV1beta1TaskResources,
	}
	for _, seed := range []string{
		`[{"name":"r"}]`, `[]`, `null`, `{}`, `true`, `{"c":{"pipelineTaskName":"a","status":{"podName":"p"}},"d":null}`, `{"c":{"status":{"extraFields":5}}}`,
		`[{"index":0,"bound":{}},{"index":-1},{"index":9223372036854775807},{"index":0,"finally":true,"declared":{"inputs":[{"name":"x"}]}}]`, ``, `{`, `"a"`, `[[[[]]]]`,
	} {
		for key := range keys {
			f.Add(key, seed)
		}
	}
	f.Fuzz(func(t *testing.T, which int, text string) {
		key := keys[uint(which)%uint(len(keys))]
		in := &v1.PipelineRun{ObjectMeta: metav1.ObjectMeta{Name: "run", Annotations: map[string]string{key: text, "other": "stays"}}}
		in.Spec.PipelineSpec = &v1.PipelineSpec{Tasks: []v1.PipelineTask{{Name: "a"}}, Finally: []v1.PipelineTask{{Name: "f", TaskSpec: &v1.EmbeddedTask{}}}}
		in.Status.ChildReferences = []v1.ChildStatusReference{{TypeMeta: metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "TaskRun"}, Name: "c", PipelineTaskName: "a"}}
		old, err := conversion.PipelineRunFromV1(in)
		if err != nil {
			if !strings.Contains(err.Error(), key) {
				t.Fatalf("the error does not name %s: %v", key, err)
			}
			return
		}
		if old.Annotations["other"] != "stays" || in.Annotations[key] != text {
			t.Fatalf("annotations are lost: %v, %v", old.Annotations, in.Annotations)
		}
		back, err := conversion.PipelineRunToV1(old)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in.Status.ChildReferences, back.Status.ChildReferences); diff != "" {
			t.Fatalf("the references to children changed (-before +after):\n%s", diff)
		}
		again, err := conversion.PipelineRunFromV1(back)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(tree(t, old), tree(t, again)); diff != "" {
			t.Fatalf("another round changes it (-first +second):\n%s", diff)
		}
	})
}
