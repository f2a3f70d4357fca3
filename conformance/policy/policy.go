// Package policy knows what others ask of an implementation, apart from the profiles of the suite: lists of fields of the
// API, each with the fixtures that judge it.
//
// A policy is data: a YAML file beside this one. A run under a policy judges the fixtures that it names and no others, and
// its verdict is the policy's.
package policy

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

//go:embed *.yaml
var files embed.FS

// Policy is a list of fields that an implementation has to support.
type Policy struct {
	Name string
	// Title says what it is, Source where it stands.
	Title, Source string
	// Fields are in the order of the document.
	Fields []Field
}

// Field is one field of one type of the API, or one kind of a value, as the array of ParamType.
type Field struct {
	Type, Name string
	// Fixtures judge it. The name of a file with a matrix stands for all of its cases.
	Fixtures []string
}

// String renders Step.script.
func (f Field) String() string { return f.Type + "." + f.Name }

// Of reports whether a fixture judges the field.
func (f Field) Of(x *fixture.Fixture) bool { return slices.ContainsFunc(f.Fixtures, x.Called) }

// Selects reports whether the policy asks for a fixture.
func (p *Policy) Selects(x *fixture.Fixture) bool {
	return slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Of(x) })
}

// Check returns an error if a fixture is not among those that are known.
func (p *Policy) Check(known []*fixture.Fixture) error {
	for _, f := range p.Fields {
		for _, name := range f.Fixtures {
			if !slices.ContainsFunc(known, func(x *fixture.Fixture) bool { return x.Called(name) }) {
				return fmt.Errorf("policy %s: field %s is judged by %s, which is not among the fixtures", p.Name, f, name)
			}
		}
	}
	return nil
}

// Names lists the policies.
func Names() []string {
	var out []string
	for _, p := range all() {
		out = append(out, p.Name)
	}
	return out
}

// Named returns a policy.
func Named(name string) (*Policy, bool) {
	for _, p := range all() {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}

// all reads the files, which are part of the program: that they can be read is tested.
var all = sync.OnceValue(func() []*Policy {
	var out []*Policy
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		data, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		p, err := read(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), data)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
})

// read reads a policy whose file has a name.
func read(name string, data []byte) (*Policy, error) {
	var doc struct {
		Name, Title, Source string
		Types               []struct {
			Name   string
			Fields yaml.Node
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	if doc.Name != name {
		return nil, fmt.Errorf("policy %s: its file says that it is %q", name, doc.Name)
	}
	p := &Policy{Name: doc.Name, Title: doc.Title, Source: doc.Source}
	for _, t := range doc.Types {
		for i := 0; i+1 < len(t.Fields.Content); i += 2 { // in the order of the file
			f := Field{Type: t.Name, Name: t.Fields.Content[i].Value}
			if err := t.Fields.Content[i+1].Decode(&f.Fixtures); err != nil {
				return nil, fmt.Errorf("policy %s: field %s: %w", name, f, err)
			}
			if len(f.Fixtures) == 0 {
				return nil, fmt.Errorf("policy %s: field %s has no fixture", name, f)
			}
			p.Fields = append(p.Fields, f)
		}
	}
	if len(p.Fields) == 0 {
		return nil, fmt.Errorf("policy %s: it has no fields", name)
	}
	return p, nil
}
