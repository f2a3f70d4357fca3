package compare

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// explainedKind is the kind of a file of explanations.
const explainedKind = "ExplainedDifferences"

// Explanation accepts that two reports differ in a fixture, and says why.
type Explanation struct {
	Fixture string `json:"fixture"`
	// A and B, if given, are the verdicts that are explained; other ones are not.
	A reports.Verdict `json:"a,omitempty"`
	B reports.Verdict `json:"b,omitempty"`
	// Why is the explanation. It must be given.
	Why string `json:"why"`
}

type explanations struct {
	APIVersion  string        `json:"apiVersion"`
	Kind        string        `json:"kind"`
	Differences []Explanation `json:"differences"`
}

// ReadExplained reads a file of explanations, as YAML or JSON. The error is a *reports.InvalidError.
func ReadExplained(file string, data []byte) ([]Explanation, error) {
	var doc explanations
	if err := reports.ReadDocument(file, data, explainedKind, &doc, doc.mistake); err != nil {
		return nil, err
	}
	return doc.Differences, nil
}

// mistake finds what the types cannot: unknown words, and explanations that are missing or given twice.
func (d *explanations) mistake() *source.Error {
	seen := map[Explanation]bool{}
	var names []string
	for _, v := range reports.Verdicts() {
		names = append(names, string(v))
	}
	known := func(v reports.Verdict) bool { return v == "" || slices.Contains(reports.Verdicts(), v) }
	for i, x := range d.Differences {
		invalid := func(field, hint, format string, args ...any) *source.Error {
			return &source.Error{Path: fmt.Sprintf("differences[%d]", i) + field, Message: fmt.Sprintf(format, args...), Hint: hint}
		}
		verdict := func(field string, v reports.Verdict) *source.Error {
			return invalid(field, source.DidYouMean(string(v), names), "unknown verdict %q", v)
		}
		key := x
		key.Why = ""
		switch {
		case x.Fixture == "":
			return invalid("", "add fixture: the name of the one that differs", "names no fixture")
		case x.Why == "":
			return invalid("", "add why: what the reader of a report should know", "does not say why")
		case !known(x.A):
			return verdict(".a", x.A)
		case !known(x.B):
			return verdict(".b", x.B)
		case seen[key]:
			return invalid("", "remove one of them", "%s is explained twice", x.Fixture)
		}
		seen[key] = true
	}
	return nil
}
