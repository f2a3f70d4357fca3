package conformance_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
)

// state is what a fixture wants of the Succeeded condition, and of completionTime beside it, in one version of a run.
type state struct {
	status, reason string
	// completed is "yes", "no", or "" where the fixture does not say.
	completed string
	message   string
}

// asserted collects the states that the checks of a fixture want to be seen. What must never be seen is left out.
func asserted(t *testing.T, f *fixture.Fixture) []state {
	t.Helper()
	then, when := written(t, f)
	var found []state
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if status, ok := v["status"].(map[string]any); ok {
				found = append(found, states(status)...)
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		}
	}
	for _, check := range then {
		for _, verb := range []string{"eventually", "always", "sequence"} {
			walk(check[verb])
		}
	}
	for _, action := range when {
		walk(action["once"]) // what is waited for is seen, too
	}
	return found
}

// written returns the checks and the actions of a fixture, with the values of its case.
func written(t *testing.T, f *fixture.Fixture) (then, when []map[string]any) {
	t.Helper()
	var header struct {
		Spec struct {
			When []map[string]any `yaml:"when"`
			Then []map[string]any `yaml:"then"`
		} `yaml:"spec"`
	}
	if err := f.Tree().Decode(&header); err != nil {
		t.Fatalf("%s: %v", f.File, err)
	}
	return header.Spec.Then, header.Spec.When
}

func states(status map[string]any) []state {
	conditions, ok := status["conditions"].([]any)
	if !ok {
		return nil
	}
	completed := ""
	if time, ok := status["completionTime"].(map[string]any); ok {
		switch {
		case time["$present"] == true:
			completed = "yes"
		case time["$absent"] == true:
			completed = "no"
		}
	}
	var out []state
	for _, c := range conditions {
		c, ok := c.(map[string]any)
		if !ok || c["type"] != "Succeeded" {
			continue
		}
		s := state{completed: completed}
		s.status, _ = c["status"].(string)
		s.reason, _ = c["reason"].(string)
		s.message = fmt.Sprint(c["message"])
		out = append(out, s)
	}
	return out
}

func embedded(t *testing.T) []*fixture.Fixture {
	t.Helper()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The table that tells how the status of a TaskRun is read (taskruns.md, "Monitoring execution status"), row by row.
func TestEveryRowOfTheStatusTableHasAFixture(t *testing.T) {
	t.Parallel()
	list := embedded(t)
	for _, row := range []struct {
		line           int
		status, reason string
		completed      string
		message        string
		fixture        string
		// none says why no fixture can show the row.
		none string
	}{
		{784, "Unknown", "Started", "no", "", "started-until-there-is-a-pod", ""},
		{785, "Unknown", "Pending", "no", "", "pending-while-unschedulable", ""},
		{786, "Unknown", "Running", "no", "", "running-has-no-completion-time", ""},
		{787, "Unknown", "TaskRunCancelled", "no", "", "cancel-in-trouble", ""},
		{788, "True", "Succeeded", "yes", "", "single-step-succeeds", ""},
		{789, "False", "Failed", "yes", "", "a-failed-step-is-the-reason", ""},
		{790, "False", "", "no", "", "", "S004-172: what is False is over and has its completionTime; a trouble that may pass is shown as Unknown, as in exceeded-quota"},
		{791, "False", "TaskRunValidationFailed", "yes", "", "missing-param-fails", ""},
		{792, "False", "TaskRunCancelled", "yes", "", "cancel-running", ""},
		{793, "False", "TaskRunCancelled", "yes", "TaskRun cancelled as the PipelineRun it belongs to has timed out.", "cancel-message", ""},
		{794, "False", "TaskRunTimeout", "yes", "", "timeout-fails-the-run", ""},
		{795, "False", "TaskRunImagePullFailed", "yes", "", "image-pull-failure", ""},
	} {
		shows := func(f *fixture.Fixture) bool {
			return slices.ContainsFunc(asserted(t, f), func(s state) bool {
				return s.status == row.status && (row.reason == "" || s.reason == row.reason) && s.completed == row.completed && strings.Contains(s.message, row.message)
			})
		}
		if row.none != "" {
			for _, f := range list {
				if shows(f) {
					t.Errorf("line %d: %s shows the row; it is said that none can: %s", row.line, f.Name(), row.none)
				}
			}
			continue
		}
		i := slices.IndexFunc(list, func(f *fixture.Fixture) bool { return f.Name() == row.fixture })
		if i < 0 {
			t.Errorf("line %d: there is no fixture %s", row.line, row.fixture)
			continue
		}
		if !shows(list[i]) {
			t.Errorf("line %d: %s does not want %s, reason %s, completionTime: %s, all at once; it wants %+v", row.line, row.fixture, row.status, row.reason, row.completed, asserted(t, list[i]))
		}
	}
}

func TestEveryReasonHasAFixture(t *testing.T) {
	t.Parallel()
	wanted(t, fixture.ProfileTaskRunCore, "TaskRunReason", map[string]string{
		"CouldntGetTask":                   "later versions and the reference here say PodCreationFailed instead",
		"ResourceVerificationFailed":       "signatures are not verified",
		"TaskRunStopSidecarFailed":         "what is over stays as it is; the stop of a sidecar is tried again",
		"TaskRunResultsVerified":           "declared, and not used by the documented version",
		"TaskRunResultsVerificationFailed": "declared, and not used by the documented version",
		"AwaitingTaskRunResults":           "declared, and not used by the documented version",
	})
	wanted(t, fixture.ProfilePipelineRun, "PipelineRunReason", map[string]string{
		"ResourceVerificationFailed": "signatures are not verified",
		"CouldntGetResource":         "PipelineResources are not supported; one that is bound is InvalidPipelineResourceBindings",
	})
}

// wanted checks that each reason of the API whose constant has a prefix is wanted by a fixture of the profile, or that unseen
// says why none can cause it.
func wanted(t *testing.T, profile, prefix string, unseen map[string]string) {
	t.Helper()
	seen := map[string][]string{}
	for _, f := range embedded(t) {
		if f.Spec.Profile != profile {
			continue
		}
		for _, s := range asserted(t, f) {
			if s.reason != "" && !slices.Contains(seen[s.reason], f.Name()) {
				seen[s.reason] = append(seen[s.reason], f.Name())
			}
		}
	}
	known := constants(t, prefix)
	for _, reason := range known {
		why, said := unseen[reason]
		switch names := seen[reason]; {
		case len(names) == 0 && !said:
			t.Errorf("%s: no fixture of %s wants it, and no reason is given", reason, profile)
		case len(names) > 0 && said:
			t.Errorf("%s: %v want it; it is said that none can: %s", reason, names, why)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(unseen)) {
		if !slices.Contains(known, reason) {
			t.Errorf("%s is no reason of the API", reason)
		}
	}
}

// Each reason for which a task can be skipped is wanted by name.
func TestEveryReasonOfASkippedTaskHasAFixture(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range embedded(t) {
		then, _ := written(t, f)
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, item := range v {
					walk(item)
				}
			case map[string]any:
				if reason, ok := v["reason"].(string); ok && v["name"] != nil {
					seen[reason] = true
				}
				for _, inner := range v {
					walk(inner)
				}
			}
		}
		for _, check := range then {
			walk(check)
		}
	}
	for _, reason := range constants(t, "Skipped") {
		if !seen[reason] {
			t.Errorf("%q: no fixture wants a task that is skipped for it", reason)
		}
	}
}

// constants reads the texts of the API's constants whose names have a prefix.
func constants(t *testing.T, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../api/v1beta1/names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(v.Names[0].Name, prefix) {
				continue
			}
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, text)
			}
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d constants %s… were found: %v", len(out), prefix, out)
	}
	return out
}
