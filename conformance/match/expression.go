package match

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/parser"
	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// The variables of an expression.
const (
	// variableSelf is the object at hand.
	variableSelf = "self"
	// variableObjects is a map of the latest version of every object seen so far, by "kind/name".
	variableObjects = "objects"
)

// PathCEL is the path of a mismatch of an expression.
const PathCEL = "cel"

// maxCost bounds the work of one evaluation, in CEL's units; a comparison of a few fields costs under 100.
const maxCost = 100_000

// Expression is a compiled CEL condition.
type Expression struct {
	// Pos is where the expression is written, Source its text.
	Pos    source.Position
	Source string

	ast     *cel.Ast
	program cel.Program
}

// environment is built once: it is immutable, and costs more than all expressions of a file.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable(variableSelf, cel.DynType),
		cel.Variable(variableObjects, cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Strings(), ext.Lists(), ext.Sets(), ext.Math(),
	)
})

// Compile checks an expression. The error names no place: the caller knows it.
func Compile(text string) (*Expression, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("building the CEL environment: %w", err)
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first := issues.Errors()[0]
		return nil, &expressionError{offset: first.Location.Column(), line: first.Location.Line(), message: first.Message}
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &expressionError{message: fmt.Sprintf("gives %s, not true or false", t)}
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}
	return &Expression{Source: text, ast: ast, program: program}, nil
}

type expressionError struct {
	line, offset int
	message      string
}

func (e *expressionError) Error() string { return e.message }

// DecodeNode compiles the expression written at n.
func (e *Expression) DecodeNode(d *source.Decoder, n *yaml.Node, path string) {
	var text string
	d.Decode(n, &text, path)
	if text == "" {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
			d.Fail(n, path, "the expression is empty", "write a CEL condition over self, as has(self.status.startTime)")
		}
		return
	}
	compiled, err := Compile(text)
	if err == nil {
		*e = *compiled
		e.Pos = d.Doc.Position(n)
		return
	}
	pos := d.Doc.Position(n)
	var at *expressionError
	if errors.As(err, &at) && at.line <= 1 && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		pos.Column += at.offset
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			pos.Column++
		}
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	message, _, _ = strings.Cut(message, " expecting ") // a list of every token of the language
	d.Errs.Add(&source.Error{Position: pos, Path: path, Message: fmt.Sprintf("not a CEL condition: %s", message),
		Hint: "the object is self, the others are objects[\"kind/name\"], as in has(self.status.startTime)"})
}

// Match evaluates the expression; an empty answer means that it holds.
func (e *Expression) Match(self any, objects map[string]any) []Mismatch {
	if e.program == nil {
		return []Mismatch{{Pos: e.Pos, Path: PathCEL, Want: e.Source, Got: "(not compiled)"}}
	}
	out, _, err := e.program.Eval(map[string]any{variableSelf: self, variableObjects: objects})
	if err == nil && out.Value() == true {
		return nil
	}
	got := "(" + e.explain(self, objects, out, err) + ")"
	return []Mismatch{{Pos: e.Pos, Path: PathCEL, Want: e.Source, Got: got}}
}

// explain evaluates once more, keeping every intermediate value, and tells those
// of the fields that the expression reads.
func (e *Expression) explain(self any, objects map[string]any, out ref.Val, evalErr error) string {
	result := "false"
	if evalErr != nil {
		result = evalErr.Error()
	} else if out != nil && out.Value() != false {
		result = Show(out.Value())
	}
	env, err := environment()
	if err != nil {
		return result
	}
	program, err := env.Program(e.ast, cel.EvalOptions(cel.OptTrackState), cel.CostLimit(maxCost))
	if err != nil {
		return result
	}
	_, details, _ := program.Eval(map[string]any{variableSelf: self, variableObjects: objects})
	if details == nil || details.State() == nil {
		return result
	}
	var parts []string
	native := e.ast.NativeRep()
	for _, expr := range reads(celast.NavigateAST(native)) {
		v, ok := details.State().Value(expr.ID())
		if !ok || v == nil || types.IsUnknownOrError(v) {
			continue
		}
		text, err := parser.Unparse(expr, native.SourceInfo())
		if err != nil || strings.Contains(text, "@") {
			continue
		}
		shown := fmt.Sprintf("%s = %s", text, Show(v.Value()))
		if !contains(parts, shown) {
			parts = append(parts, shown)
		}
	}
	if len(parts) == 0 {
		return result
	}
	return result + ": " + strings.Join(parts, ", ")
}

// reads returns the longest field selections of an expression: of a.b.c, not a.b.
func reads(e celast.NavigableExpr) []celast.NavigableExpr {
	if e.Kind() == celast.SelectKind && !e.AsSelect().IsTestOnly() {
		return []celast.NavigableExpr{e}
	}
	var out []celast.NavigableExpr
	for _, child := range e.Children() {
		out = append(out, reads(child)...)
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
