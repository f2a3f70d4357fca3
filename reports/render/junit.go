package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
)

// JUnit renders JUnit XML: a test suite for each profile, a test case for each fixture, and nothing else that is counted.
//
// There is no standard. This keeps to what the strict schema of Jenkins' xUnit plugin allows, which GitLab and the readers
// for GitHub understand, too, and adds what pytest writes and most readers show: file and line of a case, and properties
// of its own. Failures are those that count, so that a reader's verdict is the run's: what does not count, or was not
// judged, is skipped, with its reason. A suite's properties and output have the verdict on the run, why it is not a pass, and
// where claims and observations differ: a run can fail without a failed fixture, which otherwise only its exit code shows.
//
// Times are real seconds. A report of a run on virtual time does not contain them: the caller that ran it passes them as Took;
// without it the cases have no time. The property "virtual seconds" is a fixture's virtual time.
type JUnit struct {
	// Took is how long each fixture took by the clock.
	Took map[string]time.Duration
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Time     string       `xml:"time,attr,omitempty"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr,omitempty"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Output     *junitText      `xml:"system-out"`

	took  time.Duration
	timed bool
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitCase struct {
	Class      string           `xml:"classname,attr"`
	Name       string           `xml:"name,attr"`
	File       string           `xml:"file,attr,omitempty"`
	Line       int              `xml:"line,attr,omitempty"`
	Time       string           `xml:"time,attr,omitempty"`
	Properties *junitProperties `xml:"properties"`
	Failure    *junitState      `xml:"failure"`
	Error      *junitState      `xml:"error"`
	Skipped    *junitState      `xml:"skipped"`
	Output     *junitText       `xml:"system-out"`
}

type junitState struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// Render implements Renderer.
func (j JUnit) Render(w io.Writer, r *reports.ConformanceReport) error {
	r = harmless.Copy(r)
	all := junitSuites{Name: about(r)}
	places := map[string]int{}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		at, there := places[f.Profile]
		if !there {
			at = len(all.Suites)
			places[f.Profile] = at
			all.Suites = append(all.Suites, junitSuite{Name: f.Profile, Timestamp: r.Date, Properties: properties(r), Output: junitVerdict(r, f.Profile)})
		}
		all.Suites[at].add(r, f, j.took(r, f))
	}
	if len(all.Suites) == 0 { // there is no test, and still something to tell
		all.Suites = []junitSuite{{Name: "plumbline", Timestamp: r.Date, Properties: properties(r), Output: junitVerdict(r, "")}}
	}
	return all.render(w)
}

// render adds the suites up and writes them.
func (all *junitSuites) render(w io.Writer) error {
	var total time.Duration
	timed := false
	for i := range all.Suites {
		s := &all.Suites[i]
		if s.timed {
			s.Time, timed = seconds(s.took), true
		}
		total += s.took
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
	}
	if timed {
		all.Time = seconds(total)
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	return harmless.Write(w, []byte(xml.Header+string(data)+"\n"))
}

// took returns how long a fixture took by the clock, or nil if that is not known.
func (j JUnit) took(r *reports.ConformanceReport, f *reports.Fixture) *time.Duration {
	if d, ok := j.Took[f.Name]; ok {
		return &d
	}
	if d, err := time.ParseDuration(f.Duration); err == nil && !r.Target.VirtualTime {
		return &d
	}
	return nil
}

// lineOf returns the line in a fixture's file that a reader is led to: of the check that failed, or of the first that held.
func lineOf(f *reports.Fixture) int {
	var at []string
	if f.Failure != nil {
		at = append(at, f.Failure.At)
	}
	for _, e := range f.Evidence {
		at = append(at, e.At)
	}
	for _, x := range at {
		if file, line, _ := annotation.Place(x); file == f.File && line > 0 {
			return line
		}
	}
	return 1
}

func (s *junitSuite) add(r *reports.ConformanceReport, f *reports.Fixture, took *time.Duration) {
	c := junitCase{Class: f.Profile, Name: f.Name, File: f.File, Line: lineOf(f), Output: &junitText{output(r, f)}}
	if took != nil {
		c.Time = seconds(*took)
		s.took += *took
		s.timed = true
	}
	if d, err := time.ParseDuration(f.Duration); err == nil && r.Target.VirtualTime {
		c.Properties = &junitProperties{[]junitProperty{{"virtual seconds", seconds(d)}}}
	}
	state := &junitState{Message: f.Reason, Type: string(f.Verdict)}
	switch {
	case f.Verdict == reports.Pass:
	case f.Verdict == reports.Fail && f.Failure != nil:
		state.Message = failure.Headline(f.Failure)
		if r.Binds(f) {
			state.Text = junitAccount(r, f)
			c.Failure = state
			s.Failures++
			break
		}
		state.Message = "failed, which does not count at level " + f.Level + ": " + state.Message
		c.Skipped = state
		c.Output.Text = junitAccount(r, f) + c.Output.Text
		s.Skipped++
	case f.Verdict == reports.Error:
		c.Error = state
		s.Errors++
	default:
		state.Message = string(f.Verdict) + ": " + f.Reason
		c.Skipped = state
		s.Skipped++
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}

// junitVerdict returns what is not a test: the verdicts on the run and the profile, and the findings.
func junitVerdict(r *reports.ConformanceReport, profile string) *junitText {
	var b strings.Builder
	fmt.Fprintf(&b, "run: %s\n", r.Result)
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	if p := r.Policy; p != nil {
		fmt.Fprintf(&b, "policy: %s: %s\n", p, p.Result)
		for _, f := range p.Fields {
			fmt.Fprintf(&b, "policy field: %s: %s (%s)\n", f.Field, f.Verdict, strings.Join(f.Fixtures, ", "))
		}
	}
	for _, p := range r.Profiles {
		if p.Name == profile {
			fmt.Fprintf(&b, "profile: %s\n", p.Result)
		}
	}
	for _, f := range r.Findings {
		if f.Profile == "" || f.Profile == profile || profile == "" {
			fmt.Fprintf(&b, "finding: %s: %s\n", f.Kind, f.Message)
		}
	}
	return &junitText{b.String()}
}

func junitAccount(r *reports.ConformanceReport, f *reports.Fixture) string {
	var b bytes.Buffer
	fmt.Fprintln(&b, f.Requirement)
	failure.Account(&b, f, r.Proven(f))
	return b.String()
}

// output returns the facts about a fixture that have no place in an attribute.
func output(r *reports.ConformanceReport, f *reports.Fixture) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "requirement: %s\nfile: %s\nlevel: %s\ncomponent: %s\n", f.Requirement, f.File, f.Level, f.Component)
	if len(f.Features) > 0 {
		fmt.Fprintf(&b, "features: %s\n", strings.Join(f.Features, ", "))
	}
	for _, s := range r.Proven(f) {
		fmt.Fprintf(&b, "proves: %s (%s): %s\n", s.ID, s.Source, s.Text)
	}
	for _, e := range f.Evidence {
		fmt.Fprintf(&b, "held: %s\n", held(e))
	}
	if f.TraceHash != "" {
		fmt.Fprintf(&b, "trace: %s\n", f.TraceHash)
	}
	return b.String()
}

// held renders "fixtures/a.yaml:9:5 spec.then[0].eventually: taskrun/a at +15s (version 12): Succeeded=True".
func held(e reports.Evidence) string {
	text := e.At + " " + e.Check + ":"
	if e.Object != "" {
		text += " " + e.Object
	}
	if e.After != "" {
		text += " at +" + e.After
	}
	if e.ResourceVersion != "" {
		text += " (version " + e.ResourceVersion + ")"
	}
	if e.Saw != "" {
		text += ": " + e.Saw
	}
	return text
}

// properties say what was judged, by what, and where.
func properties(r *reports.ConformanceReport) []junitProperty {
	var out []junitProperty
	for _, p := range facts(r) {
		out = append(out, junitProperty{p.name, p.value})
	}
	return append(out, junitProperty{"result", string(r.Result)})
}

// seconds renders a duration as 15.250.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
