package v1beta1_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestRecordedObjectsSurvive reads every object that the reference v0.43.0 stored on a real cluster, with unknown fields
// refused, and writes it again: nothing may be lost, added or spelt otherwise.
func TestRecordedObjectsSurvive(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../conformance/testdata/recordings/v0.43.0*/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, file := range files {
		if name := filepath.Base(file); name != "admitted.yaml" && name != "objects-final.yaml" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range bytes.SplitSeq(data, []byte("\n---\n")) {
			var parsed any // by YAML 1.2, in which a plain y is a string
			if err := yaml.Unmarshal(document, &parsed); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			want, err := json.Marshal(parsed)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			var meta struct{ APIVersion, Kind string }
			if err := json.Unmarshal(want, &meta); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			obj := newRecorded(meta.APIVersion, meta.Kind)
			if obj == nil {
				continue
			}
			count[meta.Kind]++
			decoder := json.NewDecoder(bytes.NewReader(want))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(obj); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			got, err := json.Marshal(obj)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if diff := cmp.Diff(tree(t, want), tree(t, got)); diff != "" {
				t.Errorf("%s: %s (-recorded +ours):\n%s", file, meta.Kind, diff)
			}
		}
	}
	if count["TaskRun"] < 80 || count["Task"] < 10 {
		t.Errorf("only %v objects were compared", count)
	}
}

func newRecorded(apiVersion, kind string) runtime.Object {
	if apiVersion != v1beta1.GroupVersion.String() {
		return nil
	}
	switch kind {
	case v1beta1.KindTaskRun:
		return &v1beta1.TaskRun{}
	case v1beta1.KindTask:
		return &v1beta1.Task{}
	}
	return nil
}

func tree(t *testing.T, raw []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
