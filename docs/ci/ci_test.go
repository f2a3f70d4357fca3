// Package ci_test keeps the action, the workflows and the page that explains them honest: they are what GitHub takes, each
// command line in them is one of the real command's, and the action's scripts come to the verdicts that the page promises.
package ci_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"mvdan.cc/sh/v3/syntax"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// action is what an action.yml may have, as far as it is used here.
type action struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Inputs      map[string]input  `yaml:"inputs"`
	Outputs     map[string]output `yaml:"outputs"`
	Runs        struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type input struct {
	Description string  `yaml:"description"`
	Default     *string `yaml:"default"`
}

type output struct {
	Description string `yaml:"description"`
	Value       string `yaml:"value"`
}

type step struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	If       string            `yaml:"if"`
	Uses     string            `yaml:"uses"`
	With     map[string]string `yaml:"with"`
	Shell    string            `yaml:"shell"`
	Env      map[string]string `yaml:"env"`
	Run      string            `yaml:"run"`
	Continue bool              `yaml:"continue-on-error"`
}

// workflow is what a workflow may have, as far as it is used here.
type workflow struct {
	Name string `yaml:"name"`
	On   struct {
		Push        *struct{ Branches []string } `yaml:"push"`
		PullRequest *struct{}                    `yaml:"pull_request"`
		Schedule    []struct{ Cron string }      `yaml:"schedule"`
		Dispatch    *struct{}                    `yaml:"workflow_dispatch"`
	} `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]struct {
		Needs    []string `yaml:"needs"`
		RunsOn   string   `yaml:"runs-on"`
		Timeout  int      `yaml:"timeout-minutes"`
		Strategy struct {
			FailFast bool                `yaml:"fail-fast"`
			Matrix   map[string][]string `yaml:"matrix"`
		} `yaml:"strategy"`
		Steps []step `yaml:"steps"`
	} `yaml:"jobs"`
}

// ours is how a workflow calls the action.
const ours = "plumbline-ci/plumbline/docs/ci@main"

// load reads YAML, and refuses fields that are not known and keys that are there twice.
func load(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: more behind the document: %v", file, err)
	}
}

func theAction(t *testing.T) action {
	t.Helper()
	var a action
	load(t, "action.yml", &a)
	return a
}

func theWorkflows(t *testing.T) map[string]workflow {
	t.Helper()
	out := map[string]workflow{}
	for _, file := range []string{"workflow.yml", "targets.yml"} {
		var w workflow
		load(t, file, &w)
		out[file] = w
	}
	return out
}

// everyStep visits the steps of the action and of the workflows, each with a name of its place.
func everyStep(t *testing.T, visit func(place string, s step)) {
	for i, s := range theAction(t).Runs.Steps {
		visit(fmt.Sprintf("action.yml: step %d (%s)", i, s.Name), s)
	}
	workflows := theWorkflows(t)
	for _, file := range slices.Sorted(maps.Keys(workflows)) {
		for _, name := range slices.Sorted(maps.Keys(workflows[file].Jobs)) {
			for i, s := range workflows[file].Jobs[name].Steps {
				visit(fmt.Sprintf("%s: job %s: step %d (%s)", file, name, i, s.Name), s)
			}
		}
	}
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// TestStepsAreValidForGitHub checks what GitHub would say only when the workflow runs.
func TestStepsAreValidForGitHub(t *testing.T) {
	t.Parallel()
	versioned := regexp.MustCompile(`^[a-z0-9-]+(/[a-z0-9-]+)+@(v[0-9]+|main)$`)
	everyStep(t, func(place string, s step) {
		switch {
		case (s.Uses == "") == (s.Run == ""):
			t.Errorf("%s: either uses or run", place)
		case s.Uses != "" && !versioned.MatchString(s.Uses):
			t.Errorf("%s: uses %q is not of a version", place, s.Uses)
		case s.Run != "" && s.Shell != "bash":
			t.Errorf("%s: a composite action's steps name their shell, got %q", place, s.Shell)
		case s.Run != "" && len(s.With) > 0, s.Uses != "" && len(s.Env) > 0:
			t.Errorf("%s: with is for uses, env for run", place)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("%s: an expression in a script lets its author run anything; pass it in env", place)
		}
	})
	a := theAction(t)
	if a.Runs.Using != "composite" || a.Name == "" || a.Description == "" {
		t.Error("it is not a composite action")
	}
	for name, in := range a.Inputs {
		if in.Description == "" || in.Default == nil {
			t.Errorf("input %s has no description, or no default", name)
		}
	}
	for file, w := range theWorkflows(t) {
		if w.Name == "" || w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
			t.Errorf("%s: a gate reads, and nothing else: %v", file, w.Permissions)
		}
		used := 0
		for name, job := range w.Jobs {
			if job.RunsOn == "" {
				t.Errorf("%s: job %s runs nowhere", file, name)
			}
			for _, need := range job.Needs {
				if _, ok := w.Jobs[need]; !ok {
					t.Errorf("%s: job %s needs %s, which does not exist", file, name, need)
				}
			}
			for _, s := range job.Steps {
				if s.Uses != ours {
					continue
				}
				used++
				for given := range s.With {
					if _, ok := a.Inputs[given]; !ok {
						t.Errorf("%s: job %s gives the action %s, which it does not take", file, name, given)
					}
				}
			}
		}
		if used == 0 {
			t.Errorf("%s does not use the action", file)
		}
	}
}

// TestExpressionsNameWhatIsThere follows inputs, outputs of steps and the matrix.
func TestExpressionsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	a := theAction(t)
	reference := regexp.MustCompile(`\b(inputs|steps|matrix|github)\.([a-z0-9_-]+)(?:\.outputs\.([a-z_-]+))?`)
	check := func(place, text string, before []step, inputs map[string]input, matrix map[string][]string) {
		for _, e := range expression.FindAllStringSubmatch(text, -1) {
			found := reference.FindAllStringSubmatch(e[1], -1)
			if len(found) == 0 && e[1] != "always()" {
				t.Errorf("%s: %q refers to nothing", place, e[1])
			}
			for _, r := range found {
				switch r[1] {
				case "inputs":
					if _, ok := inputs[r[2]]; !ok {
						t.Errorf("%s: there is no input %s", place, r[2])
					}
				case "matrix":
					if _, ok := matrix[r[2]]; !ok {
						t.Errorf("%s: there is no %s in the matrix", place, r[2])
					}
				case "github":
					if !slices.Contains([]string{"action_path", "ref"}, r[2]) {
						t.Errorf("%s: github.%s is not known here", place, r[2])
					}
				case "steps":
					i := slices.IndexFunc(before, func(s step) bool { return s.ID == r[2] })
					switch {
					case i < 0:
						t.Errorf("%s: there is no step %s before", place, r[2])
					case before[i].Uses == ours:
						if _, ok := a.Outputs[r[3]]; !ok {
							t.Errorf("%s: the action has no output %s", place, r[3])
						}
					case !strings.Contains(before[i].Run, `echo "`+r[3]+`=`):
						t.Errorf("%s: step %s does not write %s", place, r[2], r[3])
					}
				}
			}
		}
	}
	all := func(place string, steps []step, inputs map[string]input, matrix map[string][]string) {
		for i, s := range steps {
			for _, text := range slices.Concat([]string{s.If}, slices.Sorted(maps.Values(s.Env)), slices.Sorted(maps.Values(s.With))) {
				check(fmt.Sprintf("%s: step %d", place, i), text, steps[:i], inputs, matrix)
			}
		}
	}
	all("action.yml", a.Runs.Steps, a.Inputs, nil)
	for name, out := range a.Outputs {
		check("action.yml: output "+name, out.Value, a.Runs.Steps, a.Inputs, nil)
	}
	for file, w := range theWorkflows(t) {
		for name, job := range w.Jobs {
			all(file+": job "+name, job.Steps, nil, job.Strategy.Matrix)
		}
	}
	// An input that nothing reads is a promise.
	text, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name := range a.Inputs {
		if !regexp.MustCompile(`inputs\.` + name + `\b`).Match(text) {
			t.Errorf("nothing reads the input %s", name)
		}
	}
}

// TestPageListsInputsAndOutputs compares the page's tables with the action.
func TestPageListsInputsAndOutputs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (?:`([^`]*)`)? ?\\|").FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, m[1]+"="+m[2])
	}
	a := theAction(t)
	for name, in := range a.Inputs {
		if want := name + "=" + *in.Default; !slices.Contains(rows, want) {
			t.Errorf("the page has no row of the input %s with the default %q", name, *in.Default)
		}
	}
	for name := range a.Outputs {
		if !strings.Contains(string(page), "\n| `"+name+"` | ") {
			t.Errorf("the page has no row of the output %s", name)
		}
	}
	if n := strings.Count(string(page), "\n| `"); n != len(a.Inputs)+len(a.Outputs) {
		t.Errorf("the page lists %d, the action has %d inputs and %d outputs", n, len(a.Inputs), len(a.Outputs))
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("the page links to %s: %v", m[1], err)
		}
	}
}

// script parses a script as bash.
func script(t *testing.T, place, text string) *syntax.File {
	t.Helper()
	f, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), place)
	if err != nil {
		t.Errorf("%v", err)
		return &syntax.File{}
	}
	return f
}

// calls are the calls of plumbline in a script, as words. A word that the shell expands is "$"; one that may be several
// words, an array, is left out.
func calls(f *syntax.File) [][]string {
	var out [][]string
	syntax.Walk(f, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 || call.Args[0].Lit() != "plumbline" {
			return true
		}
		var words []string
		for _, w := range call.Args[1:] {
			if text := word(w); text != "" {
				words = append(words, text)
			}
		}
		out = append(out, words)
		return true
	})
	return out
}

func word(w *syntax.Word) string {
	var b strings.Builder
	parts := func(list []syntax.WordPart) {
		for _, p := range list {
			switch p := p.(type) {
			case *syntax.Lit:
				b.WriteString(p.Value)
			case *syntax.SglQuoted:
				b.WriteString(p.Value)
			case *syntax.ParamExp:
				if p.Index == nil {
					b.WriteString("$")
				}
			}
		}
	}
	for _, p := range w.Parts {
		if q, ok := p.(*syntax.DblQuoted); ok {
			parts(q.Parts)
			continue
		}
		parts([]syntax.WordPart{p})
	}
	return b.String()
}

// accepted says what the real command has against a command line. It is asked for help, which it gives when it knows the
// command and all the flags, and what their values may be as far as their types say.
func accepted(t *testing.T, words []string) string {
	t.Helper()
	var path []string
	for _, w := range words {
		if strings.HasPrefix(w, "-") || strings.ContainsAny(w, "$./=") {
			break
		}
		path = append(path, w)
	}
	var out, errs bytes.Buffer
	if code := command.Main(t.Context(), append(slices.Clone(words), "--help"), command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
		return errs.String()
	}
	if !strings.Contains(out.String(), "\n  plumbline "+strings.Join(path, " ")+" ") {
		return "there is no command " + strings.Join(path, " ")
	}
	for i, w := range words {
		if w != "--target" || i+1 == len(words) || words[i+1] == "$" {
			continue
		}
		if _, usage, _ := strings.Cut(out.String(), "--target string"); !strings.Contains(strings.SplitN(usage, "\n", 2)[0], words[i+1]) {
			return "there is no target " + words[i+1]
		}
	}
	return ""
}

// TestDocumentedCommandLinesAreAccepted checks every call of plumbline in scripts and on the page.
func TestDocumentedCommandLinesAreAccepted(t *testing.T) {
	t.Parallel()
	n := 0
	check := func(place string, f *syntax.File) {
		for _, words := range calls(f) {
			n++
			if wrong := accepted(t, words); wrong != "" {
				t.Errorf("%s: plumbline %s: %s", place, strings.Join(words, " "), wrong)
			}
		}
	}
	everyStep(t, func(place string, s step) { check(place, script(t, place, s.Run)) })
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		check("README.md", script(t, "README.md", m[1]))
	}
	if n < 12 {
		t.Errorf("only %d calls of plumbline were found", n)
	}
	// The check itself can fail.
	for line, want := range map[string]string{
		"plumbline report gaet":                "there is no command report gaet",
		"plumbline report gate --bseline a b":  "--bseline",
		"plumbline run --time-limit soon":      "want a duration",
		"plumbline run --target moon":          "there is no target moon",
		`plumbline run "${x[@]}" --quiet "$y"`: "",
	} {
		for _, words := range calls(script(t, "guard", line)) {
			if got := accepted(t, words); want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", line, got, want)
			}
		}
	}
}
