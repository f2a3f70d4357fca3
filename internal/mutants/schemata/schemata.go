// Package schemata compiles many faults of a program into one binary, of which an
// environment variable switches one on. A fault that has a build of its own costs
// seconds; one that is switched on costs a start of the program.
//
// A fault is a set of edits of one source file. Where they lie in the body of one
// function, the file gets a copy of that function with the edits in it, and the
// function begins by asking which fault is on:
//
//	func (p *pass) cut(reason string) error { switch plumblineMutant { case 17: return p.cut__17(reason) }
//
// so that any text that compiles in the place of the old one will do. An expression
// outside functions, a row of a table, becomes a choice between two values:
//
//	{ID: "V-05", Message: plumblinePick(18, "missing", "missing~")}
//
// Nothing is changed on disk: Overlay is for `go build -overlay` and `go test
// -overlay`. With no fault switched on, the program does what its sources say.
//
// Limits: the variable is read once, when the program starts. Constants and types
// outside functions cannot be switched; neither can init and main.
package schemata

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Environment is the variable that holds the number of the fault that is switched on.
const Environment = "PLUMBLINE_MUTANT"

// Edit replaces the bytes [Start, End) of a file.
type Edit struct {
	Start, End int
	Text       string
}

// Fault is one change of a file.
type Fault struct {
	// ID is positive, and used once in a program.
	ID    int
	Edits []Edit
	// Value says that the one edit replaces an expression outside functions by another of the same type.
	Value bool
}

// Woven is a file with its faults in it.
type Woven struct {
	Source []byte
	// Left are the faults that could not be compiled in, because they are not in the body of one function.
	Left []int

	copies []span
}

type span struct{ start, end, id int }

// FaultAt is the fault whose copy of a function holds the offset.
func (w Woven) FaultAt(offset int) (id int, ok bool) {
	for _, c := range w.copies {
		if c.start <= offset && offset < c.end {
			return c.id, true
		}
	}
	return 0, false
}

// Weave puts faults into the source of a file, and marks into what is run without a fault.
func Weave(name string, source []byte, faults []Fault, marks ...Edit) (Woven, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return Woven{}, err
	}
	w := weaver{source: source, offset: func(p token.Pos) int { return fset.Position(p).Offset }}
	var woven Woven
	inside := map[*ast.FuncDecl][]Fault{}
	var values []Fault
	for _, f := range faults {
		switch d := w.function(file, f); {
		case f.Value && d == nil && len(f.Edits) == 1:
			values = append(values, f)
		case !f.Value && d != nil:
			inside[d] = append(inside[d], f)
		default:
			woven.Left = append(woven.Left, f.ID)
		}
	}
	edits := slices.Clone(marks)
	var tail bytes.Buffer
	type piece struct {
		id   int
		text string
	}
	var pieces []piece
	for _, d := range file.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok || len(inside[d]) == 0 {
			continue
		}
		s := w.signature(d)
		edits = append(edits, s.edits...)
		var dispatch strings.Builder
		dispatch.WriteString(" switch plumblineMutant {")
		for _, f := range inside[d] {
			body, err := w.body(d, f)
			if err != nil {
				return Woven{}, fmt.Errorf("%s: fault %d: %w", name, f.ID, err)
			}
			dispatch.WriteString(s.call(f.ID))
			pieces = append(pieces, piece{f.ID, "\n" + s.declaration(f.ID) + body + "\n"})
		}
		dispatch.WriteString(" }; ")
		at := w.offset(d.Body.Lbrace) + 1
		edits = append(edits, Edit{at, at, dispatch.String()})
	}
	for _, f := range values {
		e := f.Edits[0]
		edits = append(edits, Edit{e.Start, e.End, fmt.Sprintf("plumblinePick(%d, %s, %s)", f.ID, source[e.Start:e.End], e.Text)})
	}
	head, err := Apply(source, edits)
	if err != nil {
		return Woven{}, fmt.Errorf("%s: %w", name, err)
	}
	for _, p := range pieces {
		start := len(head) + tail.Len()
		tail.WriteString(p.text)
		woven.copies = append(woven.copies, span{start, start + len(p.text), p.id})
	}
	woven.Source = append(head, tail.Bytes()...)
	return woven, nil
}

// Apply makes the edits, which must not overlap.
func Apply(source []byte, edits []Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(source) {
			return nil, fmt.Errorf("the edit of [%d, %d) does not fit", e.Start, e.End)
		}
		out.Write(source[at:e.Start])
		out.WriteString(e.Text)
		at = e.End
	}
	out.Write(source[at:])
	return out.Bytes(), nil
}

// Switch is the source of the file that each woven package needs in addition.
func Switch(packageName string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	plumblineOS "os"
	plumblineStrconv "strconv"
)

// plumblineMutant is the fault that is switched on.
var plumblineMutant = func() int {
	id, _ := plumblineStrconv.Atoi(plumblineOS.Getenv(%q))
	return id
}()

func plumblinePick[T any](id int, sound, faulty T) T {
	if id == plumblineMutant {
		return faulty
	}
	return sound
}
`, packageName, Environment)
}

// Declarations is as much of Switch as a type checker needs; it imports nothing.
func Declarations(packageName string) []byte {
	return fmt.Appendf(nil, "package %s\n\nvar plumblineMutant int\n\nfunc plumblinePick[T any](id int, sound, faulty T) T { return sound }\n", packageName)
}

// SwitchFile is the name of that file in its package.
const SwitchFile = "plumbline_mutant_switch.go"

// Overlay is the text of the file that `go build -overlay` wants: the absolute path of each file in the tree, and of
// what stands in its place.
func Overlay(replace map[string]string) ([]byte, error) {
	for from := range replace {
		if !filepath.IsAbs(from) {
			return nil, fmt.Errorf("%s is not absolute", from)
		}
	}
	return json.Marshal(map[string]any{"Replace": replace})
}

// WriteOverlay writes texts below dir, each by the absolute path of the file that it stands for, and the overlay that puts
// them there. It returns the overlay's name.
func WriteOverlay(dir string, texts map[string][]byte) (string, error) {
	replace := map[string]string{}
	for i, path := range slices.Sorted(maps.Keys(texts)) {
		replace[path] = filepath.Join(dir, strconv.Itoa(i)+"-"+filepath.Base(path))
		if err := os.WriteFile(replace[path], texts[path], 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := Overlay(replace)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, overlay, 0o600)
}

type weaver struct {
	source []byte
	offset func(token.Pos) int
}

// function is the function in whose body all edits of the fault lie.
func (w weaver) function(file *ast.File, f Fault) *ast.FuncDecl {
	for _, d := range file.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok || d.Body == nil || d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main") {
			continue
		}
		start, end := w.offset(d.Body.Lbrace)+1, w.offset(d.Body.Rbrace)
		if !slices.ContainsFunc(f.Edits, func(e Edit) bool { return e.Start < start || e.End > end }) {
			return d
		}
	}
	return nil
}

// body is the body of a function with a fault in it.
func (w weaver) body(d *ast.FuncDecl, f Fault) (string, error) {
	start, end := w.offset(d.Body.Lbrace), w.offset(d.Body.Rbrace)+1
	moved := make([]Edit, len(f.Edits))
	for i, e := range f.Edits {
		moved[i] = Edit{e.Start - start, e.End - start, e.Text}
	}
	out, err := Apply(w.source[start:end], moved)
	return string(out), err
}

// signature is what a copy of a function needs to be declared and called.
type signature struct {
	name, receiver, self       string // "(p *pass)", "p."
	typeParams, instance       string // "[T any]", "[T]"
	params, results, arguments string
	returns                    bool
	// edits give names to what the original's signature leaves without.
	edits []Edit
}

func (s signature) copy(id int) string { return s.name + "__" + strconv.Itoa(id) }

func (s signature) call(id int) string {
	call := fmt.Sprintf("%s%s%s(%s)", s.self, s.copy(id), s.instance, s.arguments)
	if s.returns {
		return fmt.Sprintf(" case %d: return %s;", id, call)
	}
	return fmt.Sprintf(" case %d: %s; return;", id, call)
}

func (s signature) declaration(id int) string {
	return fmt.Sprintf("func %s%s%s(%s) %s ", s.receiver, s.copy(id), s.typeParams, s.params, s.results)
}

func (w weaver) text(n ast.Node) string {
	return string(w.source[w.offset(n.Pos()):w.offset(n.End())])
}

func (w weaver) signature(d *ast.FuncDecl) signature {
	s := signature{name: d.Name.Name, returns: d.Type.Results.NumFields() > 0}
	if d.Recv != nil {
		names, text, edits := w.fields(d.Recv, "plumblineSelf")
		s.receiver, s.self = "("+text+") ", names[0]+"."
		s.edits = append(s.edits, edits...)
	}
	if d.Type.TypeParams != nil {
		names, _, _ := w.fields(d.Type.TypeParams, "")
		s.typeParams, s.instance = w.text(d.Type.TypeParams), "["+strings.Join(names, ", ")+"]"
	}
	names, text, edits := w.fields(d.Type.Params, "plumblineParam")
	s.params, s.edits = text, append(s.edits, edits...)
	s.arguments = strings.Join(names, ", ")
	if n := len(d.Type.Params.List); n > 0 {
		if _, variadic := d.Type.Params.List[n-1].Type.(*ast.Ellipsis); variadic {
			s.arguments += "..."
		}
	}
	if d.Type.Results != nil {
		s.results = w.text(d.Type.Results)
	}
	return s
}

// fields names the fields of a list, giving names to those that have none, and is their text.
func (w weaver) fields(list *ast.FieldList, unnamed string) (names []string, text string, edits []Edit) {
	var parts []string
	fresh := func() string { return unnamed + strconv.Itoa(len(names)) }
	for _, f := range list.List {
		var own []string
		if len(f.Names) == 0 {
			name := fresh()
			names, own = append(names, name), []string{name}
			edits = append(edits, Edit{w.offset(f.Type.Pos()), w.offset(f.Type.Pos()), name + " "})
		}
		for _, n := range f.Names {
			name := n.Name
			if name == "_" {
				name = fresh()
				edits = append(edits, Edit{w.offset(n.Pos()), w.offset(n.End()), name})
			}
			names, own = append(names, name), append(own, name)
		}
		parts = append(parts, strings.Join(own, ", ")+" "+w.text(f.Type))
	}
	return names, strings.Join(parts, ", "), edits
}
