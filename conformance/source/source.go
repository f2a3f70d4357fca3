// Package source reads YAML and JSON for people: every value keeps the place it was
// written at, and everything that is wrong is said as file:line:column, what is
// wrong, and what to do.
//
// [Parse] cuts a stream into documents and refuses what a later stage could not
// explain (duplicate keys, anchors that expand without end). [ParseOne] reads one
// document, of JSON or YAML, within limits of its caller's. [Decoder.Decode] fills a Go
// struct from a document and refuses every field the struct does not have.
// [Document.Value] turns a document into plain JSON values, as kubectl would read it.
//
// Nothing here panics, whatever the bytes. Errors are collected, not stopped at,
// up to a limit that keeps a broken file from scrolling away its first mistake.
package source

import (
	"fmt"
	"strings"
)

// Position is a place in a file. Line and Column count from 1; zero means that
// the place is the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String renders file:line:column.
func (p Position) String() string {
	file := p.File
	if file == "" {
		file = "<input>"
	}
	if p.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
}

// Error is one thing that is wrong at one place.
type Error struct {
	Position
	// Path is the field, as in spec.then[0].eventually; empty for the document.
	Path string
	// Message says what is wrong.
	Message string
	// Hint says what to do about it.
	Hint string
}

// Error renders "file:line:column: path: message; hint" on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Position.String())
	b.WriteString(": ")
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// maxErrors is how many mistakes of one file are reported; a file with more is
// broken as a whole.
const maxErrors = 20

// Errors are the mistakes of one or more files, in the order they were found.
type Errors []*Error

// Error renders one mistake a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the errors as an error, or nil when there are none.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Add appends an error unless the limit is reached or the same place already has the same one.
func (e *Errors) Add(err *Error) {
	if len(*e) >= maxErrors {
		return
	}
	for _, old := range *e {
		if *old == *err {
			return
		}
	}
	*e = append(*e, err)
}
