package simulation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/simulation"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

var update = flag.Bool("update", false, "write the published schema")

func TestSchemaIsPublished(t *testing.T) {
	t.Parallel()
	const file = "simulation.schema.json"
	schema, err := simulation.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, schema, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(schema)); d != "" {
		t.Errorf("the schema is stale; run go test ./cmd/plumbline/simulation -update (-published +types):\n%s", d)
	}
}

const manifests = `
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: work, namespace: default}
spec:
  taskSpec:
    results: [{name: never}]
    steps:
    - {name: say, image: busybox, script: "printf 'a\\nb \\033[31m'"}
    - {image: "registry.example.com/x:1", script: "make all"}
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: idle, namespace: default}
spec:
  taskSpec:
    results: [{name: never}]
    steps: [{name: s, image: busybox, script: "true"}]
`

// TestSimulateOutputMatchesItsSchema decodes the last item strictly: it has all fields of the schema and no others.
func TestSimulateOutputMatchesItsSchema(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "yaml"} {
		var out, errs bytes.Buffer
		code := command.Main(t.Context(), []string{"simulate", "-f", "-", "-q", "-o", format}, command.Streams{In: strings.NewReader(manifests), Out: &out, Err: &errs})
		if code != 1 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		docs, problems := source.Parse("list", out.Bytes())
		if problems != nil {
			t.Fatal(problems)
		}
		var list struct {
			Items []json.RawMessage
		}
		value, problems := docs[0].Value(docs[0].Root)
		data, err := json.Marshal(value)
		if err != nil || problems != nil {
			t.Fatal(err, problems)
		}
		if err := json.Unmarshal(data, &list); err != nil || len(list.Items) != 3 {
			t.Fatalf("%d items: %v", len(list.Items), err)
		}
		docs, problems = source.Parse("item", list.Items[2])
		if problems != nil {
			t.Fatal(problems)
		}
		var got simulation.Simulation
		d := &source.Decoder{Doc: docs[0], Errs: &problems}
		if d.Decode(docs[0].Root, &got, ""); len(problems) > 0 {
			t.Fatalf("-o %s: %v", format, problems)
		}
		want := simulation.Simulation{APIVersion: "plumbline.dev/v1alpha1", Kind: "Simulation", Status: simulation.Status{
			Notes: []simulation.Note{
				{Run: "work", Step: "unnamed-1", At: "<stdin>:10:51", Text: "make all is not in the image registry.example.com/x:1 (line 3 of /tekton/scripts/script-1-xzltw in the log)"},
				{Run: "idle", At: "<stdin>:17:15", Text: `the result "never" is declared, but no step wrote it`},
			},
			Runs: []simulation.Run{
				{Kind: "TaskRun", Namespace: "default", Name: "work", Outcome: got.Status.Runs[0].Outcome, Steps: []simulation.Step{
					{Name: "say", Log: "a\nb \x1b[31m"},
					{Name: "unnamed-1", Log: "/tekton/scripts/script-1-xzltw: line 3: make: not found\n"},
				}},
				{Kind: "TaskRun", Namespace: "default", Name: "idle", Outcome: "All Steps have completed executing", Steps: []simulation.Step{{Name: "s"}}},
			},
			Missing: []simulation.Command{{Namespace: "default", Pod: "work-pod", Container: "step-unnamed-1", Image: "registry.example.com/x:1", Command: []string{"make", "all"}}},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-o %s (-want +got):\n%s", format, diff)
		}
	}
}
