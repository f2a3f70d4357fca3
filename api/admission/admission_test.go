package admission_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// recordings is what the reference v0.43.0 answered on a real cluster.
const recordings = "../../conformance/testdata/recordings"

// TestRecordedAnswers gives the recorded manifests to admission and compares the answers word for word.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	total := 0
	for _, folder := range []string{"v0.43.0", "v0.43.0-alpha"} {
		flags := map[string]string{}
		if folder == "v0.43.0-alpha" {
			flags[config.KeyEnableAPIFields] = config.AlphaAPIFields
		}
		cfg, err := config.Parse(nil, flags)
		if err != nil {
			t.Fatal(err)
		}
		inputs, err := filepath.Glob(filepath.Join(recordings, "inputs", "*.yaml"))
		if err != nil || len(inputs) == 0 {
			t.Fatalf("no recorded inputs: %v", err)
		}
		for _, input := range inputs {
			name := strings.TrimSuffix(filepath.Base(input), ".yaml")
			want := recordedAnswers(t, filepath.Join(recordings, folder, name, "admission.txt"))
			if want == nil {
				continue
			}
			for _, doc := range documents(t, input) {
				obj, key := decodeKind(t, doc)
				answer, recorded := want[key]
				if obj == nil || !recorded {
					continue
				}
				total++
				t.Run(folder+"/"+name+"/"+key, func(t *testing.T) {
					t.Parallel()
					got := admit(doc, obj, cfg)
					if strings.Contains(answer, " is invalid: metadata.name") {
						return // the API server's own check comes first
					}
					if diff := cmp.Diff(answer, got); diff != "" {
						t.Errorf("answer (-recorded +ours):\n%s", diff)
					}
				})
			}
		}
	}
	if total < 80 {
		t.Errorf("only %d recorded answers were compared", total)
	}
}

func admit(doc []byte, obj runtime.Object, cfg *config.Config) string {
	var tree any
	if err := yaml.Unmarshal(doc, &tree); err != nil {
		return err.Error()
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return err.Error()
	}
	if err := admission.DecodeInto(raw, obj); err != nil {
		return err.Error()
	}
	if err := admission.Admit(obj, nil, cfg); err != nil {
		return err.Error()
	}
	return ""
}

func documents(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(data, []byte("\n---\n"))
}

func decodeKind(t *testing.T, doc []byte) (runtime.Object, string) {
	t.Helper()
	var meta struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
	}
	if err := yaml.Unmarshal(doc, &meta); err != nil {
		t.Fatal(err)
	}
	key := meta.Kind + "/" + meta.Metadata.Name
	if meta.APIVersion != v1beta1.GroupVersion.String() {
		return nil, key
	}
	switch meta.Kind {
	case v1beta1.KindTaskRun:
		return &v1beta1.TaskRun{}, key
	case v1beta1.KindTask:
		return &v1beta1.Task{}, key
	}
	return nil, key
}

var recordedLine = regexp.MustCompile(`^(\S+/\S+) \((\S+)\): HTTP (\d+)`)

// recordedAnswers maps kind/name to the refusal, or to nothing for what was accepted.
func recordedAnswers(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	current := ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if m := recordedLine.FindStringSubmatch(line); m != nil {
			current = m[1]
			out[current] = ""
			continue
		}
		if text, ok := strings.CutPrefix(line, "    "); ok && current != "" {
			if out[current] != "" {
				out[current] += "\n"
			}
			out[current] += text
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", path, err))
	}
	return out
}
