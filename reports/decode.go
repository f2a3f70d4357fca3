package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// ErrInvalid is what every error of Decode and Read is, by errors.Is.
var ErrInvalid = errors.New("not a conformance report")

// MistakeError says what is wrong with a document, and where.
type MistakeError struct {
	// File is the name that Read was given.
	File         string
	Line, Column int
	// Path is the field, as fixtures[3].verdict.
	Path    string
	Message string
}

// Error implements error: file:line:column: path: message.
func (e *MistakeError) Error() string {
	text := fmt.Sprintf("%d:%d: ", e.Line, e.Column)
	if e.File != "" {
		text = e.File + ":" + text
	}
	if e.Path != "" {
		text += e.Path + ": "
	}
	return text + e.Message
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *MistakeError) Is(target error) bool { return target == ErrInvalid }

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

// Read is Decode of a file: errors, of type *MistakeError, begin with its name.
func Read(file string, data []byte) (*ConformanceReport, error) {
	r := &ConformanceReport{}
	root, m := read(data, Kind, r)
	if m == nil {
		m = r.mistake()
		if m != nil {
			m.Line, m.Column = root.find(m.Path)
		}
	}
	if m != nil {
		m.File = file
		return nil, m
	}
	if r.Profiles == nil {
		r.Profiles = []Profile{}
	}
	if r.Fixtures == nil {
		r.Fixtures = []Fixture{}
	}
	return r, nil
}

// read reads a document of a kind into a struct.
func read(data []byte, kind string, into any) (*node, *MistakeError) {
	root, m := parse(data)
	if m != nil {
		return nil, m
	}
	if m := root.identify(kind); m != nil {
		return nil, m
	}
	return root, root.into(reflect.ValueOf(into).Elem(), "")
}

// identify checks what a document says it is, before its fields are looked at: those of another version may be others.
func (n *node) identify(kind string) *MistakeError {
	if n.kind != kindObject {
		return &MistakeError{Line: n.line, Column: n.column, Message: fmt.Sprintf("is %s, want an object of kind %s", n.kind, kind)}
	}
	said := map[string]string{}
	for _, f := range n.fields {
		if _, twice := said[f.name]; !twice {
			said[f.name] = f.value.text
		}
	}
	mistake := func(path, format string, args ...any) *MistakeError {
		line, column := n.find(path)
		return &MistakeError{Line: line, Column: column, Path: path, Message: fmt.Sprintf(format, args...)}
	}
	group, version, _ := strings.Cut(said["apiVersion"], "/")
	ourGroup, ourVersion, _ := strings.Cut(APIVersion, "/")
	switch {
	case said["apiVersion"] == "" || said["kind"] == "":
		return mistake("", "has no apiVersion and kind; a document of this kind begins with apiVersion %s and kind %s", APIVersion, kind)
	case group != ourGroup:
		return mistake("apiVersion", "%q is not a version of Plumbline, want %q", said["apiVersion"], APIVersion)
	case said["kind"] != kind:
		return mistake("kind", "%q, want %q", said["kind"], kind)
	case version != ourVersion && age(version) > age(ourVersion):
		return mistake("apiVersion", "%q is newer than what this plumbline reads (%s): use a newer plumbline", said["apiVersion"], APIVersion)
	case version != ourVersion:
		return mistake("apiVersion", "unknown version %q, want %q", said["apiVersion"], APIVersion)
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

// find returns the place of a field, or of what is nearest above it.
func (n *node) find(path string) (line, column int) {
	line, column = n.line, n.column
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		var next *node
		if i, err := strconv.Atoi(part); err == nil && n.kind == kindList && i < len(n.items) {
			next = n.items[i]
		}
		for _, f := range n.fields {
			if f.name == part {
				next = f.value
			}
		}
		if next == nil {
			break
		}
		n, line, column = next, next.line, next.column
	}
	return line, column
}

// into puts a node into a value, strictly.
func (n *node) into(v reflect.Value, path string) *MistakeError {
	mistake := func(format string, args ...any) *MistakeError {
		return &MistakeError{Line: n.line, Column: n.column, Path: path, Message: fmt.Sprintf(format, args...)}
	}
	want := func(kinds ...nodeKind) *MistakeError {
		if slices.Contains(kinds, n.kind) {
			return nil
		}
		return mistake("is %s, want %s", n.kind, kinds[0])
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == kindNull {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return n.into(v.Elem(), path)
	case reflect.Struct:
		if m := want(kindObject); m != nil {
			return m
		}
		return n.intoStruct(v, path)
	case reflect.Slice:
		if m := want(kindList, kindNull); m != nil {
			return m
		}
		for i, item := range n.items {
			element := reflect.New(v.Type().Elem()).Elem()
			if m := item.into(element, fmt.Sprintf("%s[%d]", path, i)); m != nil {
				return m
			}
			v.Set(reflect.Append(v, element))
		}
		return nil
	case reflect.String:
		if m := want(kindString); m != nil {
			return m
		}
		v.SetString(n.text)
		return nil
	case reflect.Bool:
		if m := want(kindBool); m != nil {
			return m
		}
		v.SetBool(strings.EqualFold(n.text, "true"))
		return nil
	case reflect.Uint64:
		if m := want(kindNumber); m != nil {
			return m
		}
		number, err := strconv.ParseUint(n.text, 10, 64)
		if err != nil {
			return mistake("is %s, want a whole number of at least 0", n.text)
		}
		v.SetUint(number)
		return nil
	case reflect.Int, reflect.Int64:
		if m := want(kindNumber); m != nil {
			return m
		}
		number, err := strconv.ParseInt(n.text, 10, 64)
		if err != nil {
			return mistake("is %s, want a whole number", n.text)
		}
		v.SetInt(number)
		return nil
	}
	return mistake("cannot be read into a %s", v.Type())
}

func (n *node) intoStruct(v reflect.Value, path string) *MistakeError {
	known := map[string]int{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		known[name] = i
	}
	seen := map[string]bool{}
	for _, f := range n.fields {
		mistake := func(format string) *MistakeError {
			return &MistakeError{Line: f.line, Column: f.column, Path: path, Message: fmt.Sprintf(format, f.name)}
		}
		i, ok := known[f.name]
		switch {
		case !ok:
			return mistake("unknown field %q: a typo, or from a newer plumbline")
		case seen[f.name]:
			return mistake("field %q is listed twice")
		}
		seen[f.name] = true
		below := f.name
		if path != "" {
			below = path + "." + f.name
		}
		if m := f.value.into(v.Field(i), below); m != nil {
			return m
		}
	}
	return nil
}

// mistake finds what the types cannot: unknown words, contradictions. The place is yet to be found.
func (r *ConformanceReport) mistake() *MistakeError {
	invalid := func(path, format string, args ...any) *MistakeError {
		return &MistakeError{Path: path, Message: fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(Results(), r.Result) {
		return invalid("result", "unknown result %q", r.Result)
	}
	for i, p := range r.Profiles {
		if p.Name == "" {
			return invalid(fmt.Sprintf("profiles[%d]", i), "has no name")
		}
		if !slices.Contains(Results(), p.Result) {
			return invalid(fmt.Sprintf("profiles[%d].result", i), "unknown result %q", p.Result)
		}
	}
	for i, f := range r.Findings {
		if !slices.Contains(FindingKinds(), f.Kind) {
			return invalid(fmt.Sprintf("findings[%d].kind", i), "unknown kind %q", f.Kind)
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
			return invalid(path+".verdict", "unknown verdict %q", f.Verdict)
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

// longest is more than any run takes, in milliseconds: some thirty years.
const longest = 1_000_000_000_000

// mistake finds invalid times and unknown roles.
func (t *Timeline) mistake(path string) *MistakeError {
	if t == nil {
		return nil
	}
	var found *MistakeError
	invalid := func(at, format string, args ...any) {
		if found == nil {
			found = &MistakeError{Path: path + "." + at, Message: fmt.Sprintf(format, args...)}
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
				invalid(at+".role", "unknown role %q", s.Role)
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
