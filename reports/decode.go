package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// ErrInvalid is what every error of Decode and Read is, by errors.Is.
var ErrInvalid = errors.New("not a conformance report")

// InvalidError says what is wrong with a document, and where.
type InvalidError struct{ source.Errors }

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Unwrap returns the mistakes with their places.
func (e *InvalidError) Unwrap() error { return e.Errors }

// limits are more than any document of this package has, and less than hurts.
var limits = source.Limits{Size: 64 << 20, Values: 2_000_000, Depth: 64}

// Encode returns the canonical bytes of a report: JSON with fields in a fixed
// order, indented, ended by a newline.
func Encode(r *ConformanceReport) ([]byte, error) { return encode(r, "report") }

func encode(document any, what string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return nil, fmt.Errorf("encoding the %s: %w", what, err)
	}
	return visible.JSON(b.Bytes()), nil
}

// Decode reads a report, as JSON or as YAML. Unknown fields, unknown words and
// anything behind the document are errors: a report that is read wrongly is worse
// than none. So is a report of a newer version.
func Decode(data []byte) (*ConformanceReport, error) { return Read("", data) }

// Read is Decode of a file: errors, of type *InvalidError, begin with its name.
func Read(file string, data []byte) (*ConformanceReport, error) {
	r := &ConformanceReport{}
	if err := ReadDocument(file, data, Kind, r, r.mistake); err != nil {
		return nil, err
	}
	if r.Profiles == nil {
		r.Profiles = []Profile{}
	}
	if r.Fixtures == nil {
		r.Fixtures = []Fixture{}
	}
	return r, nil
}

// ReadDocument reads a document of another kind as strictly as Read reads a report. check, which may be nil, finds what
// the types cannot: it returns a mistake with its Path, which ReadDocument gives its line and column. The error is an *InvalidError.
func ReadDocument(file string, data []byte, kind string, into any, check func() *source.Error) error {
	doc, errs := source.ParseOne(file, data, limits)
	if len(errs) == 0 {
		if m := identify(doc, kind); m != nil {
			errs.Add(m)
		}
	}
	if len(errs) == 0 {
		d := &source.Decoder{Doc: doc, Errs: &errs, JSON: true, Unknown: "a typo, or from a newer plumbline"}
		d.Decode(doc.Root, into, "")
	}
	if len(errs) == 0 && check != nil {
		if m := check(); m != nil {
			errs.Add(placed(doc, m))
		}
	}
	if len(errs) > 0 {
		return &InvalidError{errs}
	}
	return nil
}

// placed gives a mistake the place of its field, or of what is nearest above it.
func placed(doc *source.Document, m *source.Error) *source.Error {
	at, _ := source.Reach(doc.Root, m.Path)
	m.Position = doc.Position(at)
	return m
}

// identify checks what a document says it is, before its fields are looked at: those of another version may be others.
func identify(doc *source.Document, kind string) *source.Error {
	if doc.Root.Kind != yaml.MappingNode {
		return &source.Error{Position: doc.Position(doc.Root), Message: fmt.Sprintf("must be a mapping of kind %s, got %s", kind, source.Describe(doc.Root))}
	}
	mistake := func(path, format string, args ...any) *source.Error {
		return placed(doc, &source.Error{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	said := func(field string) string {
		if n, missing := source.Reach(doc.Root, field); missing == 0 && n.Kind == yaml.ScalarNode {
			return n.Value
		}
		return ""
	}
	apiVersion, saidKind := said("apiVersion"), said("kind")
	group, version, _ := strings.Cut(apiVersion, "/")
	ourGroup, ourVersion, _ := strings.Cut(APIVersion, "/")
	switch {
	case apiVersion == "" || saidKind == "":
		return mistake("", "has no apiVersion and kind; a document of this kind begins with apiVersion %s and kind %s", APIVersion, kind)
	case group != ourGroup:
		return mistake("apiVersion", "%q is not a version of Plumbline, want %q", apiVersion, APIVersion)
	case saidKind != kind:
		return mistake("kind", "%q, want %q", saidKind, kind)
	case version != ourVersion && age(version) > age(ourVersion):
		return mistake("apiVersion", "%q is newer than what this plumbline reads (%s): use a newer plumbline", apiVersion, APIVersion)
	case version != ourVersion:
		return mistake("apiVersion", "unknown version %q, want %q", apiVersion, APIVersion)
	}
	return nil
}

// age orders versions as Kubernetes does: v1alpha1, v1alpha2, v1beta1, v1, v2alpha1. A text that is not a version has age 0.
func age(version string) int {
	var major, minor int
	for stage, word := range []string{"alpha", "beta"} {
		if n, _ := fmt.Sscanf(version, "v%d"+word+"%d", &major, &minor); n == 2 && version == fmt.Sprintf("v%d%s%d", major, word, minor) && major < 1000 && minor < 1000 {
			return major*10000 + stage*1000 + minor
		}
	}
	if n, _ := fmt.Sscanf(version, "v%d", &major); n == 1 && version == fmt.Sprintf("v%d", major) && major < 1000 {
		return major*10000 + 2000
	}
	return 0
}

// mistake finds what the types cannot: unknown words, contradictions. The place is yet to be found.
func (r *ConformanceReport) mistake() *source.Error {
	invalid := func(path, format string, args ...any) *source.Error {
		return &source.Error{Path: path, Message: fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(Results(), r.Result) {
		return unknown("result", "result", r.Result, Results())
	}
	for i, p := range r.Profiles {
		if p.Name == "" {
			return invalid(fmt.Sprintf("profiles[%d]", i), "has no name")
		}
		if !slices.Contains(Results(), p.Result) {
			return unknown(fmt.Sprintf("profiles[%d].result", i), "result", p.Result, Results())
		}
	}
	if p := r.Policy; p != nil {
		if !slices.Contains(Results(), p.Result) {
			return unknown("policy.result", "result", p.Result, Results())
		}
		for i, f := range p.Fields {
			if !slices.Contains(Verdicts(), f.Verdict) {
				return unknown(fmt.Sprintf("policy.fields[%d].verdict", i), "verdict", f.Verdict, Verdicts())
			}
		}
	}
	for i, f := range r.Findings {
		if !slices.Contains(FindingKinds(), f.Kind) {
			return unknown(fmt.Sprintf("findings[%d].kind", i), "kind", f.Kind, FindingKinds())
		}
	}
	if !slices.IsSortedFunc(r.Statements, func(a, b Statement) int { return strings.Compare(a.ID, b.ID) }) {
		return invalid("statements", "are not sorted by id")
	}
	seen := map[string]bool{}
	for i, f := range r.Fixtures {
		path := fmt.Sprintf("fixtures[%d]", i)
		switch {
		case f.Name == "":
			return invalid(path, "has no name")
		case seen[f.Name]:
			return invalid(path+".name", "%q is listed twice", f.Name)
		case !slices.Contains(Verdicts(), f.Verdict):
			return unknown(path+".verdict", "verdict", f.Verdict, Verdicts())
		case f.Tried != "" && (f.Verdict != Unsupported || !slices.Contains(Verdicts(), f.Tried)):
			return invalid(path+".tried", "%q does not fit verdict %q", f.Tried, f.Verdict)
		case len(f.Unstruck) > 0 && f.Verdict != NotRun:
			return invalid(path+".unstruck", "faults that could not strike do not fit verdict %q", f.Verdict)
		case (f.Failure != nil) != (f.Verdict == Fail):
			return invalid(path+".verdict", "verdict %q does not fit the failure details", f.Verdict)
		case r.Result == Passed && f.Level == levelRequired && f.Verdict == Fail:
			return invalid(path+".verdict", "%q failed, but the result is %q", f.Name, r.Result)
		}
		seen[f.Name] = true
		if m := f.Timeline.mistake(path + ".timeline"); m != nil {
			return m
		}
	}
	return nil
}

// unknown is the mistake of a word that is not among those that there are.
func unknown[T ~string](path, what string, word T, words []T) *source.Error {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return &source.Error{Path: path, Message: fmt.Sprintf("unknown %s %q", what, string(word)), Hint: source.DidYouMean(string(word), names)}
}

// longest is more than any run takes, in milliseconds: some thirty years.
const longest = 1_000_000_000_000

// mistake finds invalid times and unknown roles.
func (t *Timeline) mistake(path string) *source.Error {
	if t == nil {
		return nil
	}
	var found *source.Error
	invalid := func(at, format string, args ...any) {
		if found == nil {
			found = &source.Error{Path: path + "." + at, Message: fmt.Sprintf(format, args...)}
		}
	}
	within := func(at string, from int64, times ...*int64) {
		for _, x := range times {
			switch {
			case x == nil:
			case *x < 0 || *x > longest:
				invalid(at, "%d is not a valid time of a run", *x)
			case *x < from:
				invalid(at, "is earlier than the time before it")
			}
		}
	}
	within("end", 0, &t.End)
	for i, o := range t.Objects {
		for n, x := range o.Transitions {
			within(fmt.Sprintf("objects[%d].transitions[%d].at", i, n), 0, &x.At)
		}
	}
	for i, p := range t.Pods {
		at := fmt.Sprintf("pods[%d]", i)
		within(at+".from", 0, &p.From)
		within(at+".to", p.From, p.To)
		for n, s := range p.Spans {
			at := fmt.Sprintf("%s.spans[%d]", at, n)
			if !slices.Contains(Roles(), s.Role) {
				if found == nil {
					found = unknown(path+"."+at+".role", "role", s.Role, Roles())
				}
			}
			within(at+".from", 0, &s.From)
			within(at+".to", s.From, s.To)
			if s.Work != nil {
				within(at+".work.from", s.From, &s.Work.From)
				within(at+".work.to", s.Work.From, &s.Work.To)
			}
		}
	}
	return found
}
