package reports

import (
	"fmt"
	"slices"
)

// ExplainedKind is the kind of a file of explanations.
const ExplainedKind = "ExplainedDifferences"

// Explanation accepts that two reports differ in a fixture, and says why.
type Explanation struct {
	Fixture string `json:"fixture"`
	// A and B, if given, are the verdicts that are explained; other ones are not.
	A Verdict `json:"a,omitempty"`
	B Verdict `json:"b,omitempty"`
	// Why is the explanation. It must be given.
	Why string `json:"why"`
}

type explanations struct {
	APIVersion  string        `json:"apiVersion"`
	Kind        string        `json:"kind"`
	Differences []Explanation `json:"differences"`
}

// ReadExplained reads a file of explanations, as YAML or JSON. The error is a *MistakeError.
func ReadExplained(file string, data []byte) ([]Explanation, error) {
	var doc explanations
	root, m := read(data, ExplainedKind, &doc)
	seen := map[Explanation]bool{}
	for i, x := range doc.Differences {
		if m != nil {
			break
		}
		key := x
		key.Why = ""
		path := fmt.Sprintf("differences[%d]", i)
		known := func(v Verdict) bool { return v == "" || slices.Contains(Verdicts(), v) }
		switch {
		case x.Fixture == "":
			m = &MistakeError{Path: path, Message: "names no fixture"}
		case x.Why == "":
			m = &MistakeError{Path: path, Message: "does not say why"}
		case !known(x.A):
			m = &MistakeError{Path: path + ".a", Message: fmt.Sprintf("unknown verdict %q", x.A)}
		case !known(x.B):
			m = &MistakeError{Path: path + ".b", Message: fmt.Sprintf("unknown verdict %q", x.B)}
		case seen[key]:
			m = &MistakeError{Path: path, Message: fmt.Sprintf("%s is explained twice", x.Fixture)}
		}
		seen[key] = true
		if m != nil {
			m.Line, m.Column = root.find(m.Path)
		}
	}
	if m != nil {
		m.File = file
		return nil, m
	}
	return doc.Differences, nil
}
