// Package reports is the result of a conformance run as a document: typed, versioned, and the same bytes for the same run.
//
// A [ConformanceReport] says what was judged, by which suite and on which target. It has the verdict of every fixture, with
// the evidence or the failure. It is plain data: the engine fills it, [Encode] and [EncodeYAML] write it, and [Read] reads
// it back strictly. A [SweepReport] is the same for fixtures that ran under many seeds. Nothing in a report depends on the
// machine or the wall clock if the run was on virtual time.
//
// This package has only the documents, which is all that a program needs to publish or read one. Package render writes
// them for people and for CI. Package compare finds the differences between reports. Package visible makes untrusted text
// harmless to print.
//
// Limits: a report of a newer version is refused, not read in part. A timeline has only what watches saw.
package reports

import (
	"fmt"
	"slices"
	"strings"
)

// The document's type. Files of this version stay readable.
const (
	APIVersion = "plumbline.dev/v1alpha1"
	Kind       = "ConformanceReport"
)

// levelRequired is the level that always counts.
const levelRequired = "required"

// ConformanceReport is one run of a suite against one implementation.
type ConformanceReport struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Implementation Implementation `json:"implementation"`
	Suite          Suite          `json:"suite"`
	Target         Target         `json:"target"`
	// Date is when the run began (RFC 3339); runs on virtual time have none.
	Date string `json:"date,omitempty"`
	// Took is how long the run took by the clock, as 5m12.3s; runs on virtual time have none.
	Took string `json:"took,omitempty"`
	// Seed decides everything random of a run on virtual time.
	Seed *uint64 `json:"seed,omitempty"`
	// TraceHash is the hash of the traces of all fixtures, in order.
	TraceHash string `json:"traceHash,omitempty"`
	// Selection is set when a filter left fixtures out.
	Selection *Selection `json:"selection,omitempty"`
	// Policy is set when the run was judged by a policy, and by nothing else.
	Policy *Policy `json:"policy,omitempty"`
	// Binding are the levels whose failures count: required, and for the reference implementation reference.
	Binding []string `json:"binding,omitempty"`
	// Result is the verdict on the run; Reasons say why it is not a pass.
	Result  Result   `json:"result"`
	Reasons []string `json:"reasons,omitempty"`
	// Findings are where what is claimed and what is there differ.
	Findings []Finding `json:"findings,omitempty"`
	// Profiles and Fixtures are sorted by name; fixtures by profile first.
	Profiles []Profile `json:"profiles"`
	Fixtures []Fixture `json:"fixtures"`
	// Statements are what the fixtures' proves stand for, sorted by id.
	Statements []Statement `json:"statements,omitempty"`
}

// Statement is one statement of the documents that a fixture proves.
type Statement struct {
	ID string `json:"id"`
	// Source is where it stands: document, line and heading.
	Source string `json:"source"`
	// Text is the statement, shortened.
	Text string `json:"text"`
}

// Binds reports whether a failure of a fixture counts.
func (r *ConformanceReport) Binds(f *Fixture) bool {
	return f.Level == levelRequired || slices.Contains(r.Binding, f.Level)
}

// Proven returns the statements that a fixture proves, as far as the report tells their words.
func (r *ConformanceReport) Proven(f *Fixture) []Statement {
	var out []Statement
	for _, id := range f.Proves {
		if i, ok := slices.BinarySearchFunc(r.Statements, id, func(s Statement, id string) int { return strings.Compare(s.ID, id) }); ok {
			out = append(out, r.Statements[i])
		}
	}
	return out
}

// Implementation says what was judged, in its owner's words.
type Implementation struct {
	Organization string `json:"organization,omitempty"`
	Project      string `json:"project"`
	URL          string `json:"url,omitempty"`
	Version      string `json:"version,omitempty"`
	Contact      string `json:"contact,omitempty"`
}

// Suite says by what was judged.
type Suite struct {
	Version string `json:"version"`
	// Digest is the SHA-256 of the names and texts of all fixtures, selected or not.
	Digest   string `json:"digest"`
	Fixtures int    `json:"fixtures"`
}

// Target says where was judged.
type Target struct {
	Name              string `json:"name"`
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`
	VirtualTime       bool   `json:"virtualTime,omitempty"`
	// Capabilities are what the target has of what fixtures need.
	Capabilities []string `json:"capabilities,omitempty"`
	// Substituted are components that are not the implementation's own here.
	Substituted []string `json:"substituted,omitempty"`
}

// Selection says that only a part of the suite was to be run.
type Selection struct {
	Filter   string `json:"filter"`
	Selected int    `json:"selected"`
	Of       int    `json:"of"`
}

// Policy is a list of fields that an implementation has to support, and what was shown of each.
type Policy struct {
	Name string `json:"name"`
	// Title says what it is, Source where it stands.
	Title  string `json:"title,omitempty"`
	Source string `json:"source,omitempty"`
	// Result is passed only if every field did.
	Result Result        `json:"result"`
	Fields []PolicyField `json:"fields"`
}

// PolicyField is one field of a policy, as Step.script.
type PolicyField struct {
	Field   string  `json:"field"`
	Verdict Verdict `json:"verdict"`
	// Fixtures are those that judge it.
	Fixtures []string `json:"fixtures,omitempty"`
}

// String renders "tekton-api-spec-v1: 71 of 72 fields passed".
func (p *Policy) String() string {
	passed := 0
	for _, f := range p.Fields {
		if f.Verdict == Pass {
			passed++
		}
	}
	return fmt.Sprintf("%s: %d of %d fields passed", p.Name, passed, len(p.Fields))
}

// Result is the verdict on a run or a profile.
type Result string

// The results.
const (
	// Passed: every required fixture that the target can meet was executed and passed, and something was.
	Passed Result = "passed"
	// Failed: a required fixture failed.
	Failed Result = "failed"
	// Partial: nothing failed, but a required fixture was not executed: a mandatory feature is not claimed, or a fixture is excluded.
	Partial Result = "partial"
	// Inconclusive: nothing required was executed and passed.
	Inconclusive Result = "inconclusive"
	// Incomplete: the run was cut short, by a time budget or by hand.
	Incomplete Result = "incomplete"
	// Errored: the machine or the suite broke.
	Errored Result = "error"
)

// Results lists all results.
func Results() []Result {
	return []Result{Passed, Failed, Partial, Inconclusive, Incomplete, Errored}
}

// Finding is one difference between what an implementation claims and what was seen.
type Finding struct {
	Kind FindingKind `json:"kind"`
	// Of is what was claimed or not: a feature, a version of the API, a statement's id, a ConfigMap.
	Of      string `json:"of"`
	Profile string `json:"profile,omitempty"`
	// Message is one sentence.
	Message string `json:"message"`
	// Fixtures are those that show it.
	Fixtures []string `json:"fixtures,omitempty"`
}

// FindingKind says what kind of difference it is.
type FindingKind string

// The kinds of findings.
const (
	// ClaimedFails: a feature is claimed, or mandatory, and a fixture of it fails.
	ClaimedFails FindingKind = "claimed-feature-fails"
	// UnclaimedWorks: a feature is not claimed, and all its fixtures that could be tried pass.
	UnclaimedWorks FindingKind = "unclaimed-feature-works"
	// KnownMiss: a statement that is said to be missed is missed.
	KnownMiss FindingKind = "known-miss"
	// KnownMissPasses: a statement that is said to be missed is kept.
	KnownMissPasses FindingKind = "known-miss-passes"
	// ClaimedNotServed: a version of the API is claimed, and the API server has it not.
	ClaimedNotServed FindingKind = "claimed-version-not-served"
	// ServedUnclaimed: a version of the API is served, and not claimed.
	ServedUnclaimed FindingKind = "unclaimed-version-served"
	// NotWritable: configuration may be changed, by what its owner says, and the API server does not allow it.
	NotWritable FindingKind = "configuration-not-writable"
)

// FindingKinds lists all kinds.
func FindingKinds() []FindingKind {
	return []FindingKind{ClaimedFails, UnclaimedWorks, KnownMiss, KnownMissPasses, ClaimedNotServed, ServedUnclaimed, NotWritable}
}

// Verdict is the outcome of one fixture.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	// Unsupported: a feature that the implementation does not claim, or configuration that may not be touched.
	Unsupported Verdict = "unsupported"
	// NotOnThisTarget: the fixture needs what the target lacks.
	NotOnThisTarget Verdict = "not-on-this-target"
	// Excluded: left out by someone, for a reason.
	Excluded Verdict = "excluded"
	// Error: the machine broke, not the subject.
	Error Verdict = "error"
	// NotRun: the run ended before.
	NotRun Verdict = "not-run"
)

// Verdicts lists all verdicts.
func Verdicts() []Verdict {
	return []Verdict{Pass, Fail, Unsupported, NotOnThisTarget, Excluded, Error, NotRun}
}

// Profile is the result for one profile.
type Profile struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	// Reasons say why it is not a pass.
	Reasons []string `json:"reasons,omitempty"`
	// Features are the features judged: the mandatory ones that have fixtures, and the claimed ones.
	Features []string `json:"features,omitempty"`
	// Missing are mandatory features that the implementation does not claim.
	Missing     []string `json:"missing,omitempty"`
	Required    Tally    `json:"required"`
	Recommended Tally    `json:"recommended"`
	Reference   Tally    `json:"reference"`
}

// Tally counts verdicts.
type Tally struct {
	Total           int `json:"total"`
	Pass            int `json:"pass,omitempty"`
	Fail            int `json:"fail,omitempty"`
	Unsupported     int `json:"unsupported,omitempty"`
	NotOnThisTarget int `json:"notOnThisTarget,omitempty"`
	Excluded        int `json:"excluded,omitempty"`
	Error           int `json:"error,omitempty"`
	NotRun          int `json:"notRun,omitempty"`
}

// Add counts one verdict.
func (t *Tally) Add(v Verdict) {
	t.Total++
	switch v {
	case Pass:
		t.Pass++
	case Fail:
		t.Fail++
	case Unsupported:
		t.Unsupported++
	case NotOnThisTarget:
		t.NotOnThisTarget++
	case Excluded:
		t.Excluded++
	case Error:
		t.Error++
	case NotRun:
		t.NotRun++
	}
}

// String renders "3 of 5 passed, 1 failed, 1 unsupported".
func (t Tally) String() string {
	text := fmt.Sprintf("%d of %d passed", t.Pass, t.Total)
	for _, part := range []struct {
		n    int
		word string
	}{{t.Fail, "failed"}, {t.Error, "broke"}, {t.Unsupported, "unsupported"}, {t.NotOnThisTarget, "not on this target"}, {t.Excluded, "excluded"}, {t.NotRun, "not run"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text
}

// Fixture is the outcome of one fixture.
type Fixture struct {
	Name        string   `json:"name"`
	File        string   `json:"file"`
	Requirement string   `json:"requirement"`
	Profile     string   `json:"profile"`
	Level       string   `json:"level"`
	Component   string   `json:"component"`
	Features    []string `json:"features,omitempty"`
	// Without are features that an implementation must not claim for the fixture to apply.
	Without []string `json:"without,omitempty"`
	Proves  []string `json:"proves,omitempty"`
	Verdict Verdict  `json:"verdict"`
	// Reason says in words why the verdict is neither pass nor fail.
	Reason string `json:"reason,omitempty" print:"lines"`
	// Unstruck are faults of the fixture that could not strike: the implementation does not do what they are to break, so
	// that nothing was judged.
	Unstruck []string `json:"unstruck,omitempty"`
	// Invalid says that the verdict is error because the fixture itself is wrong.
	Invalid bool `json:"invalid,omitempty"`
	// Tried is what it came to when it was run although a feature of it is not claimed.
	Tried Verdict `json:"tried,omitempty"`
	// Duration is how long it took, in the target's time, as 15.25s.
	Duration string `json:"duration,omitempty"`
	// TraceHash is the hash of everything that happened, on virtual time.
	TraceHash string `json:"traceHash,omitempty"`
	// Evidence says what was seen that satisfied each check.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Failure is set for verdict fail.
	Failure *Failure `json:"failure,omitempty"`
	// Timeline is set for what was executed and saw objects.
	Timeline *Timeline `json:"timeline,omitempty"`
}

// Skipped reports whether a fixture was left out, and nothing went wrong: it does not apply, or could not judge anything.
func (f *Fixture) Skipped() bool {
	switch f.Verdict {
	case Unsupported, NotOnThisTarget, Excluded:
		return true
	case NotRun:
		return len(f.Unstruck) > 0
	}
	return false
}

// Evidence is what satisfied one check.
type Evidence struct {
	// Check is the check's place in the header, as spec.then[0].eventually.
	Check string `json:"check"`
	// At is its place in the file.
	At string `json:"at"`
	// Object is what was looked at.
	Object string `json:"object,omitempty"`
	// ResourceVersion is the version that satisfied it; only of targets on virtual time, elsewhere it is chance.
	ResourceVersion string `json:"resourceVersion,omitempty"`
	// After is the time since the fixture began.
	After string `json:"after,omitempty"`
	// Saw says in words what satisfied it.
	Saw string `json:"saw,omitempty"`
}

// Failure is why a fixture failed.
type Failure struct {
	// At is file:line:column of what was wanted.
	At string `json:"at"`
	// Check is the check's place in the header.
	Check string `json:"check"`
	// Message is one sentence.
	Message string `json:"message" print:"lines"`
	// Object is what was looked at; Path the field in it.
	Object string `json:"object,omitempty"`
	Path   string `json:"path,omitempty"`
	Want   string `json:"want,omitempty" print:"lines"`
	Got    string `json:"got,omitempty" print:"lines"`
	// Diff has a line per difference, - what was wanted, + what was there.
	Diff string `json:"diff,omitempty" print:"lines"`
	// History is the life of the object, or of all where the failure names none: every change of a condition.
	History []string `json:"history,omitempty"`
	// Events are the Kubernetes events of the fixture's namespace.
	Events []string `json:"events,omitempty"`
	// Logs are the ends of the containers' logs; of Pods that are gone, what is known of them.
	Logs []Log `json:"logs,omitempty"`
	// Missing are commands that containers tried to run and did not have, on a simulated cluster.
	Missing []MissingCommand `json:"missing,omitempty"`
	// Seed decided everything random, on virtual time.
	Seed *uint64 `json:"seed,omitempty"`
	// Replay is a command that shows the same failure.
	Replay string `json:"replay,omitempty"`
}

// ToldBy is the message of a failure whose cause another fixture tells in full. Both count as failures of that one cause.
func ToldBy(message, fixture string) string { return message + "; see fixture " + fixture }

// Log is the end of one container's log.
type Log struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Text      string `json:"text" print:"lines"`
}
