package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// printJSON writes a document for programs: it keeps every text exactly, and is still harmless on a terminal.
func printJSON(w io.Writer, document any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(visible.JSON(b.Bytes()))
	return err
}

// printYAML is printJSON as YAML.
func printYAML(w io.Writer, document map[string]any) error {
	// The encoder prints some characters as they are that must not be printed, and puts texts into blocks whose lines may
	// begin with anything. A text that is not plain stands aside while the document is encoded, behind a word that the
	// document does not have, and comes back in double quotes.
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	mark := "plumbline"
	for bytes.Contains(data, []byte(mark)) {
		mark += "x"
	}
	var aside []string
	stood, err := yaml.Marshal(standAside(document, func(s string) string {
		if visible.Plain(s) && !strings.Contains(s, " ::") { // a long text may be folded at a blank
			return s
		}
		text, err := json.Marshal(s)
		if err != nil {
			return s
		}
		word := fmt.Sprintf("%s%d.", mark, len(aside))
		aside = append(aside, word, string(visible.YAML(text)))
		return word
	}))
	if err != nil {
		return err
	}
	_, err = strings.NewReplacer(aside...).WriteString(w, string(stood))
	return err
}

// standAside returns a copy of a document with every text replaced.
func standAside(document any, replace func(string) string) any {
	v := reflect.ValueOf(document)
	switch v.Kind() {
	case reflect.String:
		return replace(v.String())
	case reflect.Map:
		out := map[string]any{}
		for at := v.MapRange(); at.Next(); {
			out[replace(at.Key().String())] = standAside(at.Value().Interface(), replace)
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = standAside(v.Index(i).Interface(), replace)
		}
		return out
	}
	return document
}
