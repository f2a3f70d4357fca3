package v1beta1_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/kinds"
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
			if diff := cmp.Diff(tree(t, want), tree(t, got), emptyTimes); diff != "" {
				t.Errorf("%s: %s (-recorded +ours):\n%s", file, meta.Kind, diff)
			}
		}
	}
	for kind, least := range map[string]int{"TaskRun": 80, "Task": 10, "PipelineRun": 60, "Pipeline": 5, "Run": 5, "CustomRun": 3} {
		if count[kind] < least {
			t.Errorf("only %d of kind %s were compared", count[kind], kind)
		}
	}
}

// emptyTimes are the empty creationTimestamps of templates of claims, which newer types of Kubernetes leave out.
var emptyTimes = cmp.FilterPath(func(p cmp.Path) bool {
	return strings.HasSuffix(p.GoString(), `["volumeClaimTemplate"].(map[string]any)["metadata"].(map[string]any)["creationTimestamp"]`)
}, cmp.Ignore())

func newRecorded(apiVersion, kind string) runtime.Object {
	group, version, _ := strings.Cut(apiVersion, "/")
	if group != v1beta1.Group {
		return nil
	}
	return kinds.API().New(version, kind)
}

func tree(t *testing.T, raw []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
