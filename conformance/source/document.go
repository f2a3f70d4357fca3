package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of what is read. They are far above what a person writes and far below
// what hurts.
const (
	// MaxFileSize bounds a file in bytes: the API server would not take an object as large.
	MaxFileSize = 3 << 20
	// maxFileValues bounds the values of all documents of a file after their aliases are expanded, and maxDocuments their number.
	maxFileValues = 400_000
	maxDocuments  = 10_000
)

// Limits bound what is read of one document.
type Limits struct {
	// Size is how many bytes it may have.
	Size int
	// Values is how many values it may have after its aliases are expanded.
	Values int
	// Depth is how deep they may nest.
	Depth int
}

// written are the limits of what people write.
var written = Limits{Size: MaxFileSize, Values: 200_000, Depth: 100}

// Document is one YAML document of a file.
type Document struct {
	// File is the name to show in messages.
	File string
	// Root is the document's value, never nil and never an alias.
	Root *yaml.Node
}

// Position returns where n was written.
func (d *Document) Position(n *yaml.Node) Position {
	return Position{File: d.File, Line: n.Line, Column: n.Column}
}

// ReadFile reads as much of a file as Parse takes, and a byte more, by which Parse sees that there is more. A file may be a
// pipe that never ends.
func ReadFile(name string) (data []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return Read(f)
}

// Read is ReadFile of what is open.
func Read(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, MaxFileSize+1)) }

// Parse cuts data into its documents, leaving out empty ones. Keys are checked
// for being plain and unique, and aliases for ending.
func Parse(file string, data []byte) (docs []*Document, errs Errors) {
	docs, errs = parseYAML(file, data, written)
	return docs[:check(docs, &errs)], errs
}

// Check holds documents that a program has changed against the limits of Parse, and their keys against its rules.
func Check(docs []*Document) Errors {
	var errs Errors
	check(docs, &errs)
	return errs
}

// check returns how many documents it has looked at: all, unless they are too large together.
func check(docs []*Document, errs *Errors) int {
	values := 0
	for i, d := range docs {
		c := checker{doc: d, limits: written, errs: errs, open: map[*yaml.Node]bool{}}
		c.check(d.Root, 0)
		if values += c.values; values > maxFileValues {
			c.fail(d.Root, fmt.Sprintf("the documents up to this one have more than %d values once their aliases are expanded", maxFileValues), "split the file, or remove the aliases")
			return i + 1
		}
	}
	return len(docs)
}

// ParseOne is Parse of a file of one document, of a program's or a person's: JSON if it begins with a brace, else YAML.
func ParseOne(file string, data []byte, limits Limits) (*Document, Errors) {
	var docs []*Document
	var errs Errors
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		docs, errs = parseJSON(file, data, limits)
	} else {
		docs, errs = parseYAML(file, data, limits)
	}
	switch {
	case len(errs) > 0:
		return nil, errs
	case len(docs) == 0:
		errs.Add(&Error{Position: Position{File: file, Line: 1, Column: 1}, Message: "the file is empty", Hint: "give a file with one document"})
		return nil, errs
	case len(docs) > 1:
		errs.Add(&Error{Position: docs[1].Position(docs[1].Root), Message: fmt.Sprintf("there is more text after the document: the file has %d documents", len(docs)), Hint: "give a file with one document"})
		return nil, errs
	}
	c := checker{doc: docs[0], limits: limits, errs: &errs, open: map[*yaml.Node]bool{}}
	c.check(docs[0].Root, 0)
	return docs[0], errs
}

// tooLarge says that a file has more bytes than are read.
func tooLarge(file string, limits Limits) Errors {
	return Errors{{Position: Position{File: file, Line: 1, Column: 1}, Message: fmt.Sprintf("the file has more than the %d bytes that are read", limits.Size), Hint: "split it"}}
}

// parseYAML cuts data into its documents, which are yet to be checked.
func parseYAML(file string, data []byte, limits Limits) (docs []*Document, errs Errors) {
	if len(data) > limits.Size {
		return nil, tooLarge(file, limits)
	}
	// The YAML library is not ours and a fixture may come from anyone: should it
	// panic on some bytes, that is a syntax error like any other.
	defer func() {
		if r := recover(); r != nil {
			docs = nil
			errs.Add(&Error{Position: Position{File: file, Line: 1, Column: 1}, Message: fmt.Sprintf("this is not YAML (%v)", r), Hint: "check the file's syntax"})
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for range maxDocuments {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return docs, errs
		}
		if err != nil {
			errs.Add(syntaxError(file, data, err))
			return docs, errs
		}
		if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
			continue
		}
		root := n.Content[0]
		if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
			continue // an empty document, as between two "---"
		}
		docs = append(docs, &Document{File: file, Root: root})
	}
	errs.Add(&Error{Position: Position{File: file, Line: 1, Column: 1}, Message: fmt.Sprintf("the file has more than %d documents", maxDocuments), Hint: "split it"})
	return docs, errs
}

// yamlLine finds the line that the YAML library hides in its messages.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func syntaxError(file string, data []byte, err error) *Error {
	e := &Error{Position: Position{File: file, Line: 1, Column: 1}, Message: "not valid YAML: " + err.Error(), Hint: "check the indentation and quotes here and on the line above"}
	m := yamlLine.FindStringSubmatch(strings.TrimSpace(strings.ReplaceAll(err.Error(), "\n", " ")))
	if m == nil {
		return e
	}
	e.Message = "not valid YAML: " + m[2]
	lines := bytes.Split(data, []byte("\n"))
	if n, convErr := strconv.Atoi(m[1]); convErr == nil && n > 0 {
		e.Line = min(n, len(lines))
	}
	// The library has no column: point at what the line begins with, or at the
	// tab that is the commonest reason of all.
	line := lines[e.Line-1]
	e.Column = len(line) - len(bytes.TrimLeft(line, " ")) + 1
	for i := e.Line - 1; i < min(e.Line+1, len(lines)); i++ {
		trimmed := bytes.TrimLeft(lines[i], " ")
		if len(trimmed) > 0 && trimmed[0] == '\t' {
			e.Line, e.Column = i+1, len(lines[i])-len(trimmed)+1
			e.Hint = "YAML is not indented with tabs: use spaces"
			break
		}
	}
	return e
}

// checker walks a document as if its aliases were written out.
type checker struct {
	doc    *Document
	limits Limits
	errs   *Errors
	values int
	open   map[*yaml.Node]bool // anchors being expanded
	stop   bool
}

func (c *checker) fail(n *yaml.Node, message, hint string) {
	c.errs.Add(&Error{Position: c.doc.Position(n), Message: message, Hint: hint})
}

func (c *checker) check(n *yaml.Node, depth int) {
	if c.stop {
		return
	}
	c.values++
	if c.values > c.limits.Values {
		c.stop = true
		c.fail(n, fmt.Sprintf("the document has more than %d values once its aliases are expanded", c.limits.Values), "write out what is needed and remove the aliases")
		return
	}
	if depth > c.limits.Depth {
		c.stop = true
		c.fail(n, fmt.Sprintf("values nest deeper than %d", c.limits.Depth), "flatten the document")
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		if n.Alias == nil || c.open[n.Alias] {
			c.stop = true
			c.fail(n, fmt.Sprintf("alias *%s contains itself", n.Value), "write the value out")
			return
		}
		c.open[n.Alias] = true
		c.check(n.Alias, depth+1)
		delete(c.open, n.Alias)
	case yaml.MappingNode:
		seen := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Kind != yaml.ScalarNode:
				c.fail(key, "a key must be a plain string", "quote it, or write the mapping as a list")
			case key.ShortTag() == mergeTag:
			case key.Value == "":
				c.fail(key, "a key is empty", "name the field")
			case seen[key.Value] != nil:
				c.fail(key, fmt.Sprintf("%q is given twice; first on line %d", key.Value, seen[key.Value].Line), "remove one of them")
			default:
				seen[key.Value] = key
			}
			c.check(n.Content[i+1], depth+1)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			c.check(item, depth+1)
		}
	}
}

// mergeTag is YAML 1.1's "<<", which kubectl understands.
const mergeTag = "!!merge"
