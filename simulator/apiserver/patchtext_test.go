package apiserver

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestTextPatchesAreJSONPatches compares the short way with the general one, and looks at what is left to the general one.
func TestTextPatchesAreJSONPatches(t *testing.T) {
	t.Parallel()
	old := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "p"},
		Spec: corev1.PodSpec{
			Hostname:        "h",
			SecurityContext: &corev1.PodSecurityContext{SELinuxOptions: &corev1.SELinuxOptions{User: "u"}},
			NodeSelector:    map[string]string{"a": "b"},
			Containers:      []corev1.Container{{Name: "one", Image: "a"}, {Name: "two", Image: "b", Command: []string{"x", "y"}}},
		},
	}
	want := old.DeepCopy()
	known, err := NewTypes(nil).of(corev1.SchemeGroupVersion.WithKind("Pod"), true)
	if err != nil {
		t.Fatal(err)
	}
	r := &resource{shape: newTypedShape(known.layout)}
	for _, tt := range []struct {
		reason, patch string
		short         bool
	}{
		{"the image of a container", `[{"op":"replace","path":"/spec/containers/1/image","value":"nop"}]`, true},
		{"on a condition", `[{"op":"test","path":"/spec/containers/1/name","value":"two"},{"op":"replace","path":"/spec/containers/1/image","value":"nop"}]`, true},
		{"two of a list", `[{"op":"replace","path":"/spec/containers/0/image","value":"x"},{"op":"replace","path":"/spec/containers/1/command/1","value":"z"}]`, true},
		{"behind pointers", `[{"op":"replace","path":"/spec/securityContext/seLinuxOptions/user","value":"v"}]`, true},
		{"what was replaced is tested", `[{"op":"replace","path":"/spec/hostname","value":"i"},{"op":"test","path":"/spec/hostname","value":"i"}]`, true},
		{"a condition that does not hold", `[{"op":"test","path":"/spec/containers/1/name","value":"three"}]`, false},
		{"a text that is not there", `[{"op":"replace","path":"/spec/nodeName","value":"n"}]`, false},
		{"a field that does not exist", `[{"op":"replace","path":"/spec/none","value":"n"}]`, false},
		{"an item that does not exist", `[{"op":"replace","path":"/spec/containers/2/image","value":"n"}]`, false},
		{"a number in another spelling", `[{"op":"replace","path":"/spec/containers/01/image","value":"n"}]`, false},
		{"an entry of a map", `[{"op":"replace","path":"/spec/nodeSelector/a","value":"n"}]`, false},
		{"a text that is emptied", `[{"op":"replace","path":"/spec/hostname","value":""}]`, false},
		{"a value that is not a text", `[{"op":"replace","path":"/spec/hostname","value":1}]`, false},
		{"another operation", `[{"op":"add","path":"/spec/hostname","value":"x"}]`, false},
		{"metadata", `[{"op":"replace","path":"/metadata/name","value":"x"}]`, false},
		{"a list", `[{"op":"replace","path":"/spec/containers","value":"x"}]`, false},
	} {
		p := textsOf(types.JSONPatchType, []byte(tt.patch))
		var got any
		ok := false
		if p != nil {
			var obj any
			obj, _, ok = p.apply(r, old)
			got = obj
		}
		if d := cmp.Diff(want, old); d != "" {
			t.Fatalf("%s: the stored object was changed (-was +is):\n%s", tt.reason, d)
		}
		if ok != tt.short {
			t.Errorf("%s: taken the short way: %t", tt.reason, ok)
		}
		if !ok {
			continue
		}
		doc, err := json.Marshal(old)
		if err != nil {
			t.Fatal(err)
		}
		general, err := jsonpatch.DecodePatch([]byte(tt.patch))
		if err != nil {
			t.Fatal(err)
		}
		if doc, err = general.Apply(doc); err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{}
		if err := json.Unmarshal(doc, pod); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(any(pod), got); d != "" || reflect.DeepEqual(got, any(old)) {
			t.Errorf("%s (-general +short):\n%s", tt.reason, d)
		}
	}
}
