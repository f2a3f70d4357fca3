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
