package command

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// inputNotes says, once for all files, what of the manifests is not taken as it is written, and what is kept although it
// changes how a run goes.
func inputNotes(w io.Writer, files []*fixture.Fixture) {
	var fields, objects, children []string
	add := func(list *[]string, words ...string) {
		for _, word := range words {
			if !slices.Contains(*list, word) {
				*list = append(*list, word)
			}
		}
	}
	for _, f := range files {
		for _, m := range f.Manifests {
			if len(m.Dropped) > 0 {
				add(&fields, m.Dropped...)
				add(&objects, m.Ref())
			}
		}
		add(&children, f.Children...)
	}
	if len(fields) > 0 {
		fmt.Fprintf(w, "note: %s: left out the fields that only a cluster sets: %s\n", some(objects), strings.Join(fields, ", "))
	}
	if len(children) > 0 {
		fmt.Fprintf(w, "note: %s: left out, because its controller creates it again\n", some(children))
	}
	for _, f := range files {
		for _, m := range f.Manifests {
			if status := m.Cancels(); status != "" && (!f.HasHeader() || len(m.Dropped) > 0) {
				fmt.Fprintf(w, "note: %s: spec.status of %s is %s: it is kept, so the run is cancelled as soon as it is created\n", m.PlaceOf("spec.status"), m.Ref(), status)
			}
		}
	}
}

// some lists a few words and counts the others.
func some(words []string) string {
	const few = 3
	if len(words) <= few {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:few], ", "), len(words)-few)
}
