package match

import (
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// Field is a field of an object that an expression reads.
type Field struct {
	// Object is the object's kind/name; empty means self.
	Object string
	// Path leads to the field, without the indices of lists.
	Path []string
}

// Fields returns the fields that the expression reads of self and of other objects, those on the way to a longer path included.
func (e *Expression) Fields() []Field {
	var out []Field
	e.visit(func(x celast.Expr) {
		if f, ok := fieldOf(x); ok && len(f.Path) > 0 {
			out = append(out, f)
		}
	})
	return out
}

// Strings returns the string literals of the expression.
func (e *Expression) Strings() []string {
	var out []string
	e.visit(func(x celast.Expr) {
		if x.Kind() != celast.LiteralKind {
			return
		}
		if text, ok := x.AsLiteral().Value().(string); ok {
			out = append(out, text)
		}
	})
	return out
}

func (e *Expression) visit(f func(celast.Expr)) {
	if e.ast == nil {
		return
	}
	celast.PreOrderVisit(e.ast.NativeRep().Expr(), celast.NewExprVisitor(f))
}

// fieldOf reads self.a.b, self["a"], self.a[0].b and objects["kind/name"].a.
func fieldOf(x celast.Expr) (Field, bool) {
	switch x.Kind() {
	case celast.IdentKind:
		return Field{}, x.AsIdent() == variableSelf
	case celast.SelectKind:
		f, ok := fieldOf(x.AsSelect().Operand())
		return Field{f.Object, append(slices.Clone(f.Path), x.AsSelect().FieldName())}, ok
	case celast.CallKind:
		call := x.AsCall()
		if name := call.FunctionName(); name != operators.Index && name != operators.OptIndex && name != operators.OptSelect || len(call.Args()) != 2 {
			return Field{}, false
		}
		of, at := call.Args()[0], call.Args()[1]
		name, named := "", false
		if at.Kind() == celast.LiteralKind {
			name, named = at.AsLiteral().Value().(string)
		}
		if of.Kind() == celast.IdentKind && of.AsIdent() == variableObjects {
			return Field{Object: name}, named
		}
		f, ok := fieldOf(of)
		if named {
			f.Path = append(slices.Clone(f.Path), name)
		}
		return f, ok
	}
	return Field{}, false
}
