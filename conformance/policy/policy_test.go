package policy

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
)

// The fixtures of every policy exist, bind every implementation, and run on every target.
func TestPoliciesFitTheSuite(t *testing.T) {
	t.Parallel()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		p, ok := Named(name)
		if !ok {
			t.Fatalf("%s is listed and not there", name)
		}
		if err := p.Check(list); err != nil {
			t.Error(err)
		}
		if p.Title == "" || p.Source == "" {
			t.Errorf("%s does not say what it is, or where it stands", name)
		}
		for _, f := range list {
			if p.Selects(f) && (f.Spec.Level != fixture.Required || len(f.Spec.Needs) > 0) {
				t.Errorf("%s: %s is of level %s and needs %v", name, f.Name(), f.Spec.Level, f.Spec.Needs)
			}
		}
	}
	if _, ok := Named("no-such-policy"); ok {
		t.Error("there is a policy without a file")
	}
}

// The REQUIRED fields of the four kinds, by type, as the document lists them.
func TestTheFieldsAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	p, _ := Named("tekton-api-spec-v1")
	has := map[string]bool{}
	for _, f := range p.Fields {
		if has[f.String()] {
			t.Errorf("%s is listed twice", f)
		}
		has[f.String()] = true
	}
	n := 0
	for typ, fields := range map[string]string{
		"ObjectMeta":               "name creationTimestamp",
		"TaskSpec":                 "description params steps sidecars results workspaces",
		"Step":                     "name image args command workingDir env script securityContext",
		"Sidecar":                  "name image command args script securityContext",
		"SecurityContext":          "privileged",
		"EnvVar":                   "name value",
		"TaskResult":               "name type",
		"ParamType":                "string array",
		"PipelineSpec":             "params tasks results finally workspaces",
		"PipelineTask":             "name taskSpec runAfter params workspaces timeout",
		"TaskRunSpec":              "params taskRef taskSpec workspaces timeout",
		"TaskRunStatus":            "conditions startTime completionTime taskSpec steps results",
		"Condition":                "type status reason",
		"StepState":                "name imageID terminated",
		"ContainerStateTerminated": "exitCode reason startedAt finishedAt",
		"PipelineRunSpec":          "params pipelineSpec timeouts workspaces",
		"PipelineRunStatus":        "conditions startTime completionTime childReferences",
		"ChildStatusReference":     "name pipelineTaskName",
		"TimeoutFields":            "pipeline tasks finally",
		"WorkspaceBinding":         "name emptyDir",
	} {
		for field := range strings.FieldsSeq(fields) {
			n++
			if !has[typ+"."+field] {
				t.Errorf("%s.%s is not in the policy", typ, field)
			}
		}
	}
	if n != len(p.Fields) {
		t.Errorf("the policy has %d fields, the document %d", len(p.Fields), n)
	}
}

func TestWrongPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, want string }{
		{"name: other\ntypes: []", `its file says that it is "other"`},
		{"name: p\ntypes: []", "it has no fields"},
		{"name: p\ntypes: [{name: Step, fields: {image: []}}]", "field Step.image has no fixture"},
		{"name: p\ntypes: [{name: Step, fields: {image: one}}]", "field Step.image"},
		{"name: p\nfield: x", "field field not found"},
	} {
		if _, err := read("p", []byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: got %v, want %q", row.text, err, row.want)
		}
	}
	p, err := read("p", []byte("name: p\ntypes: [{name: Step, fields: {image: [no-such-fixture]}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(nil); err == nil || !strings.Contains(err.Error(), "no-such-fixture") {
		t.Errorf("got %v", err)
	}
}
