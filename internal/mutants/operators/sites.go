package operators

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// The operators.
const (
	NegateCondition  = "negate condition"
	ChangeComparison = "change comparison"
	SwapLogical      = "swap && and ||"
	SwapArithmetic   = "swap + and -"
	DropStatement    = "drop statement"
	DropError        = "drop error"
	DropBranch       = "drop branch"
	ChangeConstant   = "change constant"
	FlipBool         = "flip bool"
)

// site is a change and the edits that make it.
type site struct {
	pos      token.Pos
	function string
	operator string
	before   string
	after    string
	edits    []schemata.Edit
	value    bool
}

// finder walks one file.
type finder struct {
	source   []byte
	offset   func(token.Pos) int
	info     *types.Info
	pkg      *types.Package
	function string
	value    bool
	sites    []site
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) add(operator string, n ast.Node, after string) {
	f.addAt(operator, n.Pos(), n.End(), f.text(n), after, after)
}

// addAt replaces [from, to) by text; before and after are what people read.
func (f *finder) addAt(operator string, from, to token.Pos, before, after, text string) {
	f.sites = append(f.sites, site{
		pos: from, function: f.function, operator: operator, before: before, after: after, value: f.value,
		edits: []schemata.Edit{{Start: f.offset(from), End: f.offset(to), Text: text}},
	})
}

// find lists the sites of a file in the order of its text.
func (f *finder) find(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil || d.Recv == nil && d.Name.Name == "init" {
				continue
			}
			f.function, f.value = functionName(d), false
			ast.Inspect(d.Body, f.inBody)
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				f.function, f.value = "", true
				for _, s := range d.Specs {
					for _, v := range s.(*ast.ValueSpec).Values {
						ast.Inspect(v, f.inValue)
					}
				}
			}
		}
	}
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
			continue
		case *ast.IndexExpr:
			t = x.X
			continue
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		}
		return d.Name.Name
	}
}

// inValue changes the texts and numbers of a table outside functions.
func (f *finder) inValue(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		return false // schemata cannot reach into it
	case *ast.CallExpr:
		return !f.forPeople(n)
	case *ast.KeyValueExpr:
		if k, ok := n.Key.(*ast.Ident); ok && f.isMessage(k.Name, n.Value) {
			return false
		}
	case *ast.BasicLit:
		t, ok := f.info.Types[n]
		if b, basic := t.Type.(*types.Basic); !ok || !basic || b.Kind() != types.String && b.Kind() != types.UntypedString && b.Kind() != types.Int {
			return false
		}
		f.literal(n)
	}
	return true
}

// inBody changes what is in a function.
func (f *finder) inBody(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
		if n.Else != nil {
			f.addAt(DropBranch, n.Body.End(), n.Else.End(), string(f.source[f.offset(n.Body.End()):f.offset(n.Else.End())]), "", "")
		}
	case *ast.ForStmt:
		if n.Cond != nil {
			f.condition(n.Cond)
		}
	case *ast.RangeStmt:
		f.addAt(DropStatement, n.Body.Lbrace+1, n.Body.Lbrace+1, f.upTo(n.Pos(), n.Body.Lbrace), f.upTo(n.Pos(), n.Body.Lbrace)+"{ break", " break; ")
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.CaseClause:
		if n.List != nil {
			f.add(DropBranch, n, "")
		}
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.ReturnStmt:
		f.results(n)
	case *ast.CallExpr:
		if !f.forPeople(n) {
			f.arguments(n)
		}
		return false
	case *ast.Field:
		// A tag is not an expression.
		ast.Inspect(n.Type, f.inBody)
		return false
	case *ast.BasicLit:
		f.literal(n)
	case *ast.SelectorExpr:
		if f.constant(n) {
			return false
		}
	case *ast.KeyValueExpr:
		// The key of a struct's field is not an expression.
		if k, ok := n.Key.(*ast.Ident); ok {
			if v, ok := f.info.Uses[k].(*types.Var); ok && v.IsField() {
				if !f.isMessage(k.Name, n.Value) {
					ast.Inspect(n.Value, f.inBody)
				}
				return false
			}
		}
	case *ast.Ident:
		f.constant(n)
	}
	if c, ok := n.(*ast.CaseClause); ok {
		f.statements(c.Body)
	}
	return true
}

func (f *finder) upTo(from, to token.Pos) string {
	return string(f.source[f.offset(from):f.offset(to)])
}

// condition negates what an if or a for asks; of an equality, the change of its operator is just that.
func (f *finder) condition(cond ast.Expr) {
	if b, ok := cond.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	f.add(NegateCondition, cond, "!("+f.text(cond)+")")
}

func (f *finder) binary(b *ast.BinaryExpr) {
	operator := ChangeComparison
	var after token.Token
	switch b.Op {
	case token.EQL:
		after = token.NEQ
	case token.NEQ:
		after = token.EQL
	case token.LSS:
		after = token.LEQ
	case token.LEQ:
		after = token.LSS
	case token.GTR:
		after = token.GEQ
	case token.GEQ:
		after = token.GTR
	case token.LAND:
		operator, after = SwapLogical, token.LOR
	case token.LOR:
		operator, after = SwapLogical, token.LAND
	case token.ADD, token.SUB:
		t, ok := f.info.Types[b].Type.Underlying().(*types.Basic)
		if !ok || t.Info()&types.IsNumeric == 0 {
			return
		}
		operator, after = SwapArithmetic, token.SUB
		if b.Op == token.SUB {
			after = token.ADD
		}
	default:
		return
	}
	end := b.OpPos + token.Pos(len(b.Op.String()))
	x, y := f.text(b.X), f.text(b.Y)
	f.addAt(operator, b.OpPos, end, x+" "+b.Op.String()+" "+y, x+" "+after.String()+" "+y, after.String())
}

// statements drops calls and assignments.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if c, ok := s.X.(*ast.CallExpr); ok && f.logs(c) {
				continue
			}
			f.add(DropStatement, s, "")
		case *ast.IncDecStmt, *ast.DeferStmt:
			f.add(DropStatement, s, "")
		case *ast.BranchStmt:
			if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
				f.add(DropStatement, s, "")
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
			// The value is still worked out, so that its variables stay in use.
			blank := ""
			for i := range s.Lhs {
				if i > 0 {
					blank += ", "
				}
				blank += "_"
			}
			text := blank + " = " + f.upTo(s.Rhs[0].Pos(), s.End())
			f.addAt(DropStatement, s.Pos(), s.End(), f.text(s), "", text)
		}
	}
}

// results forgets the error that is returned.
func (f *finder) results(r *ast.ReturnStmt) {
	for _, e := range r.Results {
		t := f.info.Types[e]
		if t.IsNil() || t.Type == nil || !types.Identical(t.Type, types.Universe.Lookup("error").Type()) {
			continue
		}
		if _, call := e.(*ast.CallExpr); call && len(r.Results) == 1 {
			// The call may be made for what it does.
			f.addAt(DropError, r.Pos(), r.End(), f.text(r), "return nil", "_ = "+f.text(e)+"; return nil")
			continue
		}
		f.addAt(DropError, e.Pos(), e.End(), f.text(r), "nil for the error", "nil")
	}
}

// forPeople reports whether a call makes an error's text or writes to a log, which is not part of what is promised.
func (f *finder) forPeople(c *ast.CallExpr) bool {
	fn := f.called(c)
	return fn != nil && (fn.FullName() == "fmt.Errorf" || fn.FullName() == "errors.New") || f.logs(c)
}

// logs reports whether a call does nothing but write to a log: it takes a format and returns nothing.
func (f *finder) logs(c *ast.CallExpr) bool {
	fn := f.called(c)
	if fn == nil || fn.Signature().Results().Len() > 0 {
		return false
	}
	for p := range fn.Signature().Params().Variables() {
		if p.Name() == "format" {
			return true
		}
	}
	return false
}

// called is the function or method that a call names, or nil.
func (f *finder) called(c *ast.CallExpr) *types.Func {
	id, ok := c.Fun.(*ast.Ident)
	if s, selected := c.Fun.(*ast.SelectorExpr); selected {
		id, ok = s.Sel, true
	}
	if !ok {
		return nil
	}
	fn, _ := f.info.Uses[id].(*types.Func)
	return fn
}

// arguments walks a call, except the prose that it is given as a format or a message. What is written to a writer may be
// a program or a file, and is no message.
func (f *finder) arguments(c *ast.CallExpr) {
	ast.Inspect(c.Fun, f.inBody)
	fn := f.called(c)
	for i, a := range c.Args {
		if fn == nil || !messageParameter(fn.Signature().Params(), i) || !f.isProse(a) {
			ast.Inspect(a, f.inBody)
		}
	}
}

func messageParameter(params *types.Tuple, i int) bool {
	if i >= params.Len() {
		return false
	}
	for p := range params.Variables() {
		if types.TypeString(p.Type(), nil) == "io.Writer" {
			return false
		}
	}
	return slices.Contains([]string{"format", "message"}, params.At(i).Name())
}

// isProse reports whether an expression is a text of several words, or a constant of the package that holds one. An exported
// constant may be a text that documents promise.
func (f *finder) isProse(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.BasicLit:
	case *ast.Ident:
		if _, ok := f.info.Uses[x].(*types.Const); !ok || x.IsExported() {
			return false
		}
	default:
		return false
	}
	v := f.info.Types[e].Value
	return v != nil && v.Kind() == constant.String && words.MatchString(constant.StringVal(v))
}

var words = regexp.MustCompile(`\S \S`)

// isMessage reports whether a field of a literal holds text for people and nothing else: prose, or its formats.
func (f *finder) isMessage(field string, value ast.Expr) bool {
	switch field {
	case "Message", "Details":
		v := f.info.Types[value].Value
		return f.isProse(value) || v != nil && v.Kind() == constant.String && strings.Contains(constant.StringVal(v), "%")
	case "Paths": // the places that a message names, beside it
		list, ok := value.(*ast.CompositeLit)
		return ok && !slices.ContainsFunc(list.Elts, func(e ast.Expr) bool { return f.info.Types[e].Value == nil })
	default:
		return false
	}
}

func (f *finder) literal(l *ast.BasicLit) {
	switch l.Kind {
	case token.INT:
		after := l.Value + " + 1"
		if n, err := strconv.ParseInt(l.Value, 0, 64); err == nil {
			after = strconv.FormatInt(n+1, 10)
		}
		f.add(ChangeConstant, l, after)
	case token.STRING:
		text, err := strconv.Unquote(l.Value)
		if err != nil {
			return
		}
		f.add(ChangeConstant, l, strconv.Quote(text+"~"))
	}
}

// constant changes a named constant where it is used.
func (f *finder) constant(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	if s, selected := e.(*ast.SelectorExpr); selected {
		id, ok = s.Sel, true
	}
	if !ok {
		return false
	}
	c, ok := f.info.Uses[id].(*types.Const)
	if !ok {
		return false
	}
	text := f.text(e)
	switch c.Val().Kind() {
	case constant.Bool:
		f.add(FlipBool, e, "!"+text)
	case constant.String:
		f.add(ChangeConstant, e, "("+text+` + "~")`)
	case constant.Int:
		f.add(ChangeConstant, e, "("+text+" + 1)")
	}
	return true
}
