package recording

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, want string }{
		{"digests are of the machine", `exited (image: "docker.io/library/import-2026@sha256:` + strings.Repeat("ab", 32) + `")`, `exited (image: "IMAGE")`},
		{"the token's volume has a random name", "kube-api-access-pgq2q on /x", "kube-api-access-* on /x"},
		{"as recordings are written", "a" + strings.Repeat("x", 400) + "b", "a<<x x 400>>b"},
		{"short runs stay", strings.Repeat("x", 399), strings.Repeat("x", 399)},
	} {
		if got := normal(tt.in); got != tt.want {
			t.Errorf("%s: %q becomes %q, want %q", tt.reason, tt.in, got, tt.want)
		}
	}
}

func TestUnrandom(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, want string }{
		{"scripts", "/tekton/scripts/script-0-xjqrv", "/tekton/scripts/script-0-*"},
		{"scripts of sidecars", "sidecar-script-1-9kxlc", "sidecar-script-1-*"},
		{"workspaces", "ws-b4xk2", "ws-*"},
		{"names that only look alike", "news-b4xk2", "news-b4xk2"},
		{"within a script", "IyEvYmluL3NoCmVjaG8gdm9sPXdzLWI0eGsy", "#!/bin/sh\necho vol=ws-*"},
	} {
		if got := unrandom(tt.in); got != tt.want {
			t.Errorf("%s: %q becomes %q, want %q", tt.reason, tt.in, got, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	got := Compare(
		Facts{{"Pod/p", "end", "deleted"}, {"Pod/p", "containers", "step-a"}, {"TaskRun/r", "podName", "p"}},
		Facts{{"Pod/p", "end", "Succeeded"}, {"Pod/p", "containers", "step-a"}, {"TaskRun/r", "completionTime", "set"}},
	)
	want := []Difference{
		{"Pod/p", "end", "deleted", "Succeeded"},
		{"TaskRun/r", "podName", "p", ""},
		{"TaskRun/r", "completionTime", "", "set"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

// small is a recording in all its parts.
func small() fstest.MapFS {
	return fstest.MapFS{
		"inputs/01-x.yaml": {Data: []byte(`#lab: {"desc": "d", "actions": [{"when": "Running", "after": 1.5, "do": "patch"}]}
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: x}
spec: {retries: 1, params: [{name: y, value: n}]}
`)},
		"v/01-x/admission.txt": {Data: []byte("# namespace\nTask/t (tekton.dev/v1beta1): HTTP 400 reason=BadRequest\n    no: \n    again\nTaskRun/x (tekton.dev/v1beta1): HTTP 201\n")},
		"v/01-x/admitted.yaml": {Data: []byte("apiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: x}\nspec: {timeout: 1h0m0s}\n")},
		"v/01-x/actions.txt":   {Data: []byte("  5.238 {\"kind\": \"TaskRun\", \"name\": \"x\", \"when\": \"Running\", \"do\": \"patch\"}\n    -> HTTP 200 \n")},
		"v/01-x/objects-final.yaml": {Data: []byte(`kind: TaskRun
metadata: {name: x}
status:
  conditions: [{type: Succeeded, status: "True", reason: Succeeded, message: m}]
  podName: x-pod-retry1
  steps: [{name: a, container: step-a, terminated: {reason: Completed, exitCode: 0}}]
  taskResults: [{name: r, type: array, value: [y, "<"]}]
  retriesStatus: [{podName: x-pod, sidecars: [{name: s, container: sidecar-s, waiting: {reason: W}}]}]
`)},
		"v/01-x/pods-created.yaml": {Data: []byte(`metadata: {name: x-pod, uid: u1}
spec: {containers: [{name: sidecar-s, image: i, command: [c], args: [script-0-abcde], volumeMounts: [{name: ws-abcde, mountPath: /w, subPath: s, readOnly: true}]}]}
---
metadata: {name: x-pod, uid: u2, annotations: {tekton.dev/ready: READY}}
spec: {containers: [{name: step-a}]}
`)},
		"v/01-x/pods-final.yaml": {Data: []byte(`images: {sidecar-s: nop}
lastWatchEvent: DELETED
metadata: {uid: u1}
status: {phase: Failed}
`)},
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	list, err := List(small())
	if err != nil || len(list) != 1 {
		t.Fatalf("recordings %v, %v", list, err)
	}
	r := list[0]
	if r.Number() != "01" || r.Under != "v" || r.Driver.Actions[0].After != 1.5 || r.Driver.Description != "d" {
		t.Errorf("recording %+v", r)
	}
	wantSpec := map[string]any{"retries": int64(1), "params": []any{map[string]any{"name": "y", "value": "n"}}}
	if diff := cmp.Diff(wantSpec, r.Documents[0].Object["spec"]); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	got, err := r.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	want := Facts{
		{"Task/t", "admission", "HTTP 400 BadRequest\nno: \nagain"},
		{"TaskRun/x", "admission", "HTTP 201"},
		{"TaskRun/x", "spec", `{"timeout":"1h0m0s"}`},
		{"action/patch TaskRun x when x is Running", "answer", "HTTP 200"},
		{"TaskRun/x", "condition", "True Succeeded"},
		{"TaskRun/x", "message", "m"},
		{"TaskRun/x", "podName", "x-pod-retry1"},
		{"TaskRun/x", "step 0", "a in step-a: Completed, exit code 0"},
		{"TaskRun/x", "result r", `array ["y","<"]`},
		{"TaskRun/x", "retries", "1"},
		{"TaskRun/x", "attempt 0: podName", "x-pod"},
		{"TaskRun/x", "attempt 0: sidecar 0", "s in sidecar-s: waiting, W"},
		{"Pod/x-pod", "containers", "sidecar-s"},
		{"Pod/x-pod", "sidecar-s: argv", "c\n|\nscript-0-*"},
		{"Pod/x-pod", "sidecar-s: mounts", "ws-* on /w, path s, read-only"},
		{"Pod/x-pod", "end", "deleted"},
		{"Pod/x-pod", "sidecar-s: image", "exchanged"},
		{"Pod/x-pod#2", "ready annotation at creation", "READY"},
		{"Pod/x-pod#2", "containers", "step-a"},
		{"Pod/x-pod#2", "step-a: argv", "|"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, input, want string }{
		{"nothing is known of what was done", "kind: TaskRun\n", `does not begin with "#lab:"`},
		{"the actions cannot be read", "#lab: {\n", "its driver's line"},
		{"the manifest cannot be read", "#lab: {}\na: [\n", "yaml"},
	} {
		fsys := small()
		fsys["inputs/01-x.yaml"] = &fstest.MapFile{Data: []byte(tt.input)}
		if _, err := List(fsys); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "01-x") {
			t.Errorf("%s: error %v, want one with %q and the recording's name", tt.reason, err, tt.want)
		}
	}
	if _, err := List(os.DirFS("nowhere")); err == nil {
		t.Error("a missing folder is not an error")
	}
}
