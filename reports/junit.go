package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// JUnit renders JUnit XML: a test suite for each profile, a test case for each fixture.
//
// There is no standard; this keeps to what the strict schema of Jenkins' xUnit plugin
// allows, which GitLab and the readers for GitHub understand, too. Failures are those
// that count, so that a reader's verdict is the run's: what does not count, or was not
// judged, is skipped, with its reason. The suite "plumbline findings" has what is
// claimed and seen differently: as skipped cases, too, since findings do not decide
// about a run. The last suite, "plumbline", has the verdict on the run, since a run can
// fail without a failed fixture. Times are the target's.
type JUnit struct{}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Time     string       `xml:"time,attr"`
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
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`

	took time.Duration
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr,omitempty"`
	Failure *junitState `xml:"failure"`
	Error   *junitState `xml:"error"`
	Skipped *junitState `xml:"skipped"`
	Output  *junitText  `xml:"system-out"`
}

type junitState struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

var _ Renderer = JUnit{}

// The suites, and classes, of what is no fixture.
const (
	junitVerdict  = "plumbline"
	junitFindings = "plumbline findings"
)

// Render implements Renderer.
func (JUnit) Render(w io.Writer, r *ConformanceReport) error {
	r = shown(r)
	all := junitSuites{Name: about(r)}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != f.Profile {
			all.Suites = append(all.Suites, junitSuite{Name: f.Profile, Timestamp: r.Date, Properties: properties(r)})
		}
		all.Suites[len(all.Suites)-1].add(r, f)
	}
	if len(r.Findings) > 0 {
		all.Suites = append(all.Suites, findingSuite(r))
	}
	verdict := junitSuite{Name: junitVerdict, Tests: 1, Timestamp: r.Date, Properties: properties(r)}
	result := junitCase{Class: junitVerdict, Name: "the run passes as a whole"}
	if r.Result != Passed {
		verdict.Failures = 1
		result.Failure = &junitState{Message: string(r.Result), Type: string(r.Result), Text: strings.Join(r.Reasons, "\n")}
	}
	verdict.Cases = []junitCase{result}
	all.Suites = append(all.Suites, verdict)
	var total time.Duration
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = seconds(s.took)
		total += s.took
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
	}
	all.Time = seconds(total)
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	return write(w, []byte(xml.Header+string(data)+"\n"))
}

func (s *junitSuite) add(r *ConformanceReport, f *Fixture) {
	c := junitCase{Class: f.Profile, Name: f.Name, Output: &junitText{output(r, f)}}
	if d, err := time.ParseDuration(f.Duration); err == nil {
		c.Time = seconds(d)
		s.took += d
	}
	state := &junitState{Message: f.Reason, Type: string(f.Verdict)}
	switch {
	case f.Verdict == Pass:
	case f.Verdict == Fail && f.Failure != nil:
		state.Message = headline(f.Failure)
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
	case f.Verdict == Error:
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

// findingSuite has a case for each finding, named by what it is about.
func findingSuite(r *ConformanceReport) junitSuite {
	s := junitSuite{Name: junitFindings, Timestamp: r.Date, Properties: properties(r)}
	for _, f := range r.Findings {
		s.Cases = append(s.Cases, junitCase{Class: junitFindings + "." + string(f.Kind), Name: strings.TrimSpace(f.Profile + " " + f.Of),
			Skipped: &junitState{Message: f.Message, Type: string(f.Kind)},
			Output:  &junitText{strings.Join(append([]string{f.Message}, f.Fixtures...), "\n") + "\n"}})
		s.Tests++
		s.Skipped++
	}
	return s
}

func junitAccount(r *ConformanceReport, f *Fixture) string {
	var b bytes.Buffer
	fmt.Fprintln(&b, f.Requirement)
	account(&b, f, r.Proven(f))
	return b.String()
}

// headline is a failure in a line.
func headline(x *Failure) string {
	text := x.Message
	if x.Path != "" {
		text += ": " + x.Path
	}
	if x.Want != "" || x.Got != "" {
		text += fmt.Sprintf(": want %s, got %s", short(x.Want), short(x.Got))
	}
	return text
}

// short cuts what would make a line unreadable.
func short(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// output tells of a fixture what has no place in an attribute.
func output(r *ConformanceReport, f *Fixture) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "requirement: %s\nfile: %s\nlevel: %s\ncomponent: %s\n", f.Requirement, f.File, f.Level, f.Component)
	if len(f.Features) > 0 {
		fmt.Fprintf(&b, "features: %s\n", strings.Join(f.Features, ", "))
	}
	for _, s := range r.Proven(f) {
		fmt.Fprintf(&b, "proves: %s (%s): %s\n", s.ID, s.Source, s.Text)
	}
	for _, e := range f.Evidence {
		fmt.Fprintf(&b, "held: %s\n", e)
	}
	if f.TraceHash != "" {
		fmt.Fprintf(&b, "trace: %s\n", f.TraceHash)
	}
	return b.String()
}

// String renders "fixtures/a.yaml:9:5 spec.then[0].eventually: taskrun/a at +15s (version 12): Succeeded=True".
func (e Evidence) String() string {
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
func properties(r *ConformanceReport) []junitProperty {
	var out []junitProperty
	for _, p := range facts(r) {
		out = append(out, junitProperty{p.name, p.value})
	}
	return append(out, junitProperty{"result", string(r.Result)})
}

// fact is something about the run as a whole.
type fact struct{ name, value string }

// facts that are hashes.
const (
	factDigest = "suite digest"
	factTrace  = "trace"
)

// facts lists what identifies a run.
func facts(r *ConformanceReport) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("implementation", r.Implementation.Project)
	add("implementation version", r.Implementation.Version)
	add("organization", r.Implementation.Organization)
	add("url", r.Implementation.URL)
	add("contact", r.Implementation.Contact)
	add("suite", r.Suite.Version)
	add(factDigest, r.Suite.Digest)
	add("target", r.Target.Name)
	add("kubernetes", r.Target.KubernetesVersion)
	add("substituted", strings.Join(r.Target.Substituted, ", "))
	add("date", r.Date)
	add("took", r.Took)
	if r.Seed != nil {
		add("seed", strconv.FormatUint(*r.Seed, 10))
	}
	add(factTrace, r.TraceHash)
	if r.Selection != nil {
		add("selection", fmt.Sprintf("%s: %d of %d fixtures", r.Selection.Filter, r.Selection.Selected, r.Selection.Of))
	}
	return out
}

// about names a run: implementation, version, target.
func about(r *ConformanceReport) string {
	text := r.Implementation.Project
	if r.Implementation.Version != "" {
		text += " " + r.Implementation.Version
	}
	return strings.TrimSpace(text) + " on " + r.Target.Name
}

// seconds renders a duration as 15.250.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
