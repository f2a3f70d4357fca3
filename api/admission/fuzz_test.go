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
		`{"apiVersion":"tekton.dev/v1beta1","kind":"Pipeline","metadata":{"name":"p"},"spec":{"resources":[{"name":"r","type":"git"}],"params":[{"name":"p","default":["x"]}],"tasks":[{"name":"a","taskRef":{"name":"t","bundle":"b"},"resources":{"inputs":[{"name":"i","resource":"r","from":["b"]}]},"matrix":{"params":[{"name":"m","value":["x"]}]}}],"finally":[{"name":"f","taskSpec":{"apiVersion":"a/v1","kind":"K","spec":{"x":[1]}},"when":[{"input":"$(tasks.status)","operator":"in","values":["x"]}]}],"results":[{"name":"r","value":"$(tasks.a.results.r)"}]}}`,
		`{"apiVersion":"tekton.dev/v1beta1","kind":"PipelineRun","metadata":{"name":"r"},"spec":{"pipelineRef":{"name":"p","bundle":"b"},"timeout":"1h","resources":[{"name":"r"}],"taskRunSpecs":[{"taskServiceAccountName":"s","stepOverrides":[{"name":"s"}]}]},"status":{"taskRuns":{"r-a":{"pipelineTaskName":"a","status":{"podName":"p"}},"n":null},"runs":{"r-b":{"status":{"extraFields":{"x":1}}}},"skippedTasks":[{"name":"c","reason":"x"}],"pipelineSpec":{"tasks":[{"name":"a"}]}}}`,
		`{"apiVersion":"tekton.dev/v1","kind":"PipelineRun","metadata":{"annotations":{"tekton.dev/v1beta1TaskRuns":"{}","tekton.dev/v1beta1Runs":"{\"a\":{}}","tekton.dev/v1beta1TaskResources":"[{\"index\":-1},{\"index\":0,\"finally\":true,\"declared\":{}}]","tekton.dev/v1beta1ChildReferences":"true"}},"spec":{"taskRunTemplate":{"podTemplate":{}},"pipelineSpec":{"finally":[{"taskSpec":{}}]}},"status":{"childReferences":[{"kind":"Run","name":"a"}]}}`,
		`{"apiVersion":"tekton.dev/v1beta1","kind":"PipelineRun","status":{"taskRuns":{},"runs":{}}}`,
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
		oneTimeout(a)
		oneTimeout(b)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("by way of v1 it became another (-before +after):\n%s", diff)
		}
	})
}

// oneTimeout moves the deprecated timeout of a PipelineRun, which v1 does not have, to where it has it.
func oneTimeout(tree any) {
	o, _ := tree.(map[string]any)
	spec, _ := o["spec"].(map[string]any)
	timeout, has := spec["timeout"]
	if o["kind"] != "PipelineRun" || !has {
		return
	}
	delete(spec, "timeout")
	timeouts, _ := spec["timeouts"].(map[string]any)
	if timeouts == nil {
		timeouts = map[string]any{}
		spec["timeouts"] = timeouts
	}
	timeouts["pipeline"] = timeout
}

// FuzzReview: whatever is sent, admission answers; and what it admits once, it admits again and leaves as it is.
func FuzzReview(f *testing.F) {
	for _, seed := range []string{
		`{"metadata":{"name":"r"},"spec":{"taskSpec":{"params":[{"name":"p","type":"object"}],"steps":[{"image":"i","script":"$(params.p.k.x) $(params[\"p\"][*])","timeout":"-1s"}]},"params":[{"name":"P","value":{"a":"b"}}]}}`,
		`{"metadata":{"name":"r"},"spec":{"taskRef":{"resolver":"git","params":[{"name":"a","value":"b"}]},"workspaces":[{"name":"w","csi":{"driver":"d"}}],"stepSpecs":[{"name":"s"}]}}`,
		`{"metadata":{"name":"t"},"spec":{"steps":[{"image":"i","volumeMounts":[{"name":"v","mountPath":"/tekton/../x"}]}],"results":[{"name":"r","type":"array"}]}}`,
		`{"metadata":{"name":"p"},"spec":{"params":[{"name":"l","type":"array"},{"name":"o","properties":{"k":{}}}],"workspaces":[{"name":"w"}],"tasks":[{"name":"a","taskRef":{"name":"t"},"params":[{"name":"p","value":["$(params.l[*])","$(params.o.k)"]}],"workspaces":[{"name":"w"}]},{"name":"b","taskRef":{"apiVersion":"a/v1","kind":"K"},"runAfter":["a"],"when":[{"input":"$(tasks.a.results.r)","operator":"in","values":["x"]}],"matrix":{"params":[{"name":"m","value":["x"]}]}}],"finally":[{"name":"f","taskSpec":{"steps":[{"image":"i"}]},"params":[{"name":"p","value":"$(tasks.a.status) $(tasks.b.results.r[0])"}]}],"results":[{"name":"r","value":"$(tasks.a.results.r)-$(finally.f.results.s.k)"}]}}`,
		`{"metadata":{"name":"r"},"spec":{"pipelineSpec":{"tasks":[{"name":"a","taskSpec":{"params":[{"name":"p"}],"steps":[{"image":"i","script":"$(params.p) $(params.q)"}]}}]},"params":[{"name":"q","value":"x"}],"timeouts":{"pipeline":"1h","tasks":"30m","finally":"30m"},"workspaces":[{"name":"w","emptyDir":{}}],"status":"PipelineRunPending"}}`,
		`{"metadata":{"name":"r"},"spec":{"pipelineRef":{"resolver":"git","params":[{"name":"url","value":"x"}]},"taskRunSpecs":[{"pipelineTaskName":"a","computeResources":{"limits":{"cpu":"1"}}}]}}`,
		`{"metadata":{"name":"r"},"spec":{"ref":{"apiVersion":"a/v1","kind":"K","name":"n"},"timeout":"-1s","params":[{"name":"p","value":{"k":"v"}}]}}`,
		`{"metadata":{"name":"r"},"spec":{"customSpec":{"apiVersion":"a/v1","kind":"K","spec":{"x":[null]}},"status":"RunCancelled","statusMessage":"m"}}`,
	} {
		for _, kind := range []string{"TaskRun", "Task", "ClusterTask", "Pipeline", "PipelineRun", "Run", "CustomRun"} {
			f.Add(kind, true, []byte(seed))
			f.Add(kind, false, []byte(seed))
		}
	}
	alpha, err := config.Parse(nil, map[string]string{config.KeyEnableAPIFields: config.AlphaAPIFields, config.KeyEmbeddedStatus: "minimal"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind string, v1 bool, raw []byte) {
		review := admission.Review{Version: "v1beta1", Kind: kind, Operation: admission.Create, Object: raw}
		switch {
		case v1:
			review.Version = "v1"
		case kind == "Run":
			review.Version = "v1alpha1"
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
