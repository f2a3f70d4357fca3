package conformance_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

func TestSubjectFileGivesTheClaims(t *testing.T) {
	t.Parallel()
	s, err := conformance.LoadSubject("subject.yaml", []byte(`
apiVersion: plumbline.dev/v1alpha1
kind: Subject
implementation: {organization: example.com, project: toy, version: v1}
profiles: [taskrun-core]
features: [debug, example.com/own]
lacks: [retries]
exclusions:
- {fixture: flaky, by: ci, why: the disk is slow}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := conformance.Claims{Profiles: []string{"taskrun-core"}, Features: []string{"debug", "example.com/own"}, Lacks: []string{"retries"},
		Exclusions: []conformance.Exclusion{{Fixture: "flaky", By: "ci", Why: "the disk is slow"}}}
	if diff := cmp.Diff(want, s.Claims()); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(reports.Implementation{Organization: "example.com", Project: "toy", Version: "v1"}, s.Identity()); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestMistakesInSubjectFilesAreExplained(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: Subject\nimplementation: {project: toy}\n"
	for text, want := range map[string]string{
		"":                               "s.yaml:1:1: the file has 0 documents, want one; write one document of kind Subject",
		head + "---\na: b\n":             "s.yaml:5:1: the file has 2 documents, want one; write one document of kind Subject",
		head + "features: [debugg]\n":    `s.yaml:4:12: features[0]: unknown feature "debugg"; did you mean "debug"?`,
		head + "lacks: [debug]\n":        `s.yaml:4:9: lacks[0]: unknown mandatory feature "debug"; use one of: `,
		head + "profile: [x]\n":          `s.yaml:4:1: unknown field "profile"; did you mean "profiles"?`,
		head + "exclusions: [{by: x}]\n": `s.yaml:4:14: exclusions[0]: "why" is missing; add why: the reason`,

		head + "exclusions: [{by: x, why: y}]\n":                                                  "s.yaml:4:14: exclusions[0]: an exclusion must name either a fixture or a statement; give fixture or statement",
		head + "exclusions: [{by: x, why: y, fixture: f, statement: S004-176}]\n":                 "s.yaml:4:14: exclusions[0]: an exclusion must name either a fixture or a statement; give fixture or statement",
		head + "exclusions: [{by: x, why: y, statement: S9}]\n":                                   `s.yaml:4:41: exclusions[0].statement: there is no statement "S9"; plumbline fixture coverage lists them`,
		head + "misses: [{why: y, statement: S004-999}]\n":                                        `s.yaml:4:30: misses[0].statement: there is no statement "S004-999"`,
		head + "misses: [{statement: S004-176}]\n":                                                `s.yaml:4:10: misses[0]: "why" is missing`,
		head + "lacks: [retries]\nfeatures: [retries]\n":                                          "s.yaml:4:9: lacks[0]: retries is also among the features; remove it from one of them",
		head + "apiVersions: [tekton.dev/v1]\n":                                                   `s.yaml:4:15: apiVersions[0]: "tekton.dev/v1" is not an API version; write it without its group, such as v1beta1`,
		head + "served: {taskruns: [tekton.dev/v1]}\n":                                            `s.yaml:4:21: served.taskruns[0]: "tekton.dev/v1" is not an API version; write it without its group, such as v1beta1`,
		head + "served: {taskruns: []}\n":                                                         `s.yaml:4:20: served.taskruns: names no version that the suite knows; use v1alpha1, v1beta1, v1, or leave the kind out: then its version is not checked`,
		head + "served: {taskruns: [v1beta2]}\n":                                                  `s.yaml:4:20: served.taskruns: names no version that the suite knows; use v1alpha1, v1beta1, v1, or leave the kind out: then its version is not checked`,
		head + "served: {taskrun: [v1]}\n":                                                        `s.yaml:4:19: served.taskrun: unknown kind "taskrun"; did you mean "taskruns"?`,
		head + "served: {taskruns: [v1]}\napiVersions: [v1]\n":                                    `s.yaml:5:14: apiVersions: apiVersions and served say the same; write served alone`,
		head + "substituted: [launchr]\n":                                                         `s.yaml:4:15: substituted[0]: unknown value "launchr"; did you mean "launcher"?`,
		head + "configuration: {changes: []}\n":                                                   `s.yaml:4:16: configuration: "namespace" is missing`,
		head + "configuration: {namespace: n, changes: [{of: flags, keys: [a]}]}\n":               `s.yaml:4:46: configuration.changes[0].of: unknown value "flags"`,
		head + "configuration: {namespace: n, settle: 5, changes: []}\n":                          `s.yaml:4:39: configuration.settle: must be a duration, got the number 5`,
		head + "configuration:\n  namespace: n\n  changes: [&a {of: feature-flags, keys: [x]}]\n": "s.yaml:6:13: configuration.changes[0]: anchors and aliases are not read here",
		head + "images: {busybox: \"\"}\n":                                                        `s.yaml:4:9: images: an image has no name; write name: name`,
		head + "images: [busybox]\n":                                                              "s.yaml:4:9: images: must be a mapping, got a list",
	} {
		_, err := conformance.LoadSubject("s.yaml", []byte(text))
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestASubjectsVersions(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]map[string][]string{
		"":                                  nil,
		"apiVersions: [v1beta1]":            {"taskruns": {"v1beta1"}, "tasks": {"v1beta1"}},
		"served: {taskruns: [v1beta1, v1]}": {"taskruns": {"v1beta1", "v1"}},
	} {
		s, err := conformance.LoadSubject("s.yaml", []byte("apiVersion: plumbline.dev/v1alpha1\nkind: Subject\nimplementation: {project: p}\n"+field+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.Claims().Served); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", field, diff)
		}
	}
}

func TestASubjectNamesFixturesThatExist(t *testing.T) {
	t.Parallel()
	s, err := conformance.LoadSubject("s.yaml", []byte(`apiVersion: plumbline.dev/v1alpha1
kind: Subject
implementation: {project: toy}
exclusions:
- {fixture: single-step-succeed, by: ci, why: so}
- {fixture: single-step-succeeds, by: ci, why: so}
misses:
- {statement: S004-176, fixtures: [timeout-fails-the-run, nosuch], why: so}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := `s.yaml:5:13: exclusions[0].fixture: there is no fixture "single-step-succeed"; did you mean "single-step-succeeds"?
s.yaml:8:59: misses[0].fixtures[1]: there is no fixture "nosuch"; plumbline fixture list lists them`
	if err := s.Check(nil); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestSchemaIsPublished holds the file that editors use against the types.
func TestSchemaIsPublished(t *testing.T) {
	t.Parallel()
	schema, err := conformance.SubjectSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", "subject.schema.json"), schema)
}

// FuzzSubject: nothing panics, and what is wrong has a place.
func FuzzSubject(f *testing.F) {
	f.Add("apiVersion: plumbline.dev/v1alpha1\nkind: Subject\nimplementation: {project: toy}\nconfiguration: {namespace: n, changes: [{of: feature-flags, keys: ['*']}]}\n")
	f.Add("images: {a: b}\nexclusions: [{}]\nmisses: [{}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := conformance.LoadSubject("s.yaml", []byte(text))
		if (s == nil) == (err == nil) {
			t.Fatalf("got %v and %v", s, err)
		}
		var places source.Errors
		if err != nil && (!errors.As(err, &places) || places[0].File != "s.yaml") {
			t.Errorf("an error without a place: %v", err)
		}
	})
}
