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
		{"a verdict that is none", `"verdict": "pass"`, `"verdict": "ok"`, `fixtures[0].verdict: unknown verdict "ok"`},
		{"a result that is none", `"result": "failed"`, `"result": "fine"`, `unknown result "fine"`},
		{"a fixture listed twice", `"name": "b"`, `"name": "a"`, `"a" is listed twice`},
		{"a failure that is a pass", `"verdict": "fail"`, `"verdict": "pass"`, "do not fit"},
		{"a pass with a required failure", `"result": "failed"`, `"result": "passed"`, `"b" failed, but the result is "passed"`},
		{"a wrong type", `"fixtures": 3`, `"fixtures": "3"`, "14:17: suite.fixtures: is a string, want a number"},
		{"something behind", "}\n", "}\n{}", "more behind the document"},
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

// Whatever the bytes, what is read is written and read again the same.
func FuzzDecode(f *testing.F) {
	good, err := Encode(example())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"apiVersion":"plumbline.dev/v1alpha1","kind":"ConformanceReport","result":"passed"}`))
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
	})
}
