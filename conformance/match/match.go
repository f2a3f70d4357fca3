// Package match compares what a fixture wants with what a cluster shows.
//
// A [Pattern] is a partial picture of an object, written as YAML:
//
//   - a scalar equals the value, type and all: "1" is not 1;
//   - a mapping wants each of its fields and does not mind others;
//   - a list wants each of its items, in any order, and does not mind others; items
//     that are mappings are looked up by their key (name, type, container, …), so
//     that a difference names the item it is in.
//
// What that cannot say is said with operators, mappings whose keys begin with $.
// Several operators in one mapping must all hold:
//
//	$regex: RE        the string matches the regular expression (RE2) somewhere
//	$contains: text   the string contains the text; of a list of texts, all of them
//	$oneOf: [a, b]    one of the patterns matches
//	$not: a           the pattern does not match, or nothing is there
//	$absent: true     nothing is there
//	$present: true    something is there
//	$equal: a         exactly this value: no other fields, no other items
//	$exactly: [a, b]  the list has these items, in any order, and no others
//	$inOrder: [a, b]  the list has these items in this order; others may lie between
//	$each: a          every item of the list matches
//	$length: 3        the list, mapping or string has this length
//
// An [Expression] is a condition in CEL for what a picture cannot say, such as the
// time between two timestamps.
//
// Neither knows Kubernetes or Tekton: values are JSON values.
package match

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// Mismatch is one difference between a pattern and a value.
type Mismatch struct {
	// Pos is where in the file it was wanted.
	Pos source.Position
	// Path is where in the object it was looked for.
	Path string
	// Want and Got are for people: JSON, or words in ( ).
	Want, Got string
}

// String renders the mismatch on one line, without its position.
func (m Mismatch) String() string {
	path := m.Path
	if path == "" {
		path = "(the object)"
	}
	return fmt.Sprintf("%s: want %s, got %s", path, m.Want, m.Got)
}

const (
	nothing = "(nothing)"
	// maxShown is how much of a value a message shows.
	maxShown = 300
)

// Show renders a JSON value on one line, cut to a length a person reads.
func Show(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%v", v)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if len(text) > maxShown {
		cut := maxShown
		for cut > 0 && text[cut]&0xC0 == 0x80 {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}
