package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// contradicted are the fixtures above level reference that Tekton's own answers do not meet, by version, and the decision
// behind each. A row that explains nothing fails the test.
var contradicted = map[string]string{}

const (
	recordedInputs = "testdata/recordings/inputs"
	// leastCompared is how many fixtures have the manifest of a recording, at least.
	leastCompared = 14
)

// Tekton's own answers, recorded on a real cluster, meet every fixture that binds other implementations and has the same
// TaskRun.
func TestTektonsAnswersMeetTheFixtures(t *testing.T) {
	t.Parallel()
	inputs := map[string][2]string{} // the recording and the name of its run, by what the run is
	files, err := filepath.Glob(recordedInputs + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d inputs, %v", len(files), err)
	}
	for _, file := range files {
		recording := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for _, o := range objects(t, file) {
			if key, ok := selfContained(o); ok {
				inputs[key] = [2]string{recording, nameOf(o)}
			}
		}
	}
	compared, used := 0, map[string]bool{}
	for _, f := range embedded(t) {
		if f.Spec.Level == fixture.Reference || len(f.Spec.When) > 0 || len(f.Spec.Config) > 0 || len(f.Spec.Faults) > 0 {
			continue
		}
		for _, m := range f.Manifests {
			key, ok := selfContained(m.Object)
			recorded := inputs[key]
			if !ok || recorded[0] == "" {
				continue
			}
			compared++
			for version, file := range map[string]string{
				"v0.43.0": filepath.Join("testdata/recordings/v0.43.0", recorded[0], "objects-final.yaml"),
				"v1.15.0": filepath.Join("testdata/answers/v1.15.0", recorded[0]+".yaml"),
			} {
				for _, answer := range objects(t, file) {
					if nameOf(answer) != recorded[1] {
						continue
					}
					if wrong := unmet(f, m, answer); wrong != "" {
						row := f.Name() + " " + version
						if used[row] = true; contradicted[row] == "" {
							t.Errorf("%s: %s of %s in %s says otherwise: %s", f.Name(), recorded[1], version, recorded[0], wrong)
						}
					}
				}
			}
		}
	}
	if compared < leastCompared {
		t.Errorf("%d fixtures have the TaskRun of a recording, want %d", compared, leastCompared)
	}
	for row := range contradicted {
		if !used[row] {
			t.Errorf("%s is said to be contradicted, and is not", row)
		}
	}
}

// unmet says which check of a fixture on a TaskRun an object does not meet.
func unmet(f *fixture.Fixture, m *fixture.Manifest, answer map[string]any) string {
	for i := range f.Spec.Then {
		e := f.Spec.Then[i].Eventually
		if e == nil || e.On == nil || e.On.Kind != "taskrun" || e.On.Name != m.Name || e.On.Version != "" {
			continue
		}
		if diff := e.Match.Match(answer); len(diff) > 0 {
			return diff[0].String()
		}
	}
	return ""
}

// selfContained returns what a TaskRun is, as JSON, if it needs no other object of its file: the image of the recordings is
// the fixtures' busybox.
func selfContained(o map[string]any) (string, bool) {
	spec, _ := o["spec"].(map[string]any)
	if o["kind"] != "TaskRun" || spec["workspaces"] != nil {
		return "", false
	}
	if ref, ok := spec["taskRef"].(map[string]any); ok && ref["name"] != "nosuch" {
		return "", false
	}
	text, err := json.Marshal(spec)
	return strings.ReplaceAll(string(text), "docker.io/local/busybox:1", "busybox"), err == nil
}

func nameOf(o map[string]any) string {
	meta, _ := o["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	return name
}

// objects reads the documents of a file as JSON values.
func objects(t *testing.T, file string) []map[string]any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var o map[string]any
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, o)
	}
}
