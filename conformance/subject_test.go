package conformance_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/reports"
)

func TestASubjectSaysWhatItClaims(t *testing.T) {
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

func TestASubjectThatIsWrongIsExplained(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: Subject\nimplementation: {project: toy}\n"
	for text, want := range map[string]string{
		"":                               "s.yaml:1:1: the file has 0 documents, want one; write one document of kind Subject",
		head + "---\na: b\n":             "s.yaml:5:1: the file has 2 documents, want one; write one document of kind Subject",
		head + "features: [debugg]\n":    `s.yaml:4:12: features[0]: unknown feature "debugg"; did you mean "debug"?`,
		head + "lacks: [debug]\n":        `s.yaml:4:9: lacks[0]: unknown mandatory feature "debug"; use one of: `,
		head + "profile: [x]\n":          `s.yaml:4:1: unknown field "profile"; did you mean "profiles"?`,
		head + "exclusions: [{by: x}]\n": `s.yaml:4:14: exclusions[0]: "fixture" is missing; add fixture: the fixture's name`,
	} {
		_, err := conformance.LoadSubject("s.yaml", []byte(text))
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}
