package ci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/reports"
)

// github plays as much of GitHub as the action's scripts need: inputs, outputs, the files that they write to, and that a
// step is left out once one has failed.
type github struct {
	t       *testing.T
	dir     string
	inputs  map[string]string
	outputs map[string]string
	log     bytes.Buffer
	calls   []string // of plumbline kind, which a test has no engine for
	uploads int
}

// value expands the expressions of a text.
func (g *github) value(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		if input, ok := strings.CutPrefix(name, "inputs."); ok {
			return g.inputs[input]
		}
		if output, ok := strings.CutPrefix(name, "steps."); ok {
			return g.outputs[output]
		}
		if name == "github.action_path" {
			return "actions/plumbline/docs/ci"
		}
		g.t.Fatalf("the expression %q is not known here", name)
		return ""
	})
}

// wanted evaluates the condition of a step: terms joined by &&, each always() or a comparison of an input with a word.
func (g *github) wanted(s step, failed bool) bool {
	condition := strings.TrimSuffix(strings.TrimPrefix(s.If, "${{ "), " }}")
	always := strings.Contains(condition, "always()")
	if failed && !always {
		return false
	}
	for term := range strings.SplitSeq(condition, " && ") {
		if term == "always()" || term == "" {
			continue
		}
		words := strings.Fields(term)
		input, ok := strings.CutPrefix(words[0], "inputs.")
		if len(words) != 3 || !ok {
			g.t.Fatalf("the condition %q is not known here", s.If)
		}
		if equal := g.inputs[input] == strings.Trim(words[2], "'"); equal != (words[1] == "==") {
			return false
		}
	}
	return true
}

// bash runs a script as GitHub's bash does, with -e and -o pipefail.
func (g *github) bash(s step) error {
	env := append(os.Environ(), "GITHUB_PATH="+g.file("path"), "GITHUB_OUTPUT="+g.file("output"), "GITHUB_STEP_SUMMARY="+g.file("summary"), "RUNNER_TEMP="+g.file("temp"))
	for name, text := range s.Env {
		env = append(env, name+"="+g.value(text))
	}
	r, err := interp.New(interp.Env(expand.ListEnviron(env...)), interp.Dir(g.dir), interp.Params("-e", "-o", "pipefail"), interp.StdIO(strings.NewReader(""), &g.log, &g.log), interp.ExecHandlers(g.exec))
	if err != nil {
		g.t.Fatal(err)
	}
	return r.Run(g.t.Context(), script(g.t, s.Name, s.Run))
}

// exec is plumbline in this process; what builds and makes clusters is only noted.
func (g *github) exec(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		hc := interp.HandlerCtx(ctx)
		switch {
		case args[0] == "plumbline" && args[1] == "kind":
			g.calls = append(g.calls, strings.Join(args, " ")+" in "+filepath.Base(hc.Dir))
			return nil
		case args[0] == "plumbline":
			if code := command.Main(ctx, args[1:], command.Streams{In: strings.NewReader(""), Out: hc.Stdout, Err: hc.Stderr}); code != 0 {
				return interp.ExitStatus(code) //nolint:gosec // exit codes are small
			}
			return nil
		case args[0] == "go", strings.HasSuffix(args[0], "/k8s-assets"):
			g.calls = append(g.calls, strings.Join(args, " "))
			return nil
		}
		return next(ctx, args)
	}
}

func (g *github) file(name string) string { return filepath.Join(g.dir, "runner", name) }

func (g *github) read(name string) string {
	data, err := os.ReadFile(g.file(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		g.t.Fatal(err)
	}
	return string(data)
}

// play runs the action and returns the exit code of the first step that failed, with its name.
func (g *github) play(a action) (failed string, code int) {
	for name, in := range a.Inputs {
		if _, ok := g.inputs[name]; !ok {
			g.inputs[name] = *in.Default
		}
	}
	for _, s := range a.Runs.Steps {
		if !g.wanted(s, failed != "") {
			continue
		}
		if s.Uses != "" {
			if strings.HasPrefix(s.Uses, "actions/upload-artifact@") {
				g.uploads++
			}
			continue
		}
		err := g.bash(s)
		var status interp.ExitStatus
		switch {
		case errors.As(err, &status) && failed == "":
			failed, code = s.Name, int(status)
		case err != nil && !errors.As(err, &status):
			g.t.Fatalf("%s: %v", s.Name, err)
		}
		for line := range strings.Lines(g.read("output")) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			g.outputs[s.ID+".outputs."+name] = value
		}
	}
	return failed, code
}

// ownFixtures are two fixtures, of which one expects reason.
func ownFixtures(t *testing.T, dir, reason string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"quick": "Succeeded", "slow": reason} {
		text := fmt.Sprintf(`apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: %[1]s}
spec:
  requirement: The %[1]s one ends so.
  profile: own.example.com/ends
  level: required
  component: controller
  then:
  - eventually:
      on: taskrun/%[1]s
      match: {status: {conditions: [{type: Succeeded, reason: %[2]s}]}}
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: %[1]s}
spec:
  timeout: 15s
  taskSpec:
    steps: [{name: s, image: busybox, script: "[ %[1]s = quick ] || sleep 60"}]
`, name, want)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// report runs the fixtures of a folder and keeps the report.
func report(t *testing.T, fixtures, file string) {
	t.Helper()
	var out, errs bytes.Buffer
	command.Main(t.Context(), []string{"run", "-q", "-f", fixtures, "-o", "json"}, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if _, err := reports.Decode(out.Bytes()); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestActionReportsAVerdict runs the action's scripts with the real command on the simulated cluster.
func TestActionReportsAVerdict(t *testing.T) {
	a := theAction(t) // before the working directory is another one
	for _, tt := range []struct {
		reason string
		inputs map[string]string
		failed string // the step that fails
		code   int
		log    []string // what the log says
		calls  []string
	}{
		{"all pass", map[string]string{"fixtures": "right"}, "", 0, []string{"::notice title=", "PASSED"}, nil},
		{"a failure", map[string]string{"fixtures": "wrong"}, "Verdict", 1, []string{"::error file=wrong/slow.yaml,line=12,"}, nil},
		{"a failure that is known", map[string]string{"fixtures": "wrong", "baseline": "wrong.json"}, "", 0, []string{"PASSED: 0 worse, 0 better, 1 known"}, nil},
		{"a verdict that got worse", map[string]string{"fixtures": "wrong", "baseline": "right.json"}, "Verdict", 1, []string{"::error file=wrong/slow.yaml,line=12,", "FAILED: 1 worse"}, nil},
		{"a verdict that got better", map[string]string{"fixtures": "right", "baseline": "wrong.json"}, "", 0, []string{"1 better"}, nil},
		{"of a level that the baseline does not have", map[string]string{"fixtures": "right", "baseline": "wrong.json", "baseline-level": "recommended"}, "Verdict", 3, []string{"no fixture of level recommended was judged in the baseline"}, nil},
		{"a missing baseline", map[string]string{"fixtures": "right", "baseline": "nowhere.json"}, "Verdict", 2, []string{"nowhere.json"}, nil},
		{"several folders, and arguments", map[string]string{"fixtures": "right\nmore\n", "arguments": "--name quick,also --seed 3"}, "", 0, []string{"2 of 3 fixtures selected"}, nil},
		{"no run", map[string]string{"fixtures": "right", "arguments": "--nmes x"}, "Run", 3, []string{"did you mean --name", "::error title=plumbline::there is no report"}, nil},
		{"a mistake in a fixture", map[string]string{"fixtures": "nowhere"}, "Run", 2, []string{"there is no report"}, nil},
		{"kind needs a cluster, which is removed after a mistake, too", map[string]string{"target": "kind", "fixtures": "nowhere"}, "Run", 2, nil,
			[]string{"go -C actions/plumbline/docs/ci/../.. build -o RUNNER/temp/plumbline/ ./cmd/plumbline", "plumbline kind up in plumbline", "plumbline kind down in DIR"}},
		{"unless it is to be kept", map[string]string{"target": "kind", "fixtures": "nowhere", "keep": "true"}, "Run", 2, nil,
			[]string{"go -C actions/plumbline/docs/ci/../.. build -o RUNNER/temp/plumbline/ ./cmd/plumbline", "plumbline kind up in plumbline"}},
		{"a plumbline that is there", map[string]string{"plumbline": "right", "fixtures": "right"}, "", 0, nil, []string{}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for _, d := range []string{"runner", "actions/plumbline/docs/ci", "more"} {
				if err := os.MkdirAll(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			ownFixtures(t, "right", "TaskRunTimeout")
			ownFixtures(t, "wrong", "Slow")
			also, err := os.ReadFile("right/quick.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("more/also.yaml", bytes.ReplaceAll(also, []byte("quick"), []byte("also")), 0o644); err != nil {
				t.Fatal(err)
			}
			switch tt.inputs["baseline"] {
			case "right.json":
				report(t, "right", "right.json")
			case "wrong.json":
				report(t, "wrong", "wrong.json")
			}
			if tt.inputs["target"] == "" {
				tt.inputs["target"] = "fake"
			}
			g := &github{t: t, dir: dir, inputs: tt.inputs, outputs: map[string]string{}}
			failed, code := g.play(a)
			if failed != tt.failed || code != tt.code {
				t.Errorf("step %q fails with %d, want %q with %d:\n%s", failed, code, tt.failed, tt.code, g.log.String())
			}
			for _, want := range tt.log {
				if !strings.Contains(g.log.String(), want) {
					t.Errorf("the log has no %q:\n%s", want, g.log.String())
				}
			}
			for i, c := range g.calls {
				g.calls[i] = strings.ReplaceAll(strings.ReplaceAll(c, g.file(""), "RUNNER"), " in "+filepath.Base(dir), " in DIR")
			}
			if tt.calls != nil && !slices.Equal(g.calls, tt.calls) {
				t.Errorf("called %q, want %q", g.calls, tt.calls)
			}
			if g.uploads != 1 {
				t.Errorf("%d artefacts are kept, want 1", g.uploads)
			}
			if failed == "Run" {
				return
			}
			if !strings.Contains(g.read("summary"), "### ") && !strings.Contains(g.read("summary"), "| Profile |") {
				t.Errorf("the summary says nothing:\n%s", g.read("summary"))
			}
			if has := strings.Contains(g.read("summary"), " Gate "); has != (tt.inputs["baseline"] != "" && code < 2) {
				t.Errorf("the summary has a gate: %t\n%s", has, g.read("summary"))
			}
			for _, name := range []string{"report.json", "junit.xml", "report.html", "report.md"} {
				if info, err := os.Stat(filepath.Join("plumbline-report", name)); err != nil || info.Size() == 0 {
					t.Errorf("the artefact has no %s: %v", name, err)
				}
			}
		})
	}
}
