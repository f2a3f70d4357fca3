package admission_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
)

// FuzzConversion: whatever is stored, conversion answers or refuses; and what v1 shows, v1beta1 holds and v1 shows again.
func FuzzConversion(f *testing.F) {
	const old, now = "tekton.dev/v1beta1", "tekton.dev/v1"
	for _, seed := range []string{
		`{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"name":"r","annotations":{"a":"b"}},"spec":{"resources":{"inputs":[{"name":"x"}]},"taskRef":{"name":"t","bundle":"b"},"params":[{"name":"p","value":[1,"x"]}],"timeout":"1h"},"status":{"podName":"p","taskResults":[{"name":"r","value":{"k":"v"}}],"retriesStatus":[{"podName":"q","cloudEvents":[{"target":"t"}]}]}}`,
		`{"apiVersion":"tekton.dev/v1beta1","kind":"Task","metadata":{"name":"t","deletionTimestamp":"2000-01-01T00:00:00Z"},"spec":{"params":[{"name":"o","properties":{"k":{}}}],"steps":[{"image":"i","resources":{"limits":{"cpu":"1"}}}]}}`,
		`{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"annotations":{"tekton.dev/v1beta1Resources":"{}","tekton.dev/v1beta1RetriesStatus":"[{\"attempt\":7}]"}},"spec":{"stepSpecs":[{"name":"s"}],"taskSpec":{"steps":[{}],"sidecars":[{}],"stepTemplate":{}}}}`,
		`{"apiVersion":"tekton.dev/v1","kind":"ClusterTask"}`, `{"apiVersion":"a/b/c"}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := admission.ConvertJSON(raw, now)
		if err != nil {
			return
		}
		back, err := admission.ConvertJSON(first, old)
		if err != nil {
			return // an annotation that is not JSON is the writer's mistake
		}
		second, err := admission.ConvertJSON(back, now)
		if err != nil {
			t.Fatalf("%s\nwas converted to\n%s\nwhich cannot be converted: %v", first, back, err)
		}
		third, err := admission.ConvertJSON(second, old)
		if err != nil {
			t.Fatalf("%s cannot be converted: %v", second, err)
		}
		var a, b any
		if json.Unmarshal(back, &a) != nil || json.Unmarshal(third, &b) != nil {
			t.Fatalf("not JSON: %s, %s", back, third)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("by way of v1 it became another (-before +after):\n%s", diff)
		}
	})
}

// FuzzReview: whatever is sent, admission answers; and what it admits once, it admits again and leaves as it is.
func FuzzReview(f *testing.F) {
	for _, seed := range []string{
		`{"metadata":{"name":"r"},"spec":{"taskSpec":{"params":[{"name":"p","type":"object"}],"steps":[{"image":"i","script":"$(params.p.k.x) $(params[\"p\"][*])","timeout":"-1s"}]},"params":[{"name":"P","value":{"a":"b"}}]}}`,
		`{"metadata":{"name":"r"},"spec":{"taskRef":{"resolver":"git","params":[{"name":"a","value":"b"}]},"workspaces":[{"name":"w","csi":{"driver":"d"}}],"stepSpecs":[{"name":"s"}]}}`,
		`{"metadata":{"name":"t"},"spec":{"steps":[{"image":"i","volumeMounts":[{"name":"v","mountPath":"/tekton/../x"}]}],"results":[{"name":"r","type":"array"}]}}`,
	} {
		for _, kind := range []string{"TaskRun", "Task", "ClusterTask"} {
			f.Add(kind, true, []byte(seed))
			f.Add(kind, false, []byte(seed))
		}
	}
	alpha, err := config.Parse(nil, map[string]string{config.KeyEnableAPIFields: config.AlphaAPIFields})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind string, v1 bool, raw []byte) {
		review := admission.Review{Version: "v1beta1", Kind: kind, Operation: admission.Create, Object: raw}
		if v1 {
			review.Version = "v1"
		}
		if kinds.API().New(review.Version, kind) == nil {
			return
		}
		for _, cfg := range []*config.Config{config.Default(), alpha} {
			out, err := review.Admit(cfg)
			if err != nil {
				continue
			}
			again := review
			again.Object = out
			same, err := again.Admit(cfg)
			if err != nil {
				t.Fatalf("%s\nwas admitted as\n%s\nwhich is refused: %v", raw, out, err)
			}
			if diff := cmp.Diff(string(out), string(same)); diff != "" {
				t.Errorf("admitted twice is not admitted once (-once +twice):\n%s", diff)
			}
		}
	})
}
