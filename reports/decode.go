package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrInvalid is wrapped by every error of Decode.
var ErrInvalid = errors.New("not a conformance report")

// Encode returns the canonical bytes of a report: JSON with fields in a fixed
// order, indented, ended by a newline.
func Encode(r *ConformanceReport) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads a report. Unknown fields, unknown words and anything behind the
// document are errors: a report that is read wrongly is worse than none.
func Decode(data []byte) (*ConformanceReport, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r ConformanceReport
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: at byte %d: %w", ErrInvalid, d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more behind the document, at byte %d", ErrInvalid, d.InputOffset())
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	return &r, nil
}

func (r *ConformanceReport) validate() error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	if r.APIVersion != APIVersion || r.Kind != Kind {
		return invalid("apiVersion and kind are %q and %q, want %q and %q", r.APIVersion, r.Kind, APIVersion, Kind)
	}
	if !slices.Contains(Results(), r.Result) {
		return invalid("result: unknown result %q", r.Result)
	}
	for i, p := range r.Profiles {
		if p.Name == "" {
			return invalid("profiles[%d]: no name", i)
		}
		if !slices.Contains(Results(), p.Result) {
			return invalid("profiles[%d].result: unknown result %q", i, p.Result)
		}
	}
	seen := map[string]bool{}
	for i, f := range r.Fixtures {
		switch {
		case f.Name == "":
			return invalid("fixtures[%d]: no name", i)
		case seen[f.Name]:
			return invalid("fixtures[%d]: %q is listed twice", i, f.Name)
		case !slices.Contains(Verdicts(), f.Verdict):
			return invalid("fixtures[%d].verdict: unknown verdict %q", i, f.Verdict)
		case (f.Failure != nil) != (f.Verdict == Fail):
			return invalid("fixtures[%d]: verdict %q and failure details do not fit", i, f.Verdict)
		case r.Result == Passed && f.Level == levelRequired && f.Verdict == Fail:
			return invalid("fixtures[%d]: %q failed, but the result is %q", i, f.Name, r.Result)
		}
		seen[f.Name] = true
	}
	return nil
}
