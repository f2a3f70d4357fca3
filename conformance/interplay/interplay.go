// Package interplay is the table of how features meet: for each pair of features the fixtures that show it, or why there is
// nothing to see. Statements are proven one at a time; implementations go wrong where two of them meet.
//
// The tables are interplay.yaml, of Tasks, and pipelines.yaml. [Embedded] and [Pipelines] read them and refuse a pair that is
// missing, or there twice. [Page] is docs/interplay.md. Which fixtures exist is the caller's knowledge: see [Table.Unknown].
package interplay

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed interplay.yaml
var source []byte

//go:embed pipelines.yaml
var pipelines []byte

// Table is the features and their pairs.
type Table struct {
	Features []Feature `yaml:"features"`
	Pairs    []Pair    `yaml:"pairs"`
}

// Feature is a row and a column. It is finer than the features that implementations claim: a podTemplate's volumes meet a
// stepTemplate's mounts.
type Feature struct {
	ID string `yaml:"id"`
	Is string `yaml:"is"`
}

// Pair is what one feature and each of some others show together.
type Pair struct {
	Of   string   `yaml:"of"`
	With []string `yaml:"with"`
	// Fixtures show it: names of fixtures, or of a file with a matrix, which stands for all of its cases.
	Fixtures []string `yaml:"fixtures"`
	// Why says why there is nothing to see, if no fixture is named.
	Why string `yaml:"why"`
}

// Embedded returns the table of what meets in a Task.
func Embedded() (*Table, error) { return read("interplay.yaml", source) }

// Pipelines returns the table of what meets in a Pipeline.
func Pipelines() (*Table, error) { return read("pipelines.yaml", pipelines) }

func read(file string, data []byte) (*Table, error) {
	var t Table
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &t, nil
}

// check refuses a table with an empty cell, or with two texts for one.
func (t *Table) check() error {
	place := map[string]int{}
	for i, f := range t.Features {
		if _, twice := place[f.ID]; twice || f.ID == "" || f.Is == "" {
			return fmt.Errorf("the feature %q is there twice, or has no text", f.ID)
		}
		place[f.ID] = i
	}
	said := map[[2]int]bool{}
	for _, p := range t.Pairs {
		if (len(p.Fixtures) == 0) == (p.Why == "") {
			return fmt.Errorf("%s with %s: name fixtures, or say why there is nothing to see", p.Of, strings.Join(p.With, ", "))
		}
		for _, other := range p.With {
			a, known := place[p.Of]
			b, too := place[other]
			key := [2]int{min(a, b), max(a, b)}
			switch {
			case !known || !too || a == b:
				return fmt.Errorf("%s with %s: name two features of the list", p.Of, other)
			case said[key]:
				return fmt.Errorf("%s with %s is there twice", p.Of, other)
			}
			said[key] = true
		}
	}
	for i, a := range t.Features {
		for j, b := range t.Features[i+1:] {
			if !said[[2]int{i, i + 1 + j}] {
				return fmt.Errorf("%s with %s is missing", a.ID, b.ID)
			}
		}
	}
	return nil
}

// Unknown lists the fixtures that the table names and that do not exist, sorted.
func (t *Table) Unknown(exists func(name string) bool) []string {
	var out []string
	for _, p := range t.Pairs {
		for _, name := range p.Fixtures {
			if !exists(name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

const intro = `# How features meet

Bugs of implementations sit where two features meet. This page has every pair of features, with the fixtures that show the
outcome, or with the reason why there is nothing to see. The name of a file with a [matrix](fixtures.md#cases) stands
for all of its cases. The page is generated from
[conformance/interplay/interplay.yaml](../conformance/interplay/interplay.yaml) and
[pipelines.yaml](../conformance/interplay/pipelines.yaml): ` + "`go test ./docs -run Interplay -update`" + ` writes it.

`

// Page writes both tables as a page. file is where a fixture is written.
func Page(w io.Writer, file func(name string) string) error {
	tasks, err := Embedded()
	if err != nil {
		return err
	}
	inPipelines, err := Pipelines()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, intro+"# In a Task\n\n"); err != nil {
		return err
	}
	if err := tasks.Markdown(w, file); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n# In a Pipeline\n\n"); err != nil {
		return err
	}
	return inPipelines.Markdown(w, file)
}

// Markdown writes the table: a section for each feature, which lists those behind it. file is where a fixture is written.
func (t *Table) Markdown(w io.Writer, file func(name string) string) error {
	var b strings.Builder
	shown, pairs := 0, 0
	for _, p := range t.Pairs {
		pairs += len(p.With)
		if len(p.Fixtures) > 0 {
			shown += len(p.With)
		}
	}
	fmt.Fprintf(&b, "Of %d pairs of %d features, %d are shown by fixtures; for %d the page says why there is nothing to see.\n", pairs, len(t.Features), shown, pairs-shown)
	is := map[string]string{}
	for _, f := range t.Features {
		is[f.ID] = f.Is
	}
	for _, f := range t.Features {
		if !slices.ContainsFunc(t.Pairs, func(p Pair) bool { return p.Of == f.ID }) {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| with | |\n|---|---|\n", capital(f.Is))
		for _, p := range t.Pairs {
			if p.Of != f.ID {
				continue
			}
			text := p.Why
			if len(p.Fixtures) > 0 {
				links := make([]string, len(p.Fixtures))
				for i, name := range p.Fixtures {
					links[i] = fmt.Sprintf("[`%s`](%s)", name, file(name))
				}
				text = strings.Join(links, ", ")
			}
			for _, other := range p.With {
				fmt.Fprintf(&b, "| %s | %s |\n", is[other], text)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// capital begins a heading, unless it is the name of a field.
func capital(text string) string {
	first, _, _ := strings.Cut(text, " ")
	if strings.ToLower(first) != first || strings.ContainsAny(first, "./") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
