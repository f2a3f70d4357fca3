package conformance

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// SubjectKind is the kind of a subject file.
const SubjectKind = "Subject"

// Subject is a file in which an implementation says what it is and what it claims.
type Subject struct {
	Pos            source.Position
	APIVersion     string           `yaml:"apiVersion" fixture:"required,enum=plumbline.dev/v1alpha1" doc:"plumbline.dev/v1alpha1"`
	Kind           string           `yaml:"kind" fixture:"required,enum=Subject" doc:"Subject"`
	Implementation subjectIdentity  `yaml:"implementation" fixture:"required" doc:"who it is"`
	Profiles       []string         `yaml:"profiles" doc:"the profiles it conforms to; default: all"`
	Features       []string         `yaml:"features" doc:"what it has beyond the mandatory features"`
	Lacks          []string         `yaml:"lacks" doc:"mandatory features that it has not"`
	Exclusions     []subjectExclude `yaml:"exclusions" doc:"fixtures left out, by whom and why"`
	Reference      bool             `yaml:"reference" doc:"this is the reference, bound to fixtures of level reference too"`
}

type subjectIdentity struct {
	Organization string `yaml:"organization" doc:"who makes it"`
	Project      string `yaml:"project" fixture:"required" doc:"what it is called"`
	URL          string `yaml:"url" doc:"where it is"`
	Version      string `yaml:"version" doc:"which version"`
	Contact      string `yaml:"contact" doc:"whom to ask"`
}

type subjectExclude struct {
	Fixture string `yaml:"fixture" fixture:"required" doc:"the fixture's name"`
	By      string `yaml:"by" fixture:"required" doc:"who decided so"`
	Why     string `yaml:"why" fixture:"required" doc:"for what reason"`
}

// LoadSubject reads a subject file. The error is a source.Errors.
func LoadSubject(file string, data []byte) (*Subject, error) {
	docs, errs := source.Parse(file, data)
	if len(errs) > 0 {
		return nil, errs
	}
	if len(docs) != 1 {
		pos := source.Position{File: file, Line: 1, Column: 1}
		if len(docs) > 1 {
			pos = docs[1].Position(docs[1].Root)
		}
		errs.Add(&source.Error{Position: pos, Message: fmt.Sprintf("the file has %d documents, want one", len(docs)), Hint: "write one document of kind " + SubjectKind})
		return nil, errs
	}
	s, places := &Subject{}, map[string]source.Position{}
	d := &source.Decoder{Doc: docs[0], Errs: &errs, Places: places}
	d.Decode(docs[0].Root, s, "")
	var profiles, features, mandatory []string
	for _, p := range fixture.Profiles() {
		profiles = append(profiles, p.Name)
		mandatory = append(mandatory, p.Mandatory()...)
		for _, f := range p.Features {
			features = append(features, f.Name)
		}
	}
	check := func(field string, words, known []string, what string) {
		for i, w := range words {
			if !slices.Contains(known, w) && !fixture.Private(w) {
				path := fmt.Sprintf("%s[%d]", field, i)
				errs.Add(&source.Error{Position: places[path], Path: path, Message: fmt.Sprintf("unknown %s %q", what, w), Hint: source.DidYouMean(w, known)})
			}
		}
	}
	check("profiles", s.Profiles, profiles, "profile")
	check("features", s.Features, features, "feature")
	check("lacks", s.Lacks, mandatory, "mandatory feature")
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Claims returns what the subject claims.
func (s *Subject) Claims() Claims {
	c := Claims{Profiles: s.Profiles, Features: s.Features, Lacks: s.Lacks, Reference: s.Reference}
	for _, x := range s.Exclusions {
		c.Exclusions = append(c.Exclusions, Exclusion(x))
	}
	return c
}

// Identity returns what the subject is, for the report.
func (s *Subject) Identity() reports.Implementation { return reports.Implementation(s.Implementation) }
