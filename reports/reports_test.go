package reports_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

func TestAReportIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	first, err := reports.Encode(reporttest.Example())
	if err != nil {
		t.Fatal(err)
	}
	got, err := reports.Decode(first)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reporttest.Example(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	second, err := reports.Encode(got)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("written again it has other bytes: %v\n%s", err, cmp.Diff(string(first), string(second)))
	}
	if !bytes.HasSuffix(first, []byte("}\n")) || !bytes.Contains(first, []byte("<&>")) {
		t.Errorf("not canonical:\n%s", first)
	}
}

func TestReportsAreReadStrictly(t *testing.T) {
	t.Parallel()
	good, err := reports.Encode(reporttest.Example())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ reason, old, new, want string }{
		{"a field that is not known", `"kind": "Conf`, `"kid": 1, "kind": "Conf`, `unknown field "kid"`},
		{"another kind", `"kind": "ConformanceReport"`, `"kind": "Report"`, `"Report"`},
		{"another version", `plumbline.dev/v1alpha1`, `plumbline.dev/v9`, `"plumbline.dev/v9"`},
		{"an unknown verdict", `"verdict": "pass"`, `"verdict": "ok"`, `fixtures[0].verdict: unknown verdict "ok"`},
		{"an unknown result", `"result": "failed"`, `"result": "fine"`, `unknown result "fine"`},
		{"a fixture listed twice", `"name": "b"`, `"name": "a"`, `"a" is listed twice`},
		{"a failure that is a pass", `"verdict": "fail"`, `"verdict": "pass"`, "does not fit"},
		{"a pass with a required failure", `"result": "failed"`, `"result": "passed"`, `"b" failed, but the result is "passed"`},
		{"a wrong type", `"fixtures": 3`, `"fixtures": "3"`, `14:17: suite.fixtures: must be a whole number, got the string "3"`},
		{"text after the document", "}\n", "}\n{}", "more text after the document"},
		{"a field twice", `"kind": "Conf`, `"result": "passed", "kind": "Conf`, `"result" is given twice`},
		{"half of the document", "]\n}\n", "", "the document ends too early"},
	} {
		text := string(good)
		at := strings.LastIndex(text, tt.old)
		if tt.reason != "text after the document" && tt.reason != "half of the document" {
			at = strings.Index(text, tt.old)
		}
		if at < 0 {
			t.Fatalf("%s: no %q in the report", tt.reason, tt.old)
		}
		_, err := reports.Decode([]byte(text[:at] + tt.new + text[at+len(tt.old):]))
		if !errors.Is(err, reports.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}

// The documents for programs keep every text as it was.
func TestHostileTextsArePreserved(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := reporttest.Spoiled(seed)
		utf8Only(reflect.ValueOf(r).Elem())
		for name, encode := range map[string]func(*reports.ConformanceReport) ([]byte, error){"JSON": reports.Encode, "YAML": reports.EncodeYAML} {
			data, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			got := &reports.ConformanceReport{}
			if err := reports.ReadDocument("", data, reports.Kind, got, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(r, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// utf8Only makes texts valid UTF-8: neither JSON nor YAML has others.
func utf8Only(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToValidUTF8(v.String(), "?"))
	case reflect.Struct:
		for i := range v.NumField() {
			utf8Only(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			utf8Only(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			utf8Only(v.Elem())
		}
	}
}

// Mistakes have their place, in both forms.
func TestMistakesHavePositions(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: ConformanceReport\nresult: passed\n"
	for _, tt := range []struct{ reason, text, want string }{
		{"empty", "", "r:1:1: the file is empty"},
		{"no document of ours", "a: b\n", "r:1:1: has no apiVersion and kind; a document of this kind begins with apiVersion plumbline.dev/v1alpha1 and kind ConformanceReport"},
		{"no object", "- a\n", "r:1:1: must be a mapping of kind ConformanceReport, got a list"},
		{"of another project", "apiVersion: v1\nkind: List\n", `r:1:13: apiVersion: "v1" is not a version of Plumbline`},
		{"a fixture", "apiVersion: plumbline.dev/v1alpha1\nkind: Fixture\n", `r:2:7: kind: "Fixture", want "ConformanceReport"`},
		{"newer", "{\n \"apiVersion\": \"plumbline.dev/v1alpha2\", \"kind\": \"ConformanceReport\", \"future\": 1}", `r:2:16: apiVersion: "plumbline.dev/v1alpha2" is newer than what this plumbline reads (plumbline.dev/v1alpha1): use a newer plumbline`},
		{"newer, too", "apiVersion: plumbline.dev/v1\nkind: ConformanceReport\n", "is newer than what this plumbline reads"},
		{"no version", "apiVersion: plumbline.dev/latest\nkind: ConformanceReport\n", `r:1:13: apiVersion: unknown version "plumbline.dev/latest"`},
		{"an unknown field", head + "fixtures:\n- name: a\n  verdct: pass\n", `r:6:3: fixtures[0]: unknown field "verdct"; a typo, or from a newer plumbline`},
		{"an unknown word", head + "fixtures:\n- name: a\n  verdict: ok\n", `r:6:12: fixtures[0].verdict: unknown verdict "ok"`},
		{"a field twice", head + "result: failed\n", `r:4:1: "result" is given twice`},
		{"a string for a number", head + "suite: {fixtures: many}\n", `r:4:19: suite.fixtures: must be a whole number, got the string "many"`},
		{"a fraction", head + "suite: {fixtures: 1.5}\n", "r:4:19: suite.fixtures: must be a whole number, got the number 1.5"},
		{"a number below zero", head + "seed: -1\n", "r:4:7: seed: -1 is too small"},
		{"an object for a list", head + "fixtures: {}\n", "r:4:11: fixtures: must be a list, got a mapping"},
		{"null for a string", head + "date:\n", "date: must be a string, got nothing"},
		{"a word for a bool", head + "target: {virtualTime: maybe}\n", `r:4:23: target.virtualTime: must be true or false, got the string "maybe"`},
		{"a fixture twice", head + "fixtures: [{name: a, verdict: pass}, {name: a, verdict: pass}]\n", `r:4:45: fixtures[1].name: "a" is listed twice`},
		{"an unknown role", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: x, from: 1}]}]}}]\n", `fixtures[0].timeline.pods[0].spans[0].role: unknown role "x"`},
		{"an end before the beginning", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: step, from: 2, to: 1}]}]}}]\n", "spans[0].to: is earlier than the time before it"},
		{"an invalid time", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 9223372036854775807}}]\n", "fixtures[0].timeline.end: 9223372036854775807 is not a valid time of a run"},
		{"work before the container", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: step, from: 2, work: {from: 1, to: 3}}]}]}}]\n", "work.from: is earlier than the time before it"},
		{"statements in disorder", head + "statements: [{id: b, source: s, text: t}, {id: a, source: s, text: t}]\n", "statements: are not sorted by id"},
		{"an alias", head + "reasons: &a [x]\ndate: *a\n", "r:4:10: reasons: anchors and aliases are not read here"},
		{"a second document", head + "---\na: b\n", "there is more text after the document"},
		{"no YAML", "a: [\n", "r:1:1: not valid YAML"},
		{"no JSON", "{\n \"a\": nope}", "r:2:7: not valid JSON: invalid character"},
		{"too deep as JSON", "{\"a\":" + strings.Repeat("[", 100_000), "values nest deeper than 64"},
		{"too deep as YAML", "a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), "values nest deeper than 64"},
	} {
		_, err := reports.Read("r", []byte(tt.text))
		var m source.Errors
		if !errors.As(err, &m) || !errors.Is(err, reports.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}
