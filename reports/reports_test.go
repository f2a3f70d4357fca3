package reports

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() *ConformanceReport {
	seed := uint64(7)
	return &ConformanceReport{
		APIVersion: APIVersion, Kind: Kind,
		Implementation: Implementation{Organization: "example.com", Project: "toy", URL: "https://example.com/toy", Version: "v1", Contact: "toy@example.com"},
		Suite:          Suite{Version: "v0.1.0", Digest: "sha256:00", Fixtures: 3},
		Target:         Target{Name: "fake", KubernetesVersion: "v1.37.2", VirtualTime: true, Capabilities: []string{"virtualTime"}},
		Seed:           &seed, TraceHash: "abc", Result: Failed, Reasons: []string{"taskrun-core: a required fixture failed: b"},
		Profiles: []Profile{{Name: "taskrun-core", Result: Failed, Features: []string{"timeout"}, Required: Tally{Total: 2, Pass: 1, Fail: 1}, Recommended: Tally{Total: 1, NotOnThisTarget: 1}}},
		Fixtures: []Fixture{
			{Name: "a", File: "a.yaml", Requirement: "a is", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: Pass, Duration: "15.1s",
				Evidence: []Evidence{{Check: "spec.then[0].eventually", At: "a.yaml:9:5", Object: "taskrun/a", ResourceVersion: "12", After: "15s", Saw: "Succeeded=True <&>"}}},
			{Name: "b", File: "b.yaml", Requirement: "b is", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: Fail, Duration: "1s",
				Failure: &Failure{At: "b.yaml:9:5", Check: "spec.then[0].eventually", Message: "it is not", Logs: []Log{{Pod: "p", Container: "c", Text: "x\ny"}}}},
			{Name: "c", File: "c.yaml", Requirement: "c is", Profile: "taskrun-core", Level: "recommended", Component: "launcher", Verdict: NotOnThisTarget, Reason: "needs faults"},
		},
	}
}

func TestAReportIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	first, err := Encode(example())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(first)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	second, err := Encode(got)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("written again it has other bytes: %v\n%s", err, cmp.Diff(string(first), string(second)))
	}
	if !bytes.HasSuffix(first, []byte("}\n")) || !bytes.Contains(first, []byte("<&>")) {
		t.Errorf("not canonical:\n%s", first)
	}
}

func TestReportsAreReadStrictly(t *testing.T) {
	t.Parallel()
	good, err := Encode(example())
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
		{"a wrong type", `"fixtures": 3`, `"fixtures": "3"`, "14:17: suite.fixtures: is a string, want a number"},
		{"something behind", "}\n", "}\n{}", "more text after the document"},
		{"a field twice", `"kind": "Conf`, `"result": "passed", "kind": "Conf`, `field "result" is listed twice`},
		{"half of it", "]\n}\n", "", "the document ends too early"},
	} {
		text := string(good)
		at := strings.LastIndex(text, tt.old)
		if tt.reason != "something behind" && tt.reason != "half of it" {
			at = strings.Index(text, tt.old)
		}
		if at < 0 {
			t.Fatalf("%s: no %q in the report", tt.reason, tt.old)
		}
		_, err := Decode([]byte(text[:at] + tt.new + text[at+len(tt.old):]))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}

func TestStyleDoesNotMoveTheTable(t *testing.T) {
	t.Parallel()
	var plain, styled bytes.Buffer
	if err := (Text{}).Render(&plain, example()); err != nil {
		t.Fatal(err)
	}
	marks := 0
	if err := (Text{Style: func(word, text string) string { marks++; return "\x1b[1m" + text + "\x1b[0m" }}).Render(&styled, example()); err != nil {
		t.Fatal(err)
	}
	if got := strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(styled.String()); got != plain.String() || marks == 0 {
		t.Errorf("without its marks the styled table differs:\n%s", cmp.Diff(plain.String(), got))
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("the plain table has colours")
	}
	lines := strings.Split(strings.TrimSpace(plain.String()), "\n")
	if last := lines[len(lines)-1]; last != "FAILED: 1 of 3 passed, 1 failed, 1 not on this target" {
		t.Errorf("the last line is no verdict: %q", last)
	}
}

func TestEveryFormatHasARenderer(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		r, err := RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.Render(&b, example()); err != nil || b.Len() == 0 {
			t.Errorf("%s: %v, %d bytes", format, err, b.Len())
		}
	}
	if _, err := RendererFor("xls"); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("an unknown format is told the known ones, got %v", err)
	}
}

// Mistakes have their place, in both forms.
func TestMistakesHavePlaces(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: ConformanceReport\nresult: passed\n"
	for _, tt := range []struct{ reason, text, want string }{
		{"empty", "", "r:1:1: the file is empty"},
		{"no document of ours", "a: b\n", "r:1:1: has no apiVersion and kind; a document of this kind begins with apiVersion plumbline.dev/v1alpha1 and kind ConformanceReport"},
		{"no object", "- a\n", "r:1:1: is a list, want an object of kind ConformanceReport"},
		{"of another project", "apiVersion: v1\nkind: List\n", `r:1:13: apiVersion: "v1" is not a version of Plumbline`},
		{"a fixture", "apiVersion: plumbline.dev/v1alpha1\nkind: Fixture\n", `r:2:7: kind: "Fixture", want "ConformanceReport"`},
		{"newer", "{\n \"apiVersion\": \"plumbline.dev/v1alpha2\", \"kind\": \"ConformanceReport\", \"future\": 1}", `r:2:16: apiVersion: "plumbline.dev/v1alpha2" is newer than what this plumbline reads (plumbline.dev/v1alpha1): use a newer plumbline`},
		{"newer, too", "apiVersion: plumbline.dev/v1\nkind: ConformanceReport\n", "is newer than what this plumbline reads"},
		{"no version", "apiVersion: plumbline.dev/latest\nkind: ConformanceReport\n", `r:1:13: apiVersion: unknown version "plumbline.dev/latest"`},
		{"an unknown field", head + "fixtures:\n- name: a\n  verdct: pass\n", `r:6:3: fixtures[0]: unknown field "verdct": a typo, or from a newer plumbline`},
		{"an unknown word", head + "fixtures:\n- name: a\n  verdict: ok\n", `r:6:12: fixtures[0].verdict: unknown verdict "ok"`},
		{"a field twice", head + "result: failed\n", `r:4:1: field "result" is listed twice`},
		{"a string for a number", head + "suite: {fixtures: many}\n", "r:4:19: suite.fixtures: is a string, want a number"},
		{"a fraction", head + "suite: {fixtures: 1.5}\n", "r:4:19: suite.fixtures: is 1.5, want a whole number"},
		{"a number below zero", head + "seed: -1\n", "r:4:7: seed: is -1, want a whole number of at least 0"},
		{"an object for a list", head + "fixtures: {}\n", "r:4:11: fixtures: is an object, want a list"},
		{"null for a string", head + "date:\n", "date: is null, want a string"},
		{"a word for a bool", head + "target: {virtualTime: maybe}\n", "r:4:23: target.virtualTime: is a string, want true or false"},
		{"a fixture twice", head + "fixtures: [{name: a, verdict: pass}, {name: a, verdict: pass}]\n", `r:4:45: fixtures[1].name: "a" is listed twice`},
		{"an unknown role", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: x, from: 1}]}]}}]\n", `fixtures[0].timeline.pods[0].spans[0].role: unknown role "x"`},
		{"an end before the beginning", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: step, from: 2, to: 1}]}]}}]\n", "spans[0].to: is earlier than the time before it"},
		{"an invalid time", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 9223372036854775807}}]\n", "fixtures[0].timeline.end: 9223372036854775807 is not a valid time of a run"},
		{"work before the container", head + "fixtures: [{name: a, verdict: pass, timeline: {end: 1, pods: [{name: p, from: 0, spans: [{container: c, role: step, from: 2, work: {from: 1, to: 3}}]}]}}]\n", "work.from: is earlier than the time before it"},
		{"statements in disorder", head + "statements: [{id: b, source: s, text: t}, {id: a, source: s, text: t}]\n", "statements: are not sorted by id"},
		{"an alias", head + "reasons: &a [x]\ndate: *a\n", "reports must not contain anchors or aliases"},
		{"a second document", head + "---\na: b\n", "there is more text after the document"},
		{"no YAML", "a: [\n", "r:1:1: neither JSON nor YAML"},
		{"no JSON", "{\n \"a\": nope}", "r:2:7: not JSON: invalid character"},
		{"too deep as JSON", "{\"a\":" + strings.Repeat("[", 100_000), "nested too deeply"},
		{"too deep as YAML", "a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), "nested too deeply"},
	} {
		_, err := Read("r", []byte(tt.text))
		var m *MistakeError
		if !errors.As(err, &m) || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	t.Parallel()
	order := []string{"nonsense", "v1alpha1", "v1alpha2", "v1beta1", "v1", "v2alpha1", "v2"}
	for i := 1; i < len(order); i++ {
		if age(order[i-1]) >= age(order[i]) {
			t.Errorf("%s (%d) is not before %s (%d)", order[i-1], age(order[i-1]), order[i], age(order[i]))
		}
	}
}

// Whatever the bytes, what is read is written and read again the same.
func FuzzDecode(f *testing.F) {
	for _, format := range []string{FormatJSON, FormatYAML} {
		renderer, err := RendererFor(format)
		if err != nil {
			f.Fatal(err)
		}
		// Small ones: what is interesting is made smaller before the search goes on.
		small := &ConformanceReport{APIVersion: APIVersion, Kind: Kind, Result: Passed, Fixtures: []Fixture{{Name: "a", Verdict: Pass, Timeline: &Timeline{End: 9, Pods: []PodLine{{Name: "p", Spans: []Span{{Container: "c", Role: RoleStep, To: ms(5)}}}}}}}}
		var b bytes.Buffer
		if err := renderer.Render(&b, small); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"apiVersion":"plumbline.dev/v1alpha1","kind":"ConformanceReport","result":"passed"}`))
	f.Add([]byte("apiVersion: plumbline.dev/v1alpha1\nkind: ConformanceReport\nresult: failed\nreasons: [\"\\n a\\u2028\\x85 #\", '0x1', \"a\\n\\n\", ~]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for _, format := range Formats() {
			renderer, err := RendererFor(format)
			if err != nil {
				t.Fatal(err)
			}
			if err := renderer.Render(&bytes.Buffer{}, r); err != nil {
				t.Fatal(err)
			}
		}
		table := NewTable([]Named{{Report: r}, {Report: example()}, {Report: r}}, TableOptions{})
		for _, format := range TableFormats() {
			if err := table.Render(&bytes.Buffer{}, format); err != nil {
				t.Fatal(err)
			}
		}
		if g := NewGate(r, r); !g.Passed {
			t.Fatalf("a report is worse than itself: %+v", g)
		}
		if d := Diff(r, r, DiffOptions{}); d.Unexplained > 0 {
			t.Fatalf("a report differs from itself: %+v", d)
		}
		first, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		second, err := Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("not canonical: %v", err)
		}
		var asYAML bytes.Buffer
		if err := (YAML{}).Render(&asYAML, r); err != nil {
			t.Fatal(err)
		}
		fromYAML, err := Decode(asYAML.Bytes())
		if err != nil {
			t.Fatalf("what was written as YAML cannot be read: %v\n%s", err, asYAML.Bytes())
		}
		third, err := Encode(fromYAML)
		if err != nil || !bytes.Equal(first, third) {
			t.Fatalf("YAML says something else: %v\n%s", err, cmp.Diff(string(first), string(third)))
		}
	})
}

// Every text comes through YAML as it was.
func FuzzTextInYAML(f *testing.F) {
	for _, text := range []string{"", " a", "a\nb", "\na", "a\n\n", "a: b", "0x1", "~", "- a", "\t", "a\n b\n\tc", "\u2028\n", "#\n", "'\"\\", "a \nb ", "\x85\n", "\U0001F600\n", "1e3", "yes", "2026-01-01", "<<", "|\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := example()
		r.Reasons = []string{strings.ToValidUTF8(text, "?")}
		var b bytes.Buffer
		if err := (YAML{}).Render(&b, r); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
