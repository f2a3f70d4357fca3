package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

// What the schema of Jenkins' xUnit plugin (junit-10.xsd) has of what is written here: attributes and children of each
// element. A case has more: its file and line, and properties, as pytest writes them.
func TestJUnitKeepsToTheSchema(t *testing.T) {
	t.Parallel()
	type element struct{ required, optional, children []string }
	state := element{optional: []string{"type", "message"}}
	schema := map[string]element{
		"testsuites": {optional: []string{"name", "time", "tests", "failures", "errors"}, children: []string{"testsuite"}},
		"testsuite": {required: []string{"name", "tests", "failures", "errors"}, optional: []string{"time", "skipped", "timestamp"},
			children: []string{"properties", "testcase", "system-out"}},
		"properties": {children: []string{"property"}},
		"property":   {required: []string{"name", "value"}},
		"testcase":   {required: []string{"name"}, optional: []string{"time", "classname", "file", "line"}, children: []string{"properties", "skipped", "error", "failure", "system-out"}},
		"failure":    state, "error": state, "skipped": state, "system-out": {},
	}
	seconds := regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`)
	count := map[string]int{}
	attributes := map[string]string{}
	d := xml.NewDecoder(bytes.NewReader(rendered(t, FormatJUnit, reporttest.Full())))
	var path []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			name := x.Name.Local
			e, ok := schema[name]
			if parent := slices.Concat([]string{""}, path)[len(path)]; !ok || parent != "" && !slices.Contains(schema[parent].children, name) {
				t.Fatalf("element %s in %v", name, path)
			}
			var has []string
			for _, a := range x.Attr {
				has = append(has, a.Name.Local)
				if a.Name.Local == "time" && !seconds.MatchString(a.Value) {
					t.Errorf("%s: time %q", name, a.Value)
				}
				if name == "testsuites" {
					attributes[a.Name.Local] = a.Value
				}
			}
			for _, a := range has {
				if !slices.Contains(slices.Concat(e.required, e.optional), a) {
					t.Errorf("%s has the attribute %s", name, a)
				}
			}
			for _, a := range e.required {
				if !slices.Contains(has, a) {
					t.Errorf("%s has no attribute %s", name, a)
				}
			}
			count[name]++
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	for attribute, name := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error"} {
		if got := fmt.Sprint(count[name]); attributes[attribute] != got {
			t.Errorf("%s says %s, there are %s", attribute, attributes[attribute], got)
		}
	}
	if count["testcase"] != len(reporttest.Full().Fixtures) || count["failure"] != 1 || count["skipped"] != 5 || count["testsuite"] != 2 {
		t.Errorf("counted %v", count)
	}
}

// Every annotation is one line that the runner takes apart as it was meant.
func TestAnnotationsAreEscaped(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^::(error|warning|notice) (file=[^:,]*,)?(line=[0-9]+,)?(col=[0-9]+,)?title=[^:,]*::[^\r\n]*$`)
	for text := range strings.SplitSeq(strings.TrimRight(string(rendered(t, FormatGitHub, reporttest.Full())), "\n"), "\n") {
		if !line.MatchString(text) {
			t.Errorf("no workflow command: %s", text)
		}
	}
}

// An annotation has at most 1 KB, in which what matters comes first.
func TestAnnotationsAreShort(t *testing.T) {
	t.Parallel()
	r := reporttest.Full()
	f := reporttest.ByName(r)["fails-for-all-to-see"]
	f.Requirement = strings.Repeat("lörem, ipsum: 50%\n", 3)
	f.Failure.Got = strings.Repeat("%\n", 400)
	f.Failure.Logs = []reports.Log{{Pod: "p", Container: "c", Text: strings.Repeat("log\n", 10_000)}}
	reporttest.ByName(r)["breaks"].Reason = strings.Repeat("stack %\r\n", 500)
	r.Reasons = []string{strings.Repeat("reason, ", 400)}
	for line := range strings.SplitSeq(strings.TrimRight(string(rendered(t, FormatGitHub, r)), "\n"), "\n") {
		if len(line) > 1024 {
			t.Errorf("%d bytes: %s", len(line), line)
		}
	}
	got := string(rendered(t, FormatGitHub, reporttest.Full()))
	for _, want := range []string{
		`title=fails-for-all-to-see (required)::A retry <b>waits</b> | for ` + "`no one`" + `.%0Ataskrun/flaky status.conditions[type=Succeeded].reason%0Awant "Finished"%0Agot "100%25 Failed"%0A`,
		`S004-129 (taskruns.md, line 703, "Retries"): retries sets how often a failed TaskRun is retried`,
		`replay: plumbline run -f 'my fixtures' --name fails-for-all-to-see --seed 7`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no annotation says %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "alert(1)") {
		t.Error("an annotation has a log")
	}
}

// JUnit's times are those of the clock, given by the caller; virtual time is a property.
func TestJUnitHasTheClocksTimes(t *testing.T) {
	t.Parallel()
	r := reporttest.Full()
	render := func(j JUnit) string {
		var b bytes.Buffer
		if err := j.Render(&b, r); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	virtual := render(JUnit{})
	if strings.Contains(virtual, "time=") {
		t.Errorf("virtual time is shown as the clock's:\n%s", virtual)
	}
	got := render(JUnit{Took: map[string]time.Duration{"passes": 3 * time.Millisecond, "fails-for-all-to-see": 40 * time.Millisecond}})
	for _, want := range []string{
		`<testcase classname="taskrun-core" name="passes" file="fixtures/passes.yaml" line="9" time="0.003">`,
		`<testcase classname="taskrun-core" name="fails-for-all-to-see" file="fixtures/a, b: c.yaml" line="17" time="0.040">`,
		`<property name="virtual seconds" value="15.250"></property>`,
		`<testsuite name="taskrun-core" tests="8" failures="1" errors="1" skipped="4" time="0.043">`,
		`<testcase classname="taskrun-core" name="unclaimed" file="fixtures/unclaimed.yaml" line="1">`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it has no %s:\n%s", want, got)
		}
	}
	r.Target.VirtualTime = false
	if real := render(JUnit{}); !strings.Contains(real, `name="passes" file="fixtures/passes.yaml" line="9" time="15.250"`) || strings.Contains(real, "virtual") {
		t.Errorf("a target on real time has its own times:\n%s", real)
	}
}

func TestMarkdownFitsAStepSummary(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	r := reporttest.Full()
	failing := *reporttest.ByName(r)["fails-for-all-to-see"]
	failure := *failing.Failure
	failure.Logs = []reports.Log{{Pod: "p", Container: "c", Text: strings.Repeat("lörem ipsum\n", 10_000)}}
	failing.Failure = &failure
	for i := range 3000 {
		failing.Name = fmt.Sprintf("fails-%d", i)
		r.Fixtures = append(r.Fixtures, failing)
	}
	got := rendered(t, FormatMarkdown, r)
	if len(got) > limit {
		t.Errorf("%d bytes, a step summary takes %d", len(got), limit)
	}
	for _, want := range []string{"… and 2952 more.", "… and 2009 more.", "truncated; the report has the rest"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// The page works from a file: nothing in it is fetched, and nothing that was written into a log is obeyed.
func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	got := string(rendered(t, FormatHTML, reporttest.Full()))
	for _, not := range []string{"ZgotmplZ", "<script>alert", "src=", "<link", "@import", "url(", "fetch(", "<b>waits"} {
		if strings.Contains(got, not) {
			t.Errorf("the page has %q", not)
		}
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if !strings.HasPrefix(link[1], "#") && link[1] != "https://example.com/toy" {
			t.Errorf("the page leads to %s", link[1])
		}
	}
	if n := strings.Count(got, `<details class="fixture"`); n != len(reporttest.Full().Fixtures) {
		t.Errorf("%d fixtures, want %d", n, len(reporttest.Full().Fixtures))
	}
	for _, want := range []string{
		`<i class="good"></i><span class="t">+30s</span> Succeeded=True/Succeeded`,
		`attempt 2, Running`, `2 instances, exit 128`, `title="step-try worked 30s–50s"`, `id="fails-for-all-to-see"`,
		`plumbline run -f &#39;my fixtures&#39; --name fails-for-all-to-see --seed 7`, `S999-001`,
		`<span class="tags">retries, timeout</span>`, // features are seen, and printed, of what is folded, too
		`<span class="badge bad">failed</span></dt><dd>taskrun-core/retries (1 of 1 failed), taskrun-core/timeout (1 of 2 failed)</dd>`,
		`<li>1 × status.conditions[type=Succeeded].reason: want &#34;Finished&#34;, got &#34;100% Failed&#34;: <a href="#fails-for-all-to-see">`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestAChartEndsWhereSomethingHappened(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		end    int64
		last   string // place of the last transition, in percent
		ticks  int
		rest   bool
	}{
		{"judging ended at once", 10_000, "98.02", 5, false},
		{"a day was waited in vain", 86_400_000, "89.11", 6, true},
	} {
		c := newChart(&reports.Timeline{End: tt.end, Objects: []reports.ObjectLine{{Object: "taskrun/a", Transitions: []reports.Transition{{At: 10_000, Type: "Succeeded", Status: "True"}}}}})
		if got := c.Rows[0].Bars[0].Left; got != tt.last || len(c.Ticks) != tt.ticks || (c.Rest != "") != tt.rest {
			t.Errorf("%s: at %s with %d ticks, %q, want %s and %d", tt.reason, got, len(c.Ticks), c.Rest, tt.last, tt.ticks)
		}
	}
	if newChart(nil) != nil || len(newChart(&reports.Timeline{}).Rows) != 0 {
		t.Error("nothing is drawn wrongly")
	}
}
