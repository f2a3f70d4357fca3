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
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// recordings is what the reference v0.43.0 answered on a real cluster.
const recordings = "../../conformance/testdata/recordings"

// recordedUnder is the configuration that a recording was made under. Those of Pipelines, whose numbers have three digits, came later,
// with more flags where alpha features are on.
func recordedUnder(t *testing.T, folder, name string) *config.Config {
	t.Helper()
	flags := map[string]string{}
	if folder == "v0.43.0-alpha" {
		flags[config.KeyEnableAPIFields] = config.AlphaAPIFields
		if number, _, _ := strings.Cut(name, "-"); len(number) == len("101") {
			flags[config.KeyEmbeddedStatus], flags[config.KeyCustomTaskVersion] = "minimal", "v1beta1"
		}
	}
	cfg, err := config.Parse(nil, flags)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// otherAnswers are where we answer something else, and why.
func otherAnswers() map[string]string {
	return map[string]string{
		"153-run-life/Run/withnamespace": "a reference has a namespace, as the document on Runs says",
	}
}

// decided ignores the fields that we store differently: a Run's reference has a namespace, and a claim template no longer gets an empty
// creationTimestamp.
func decided() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		path := p.GoString()
		return strings.HasSuffix(path, `["ref"].(map[string]any)["namespace"]`) || strings.HasSuffix(path, `["volumeClaimTemplate"].(map[string]any)["metadata"].(map[string]any)["creationTimestamp"]`)
	}, cmp.Ignore())
}

// TestRecordedAnswers gives the recorded manifests to admission and compares the answers word for word.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob(filepath.Join(recordings, "inputs", "*.yaml"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no recorded inputs: %v", err)
	}
	for folder, least := range map[string]int{"v0.43.0": 190, "v0.43.0-alpha": 80} {
		total := 0
		for _, input := range inputs {
			name := strings.TrimSuffix(filepath.Base(input), ".yaml")
			want := recordedAnswers(t, filepath.Join(recordings, folder, name, "admission.txt"))
			if want == nil {
				continue
			}
			cfg := recordedUnder(t, folder, name)
			stored := storedObjects(t, filepath.Join(recordings, folder, name, "admitted.yaml"))
			for _, doc := range documents(t, input) {
				obj, key := decodeKind(t, doc)
				answer, was := want[key]
				if _, other := otherAnswers()[name+"/"+key]; obj == nil || !was || other {
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
						t.Fatalf("answer (-recorded +ours):\n%s", diff)
					}
					if was := stored[key]; got == "" && was != nil {
						if diff := cmp.Diff(was, ofWriter(t, obj), decided()); diff != "" {
							t.Errorf("stored (-recorded +ours):\n%s", diff)
						}
					}
				})
			}
		}
		if total < least {
			t.Errorf("%s: only %d recorded answers were compared", folder, total)
		}
	}
}

// ofWriter is what of an object its writer and admission say: its spec and labels.
func ofWriter(t *testing.T, object any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		Metadata struct{ Labels any }
		Spec     any
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"labels": o.Metadata.Labels, "spec": o.Spec}
}

// storedObjects are what the API answered to what it took, by kind/name.
func storedObjects(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return out
	}
	for _, doc := range documents(t, path) {
		var tree map[string]any
		if err := yaml.Unmarshal(doc, &tree); err != nil {
			t.Fatal(err)
		}
		meta, _ := tree["metadata"].(map[string]any)
		out[fmt.Sprintf("%s/%s", tree["kind"], meta["name"])] = ofWriter(t, tree)
	}
	return out
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
	group, version, _ := strings.Cut(meta.APIVersion, "/")
	if group != v1beta1.Group {
		return nil, key
	}
	return kinds.API().New(version, meta.Kind), key
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
