package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// end is what a file beside an example expects of it.
type end struct {
	// Source is where the example is printed.
	Source string `yaml:"source"`
	// Arguments go to simulate, besides -f.
	Arguments []string `yaml:"arguments"`
	Exit      int      `yaml:"exit"`
	Stderr    string   `yaml:"stderr"`
	// Runs are the ends of PipelineRuns, and Ends those of TaskRuns, in the order of the tree.
	Runs []struct {
		PipelineRun string            `yaml:"pipelinerun"`
		Status      string            `yaml:"status"`
		Reason      string            `yaml:"reason"`
		Message     string            `yaml:"message"` // part of it
		Results     map[string]string `yaml:"results"` // regular expressions, by name
		Skipped     map[string]string `yaml:"skipped"` // all of them: the reason, by task
	} `yaml:"runs"`
	Ends []struct {
		TaskRun string `yaml:"taskrun"` // a pattern: hello-*
		Status  string `yaml:"status"`
		Reason  string `yaml:"reason"`
		Message string `yaml:"message"` // part of it
		Took    string `yaml:"took"`
		// Logs are whole, by step; Results are regular expressions, by name.
		Logs      map[string]string `yaml:"logs"`
		Results   map[string]string `yaml:"results"`
		ExitCodes map[string]int    `yaml:"exitCodes"`
	} `yaml:"ends"`
}

type taskRun struct {
	Kind     string
	Metadata struct{ Name string }
	Status   struct {
		Conditions                            []struct{ Status, Reason, Message string }
		TaskResults, PipelineResults, Results []struct { // the last ones in v1
			Name  string
			Value any
		}
		SkippedTasks []struct{ Name, Reason string }
		Steps        []struct {
			Name       string
			Terminated struct{ ExitCode int }
		}
	}
}

// TestExamples runs every sample of the documents (docs/examples) and compares its end with the file beside it.
func TestExamples(t *testing.T) {
	t.Parallel()
	const folder = "../../../docs/examples"
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d examples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			want := readEnd(t, strings.TrimSuffix(file, ".yaml")+".end")
			table, stderr, code := simulate(append([]string{"-f", file}, want.Arguments...))
			if code != want.Exit || !strings.Contains(stderr, want.Stderr) {
				t.Fatalf("exit code %d, want %d; stderr %q, want %q in it\n%s", code, want.Exit, stderr, want.Stderr, table)
			}
			if len(want.Ends) == 0 && len(want.Runs) == 0 {
				return
			}
			list, _, _ := simulate(append([]string{"-f", file, "-o", "json"}, want.Arguments...))
			var got struct{ Items []taskRun }
			if err := json.Unmarshal([]byte(list), &got); err != nil {
				t.Fatalf("-o json: %v\n%s", err, list)
			}
			runs := slices.DeleteFunc(slices.Clone(got.Items), func(r taskRun) bool { return r.Kind != "PipelineRun" })
			if len(runs) != len(want.Runs) {
				t.Fatalf("%d PipelineRuns, want %d", len(runs), len(want.Runs))
			}
			for i, w := range want.Runs {
				g := runs[i]
				c := g.Status.Conditions[0]
				if g.Metadata.Name != w.PipelineRun || c.Status != w.Status || c.Reason != w.Reason || !strings.Contains(c.Message, w.Message) {
					t.Errorf("%s ended %s/%s %q, want %s %s/%s %q", g.Metadata.Name, c.Status, c.Reason, c.Message, w.PipelineRun, w.Status, w.Reason, w.Message)
				}
				skipped := map[string]string{}
				for _, s := range g.Status.SkippedTasks {
					skipped[s.Name] = s.Reason
				}
				if !maps.Equal(skipped, w.Skipped) {
					t.Errorf("%s skipped %q, want %q", g.Metadata.Name, skipped, w.Skipped)
				}
				hasResults(t, g, w.Results)
			}
			got.Items = slices.DeleteFunc(got.Items, func(r taskRun) bool { return r.Kind != "TaskRun" })
			if len(got.Items) != len(want.Ends) {
				t.Fatalf("%d TaskRuns, want %d", len(got.Items), len(want.Ends))
			}
			for i, w := range want.Ends {
				g := got.Items[i]
				if ok, err := path.Match(w.TaskRun, g.Metadata.Name); err != nil || !ok {
					t.Errorf("TaskRun %d is %s, want %s", i, g.Metadata.Name, w.TaskRun)
				}
				c := g.Status.Conditions[0]
				if c.Status != w.Status || c.Reason != w.Reason || !strings.Contains(c.Message, w.Message) {
					t.Errorf("%s ended %s/%s %q, want %s/%s %q", g.Metadata.Name, c.Status, c.Reason, c.Message, w.Status, w.Reason, w.Message)
				}
				if w.Took != "" && !regexp.MustCompile(regexp.QuoteMeta(g.Metadata.Name)+`\s.*\s`+regexp.QuoteMeta(w.Took)+`\s`).MatchString(table) {
					t.Errorf("%s did not take %s:\n%s", g.Metadata.Name, w.Took, table)
				}
				for step, text := range w.Logs {
					log := "  log of step-" + step + " in " + g.Metadata.Name + "-pod\n    | " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    | ") + "\n"
					if !strings.Contains(table, log) {
						t.Errorf("the log of step %s is not %q:\n%s", step, text, table)
					}
				}
				hasResults(t, g, w.Results)
				codes := map[string]int{}
				for _, s := range g.Status.Steps {
					codes[s.Name] = s.Terminated.ExitCode
				}
				for step, code := range w.ExitCodes {
					if codes[step] != code {
						t.Errorf("step %s ended with %d, want %d", step, codes[step], code)
					}
				}
			}
		})
	}
}

// hasResults compares the results of a run with patterns.
func hasResults(t *testing.T, r taskRun, patterns map[string]string) {
	t.Helper()
	results := map[string]string{}
	for _, result := range slices.Concat(r.Status.TaskResults, r.Status.PipelineResults, r.Status.Results) {
		results[result.Name] = fmt.Sprint(result.Value)
	}
	for name, pattern := range patterns {
		if value, ok := results[name]; !ok || !regexp.MustCompile(pattern).MatchString(value) {
			t.Errorf("%s: result %s is %q, want %s", r.Metadata.Name, name, value, pattern)
		}
	}
}

func readEnd(t *testing.T, file string) end {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("an example needs its expected end beside it: %v", err)
	}
	var e end
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if e.Source == "" || len(e.Ends) == 0 && e.Stderr == "" {
		t.Fatalf("%s: needs a source, and ends or stderr", file)
	}
	return e
}

func simulate(args []string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = command.Main(context.Background(), append([]string{"simulate"}, args...), command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return out.String(), errs.String(), code
}

// TestOneHour: an hour of virtual time to the second, whatever a second is here.
func TestOneHour(t *testing.T) {
	t.Parallel()
	const manifest = `
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: hour}
spec:
  timeout: 1h
  taskSpec: {steps: [{name: sleep, image: busybox, script: sleep 7200}]}
`
	var out, errs bytes.Buffer
	code := command.Main(context.Background(), []string{"simulate", "-f", "-"}, command.Streams{In: strings.NewReader(manifest), Out: &out, Err: &errs})
	if code != 1 || !regexp.MustCompile(`hour\s+False\s+TaskRunTimeout\s+1h0m0s\s`).MatchString(out.String()) {
		t.Errorf("exit code %d, %s\n%s", code, errs.String(), out.String())
	}
}
