// Package determinism is an analyser that keeps the simulated world repeatable:
// code that the kernel drives must not start goroutines, wait on channels, read
// the machine's clock, draw from a source that no seed controls, or let the order
// of a map show.
//
// A range over a map is accepted when its body cannot tell the order: it writes
// or deletes map entries, counts, sets flags to constants, or collects into a
// slice that is sorted later in the same function. Everything else needs sorted
// keys, or a comment on the line or the line above that says why the order
// cannot show:
//
//	//plumbline:unordered <reason>
//
// Files that are adapters to the real world (drivers of real time, of real
// processes, of goroutine-based clients) say so once, with a reason:
//
//	//plumbline:adapter <reason>
//
// Test files are not checked.
package determinism

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
)

// Analyzer reports what would make two runs of one seed differ.
var Analyzer = &analysis.Analyzer{
	Name: "determinism",
	Doc:  "refuses goroutines, channels, clocks, unseeded entropy and map order in the simulated world",
	Run:  run,
}

const (
	adapterMark   = "//plumbline:adapter "
	unorderedMark = "//plumbline:unordered "
)

// forbiddenImports are packages with no deterministic use here.
var forbiddenImports = map[string]string{
	"math/rand":                                  "draw from the kernel's streams",
	"crypto/rand":                                "draw from the kernel's streams",
	"github.com/google/uuid":                     "take UUIDs from the kernel's streams",
	"k8s.io/apimachinery/pkg/util/rand":          "draw names from the kernel's streams, or derive them by hashing",
	"k8s.io/apimachinery/pkg/util/uuid":          "take UUIDs from the kernel's streams",
	"k8s.io/client-go/tools/record":              "its broadcaster starts goroutines; record events through the small Recorder interface",
	"k8s.io/client-go/tools/cache":               "its informers start goroutines; use simulator/informer",
	"k8s.io/client-go/util/workqueue":            "it starts goroutines; use simulator/controller",
	"k8s.io/apimachinery/pkg/util/wait":          "it waits on the machine's clock; schedule events",
	"sigs.k8s.io/controller-runtime/pkg/manager": "it starts goroutines; cmd/ drives reconcilers with it, not the simulated world",
}

// clockCalls are the functions of package time that read or wait on a clock.
var clockCalls = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

func run(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		name := pass.Fset.Position(file.Pos()).Filename
		if strings.HasSuffix(name, "_test.go") || isAdapter(file) {
			continue
		}
		check(pass, file)
	}
	return nil, nil
}

func isAdapter(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, adapterMark); ok && strings.TrimSpace(reason) != "" {
				return true
			}
		}
	}
	return false
}

func check(pass *analysis.Pass, file *ast.File) {
	for _, imp := range file.Imports {
		p := strings.Trim(imp.Path.Value, `"`)
		if why, bad := forbiddenImports[p]; bad {
			pass.Reportf(imp.Pos(), "import of %s in the simulated world: %s", p, why)
		}
	}
	excused := excusedLines(pass.Fset, file)
	in := inspector.New([]*ast.File{file})
	in.WithStack(nil, func(n ast.Node, push bool, stack []ast.Node) bool {
		if !push {
			return true
		}
		switch n := n.(type) {
		case *ast.GoStmt:
			pass.Reportf(n.Pos(), "go statement in the simulated world: use kernel.Go or an event")
		case *ast.SelectStmt:
			pass.Reportf(n.Pos(), "select in the simulated world: park a coroutine and wake it")
			return false
		case *ast.SendStmt:
			pass.Reportf(n.Pos(), "channel send in the simulated world: call, or schedule an event")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				pass.Reportf(n.Pos(), "channel receive in the simulated world: park a coroutine and wake it")
			}
		case *ast.CallExpr:
			checkCall(pass, n, stack)
		case *ast.RangeStmt:
			checkRange(pass, n, stack, excused)
		}
		return true
	})
}

// excusedLines are the lines that an unordered mark covers.
func excusedLines(fset *token.FileSet, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, unorderedMark); ok && strings.TrimSpace(reason) != "" {
				line := fset.Position(c.Pos()).Line
				lines[line], lines[line+1] = true, true
			}
		}
	}
	return lines
}

// callee returns the package path and name of a called package-level function.
func callee(pass *analysis.Pass, call *ast.CallExpr) (pkg, name string) {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	var id *ast.Ident
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.Ident:
		id = f
	default:
		return "", ""
	}
	fn, ok := pass.TypesInfo.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return "", ""
	}
	return fn.Pkg().Path(), fn.Name()
}

func checkCall(pass *analysis.Pass, call *ast.CallExpr, stack []ast.Node) {
	pkg, name := callee(pass, call)
	switch {
	case pkg == "time" && slices.Contains(clockCalls, name):
		pass.Reportf(call.Pos(), "time.%s in the simulated world: take time from the kernel or the injected clock", name)
	case pkg == "math/rand/v2" && !strings.HasPrefix(name, "New"):
		pass.Reportf(call.Pos(), "rand.%s draws from a source that no seed controls: use the kernel's streams", name)
	case pkg == "maps" && (name == "Keys" || name == "Values" || name == "All"):
		if len(stack) >= 2 {
			if outer, ok := stack[len(stack)-2].(*ast.CallExpr); ok {
				op, on := callee(pass, outer)
				if op == "slices" && strings.HasPrefix(on, "Sorted") || op == "maps" && (on == "Collect" || on == "Insert") {
					return
				}
			}
		}
		pass.Reportf(call.Pos(), "maps.%s yields in the order of the map: wrap it in slices.Sorted", name)
	}
}

func checkRange(pass *analysis.Pass, loop *ast.RangeStmt, stack []ast.Node, excused map[int]bool) {
	t := pass.TypesInfo.TypeOf(loop.X)
	if t == nil {
		return
	}
	switch core := t.Underlying().(type) {
	case *types.Chan:
		pass.Reportf(loop.Pos(), "range over a channel in the simulated world: park a coroutine and wake it")
		return
	case *types.Map:
		_ = core
	default:
		return
	}
	if loop.Key == nil && loop.Value == nil || excused[pass.Fset.Position(loop.Pos()).Line] {
		return
	}
	u := &unordered{pass: pass, loop: loop, function: enclosing(stack)}
	if why := u.block(loop.Body.List); why != "" {
		pass.Reportf(loop.Pos(), "the order of a map shows: %s; range over sorted keys", why)
	}
}

// enclosing returns the body of the innermost function around the node.
func enclosing(stack []ast.Node) *ast.BlockStmt {
	for i := len(stack) - 1; i >= 0; i-- {
		switch f := stack[i].(type) {
		case *ast.FuncDecl:
			return f.Body
		case *ast.FuncLit:
			return f.Body
		}
	}
	return nil
}

// unordered decides whether a loop body gives the same outcome in any order.
// Its methods return why not, or "".
type unordered struct {
	pass     *analysis.Pass
	loop     *ast.RangeStmt
	function *ast.BlockStmt
}

func (u *unordered) block(list []ast.Stmt) string {
	for _, s := range list {
		if why := u.stmt(s); why != "" {
			return why
		}
	}
	return ""
}

func (u *unordered) stmt(s ast.Stmt) string {
	switch s := s.(type) {
	case nil, *ast.IncDecStmt, *ast.EmptyStmt, *ast.DeclStmt:
		return ""
	case *ast.BranchStmt:
		if s.Tok == token.CONTINUE {
			return ""
		}
		return fmt.Sprintf("%s ends the loop at an entry that the order chooses", s.Tok)
	case *ast.BlockStmt:
		return u.block(s.List)
	case *ast.IfStmt:
		for _, part := range []ast.Stmt{s.Init, s.Body, s.Else} {
			if part != nil {
				if why := u.stmt(part); why != "" {
					return why
				}
			}
		}
		return ""
	case *ast.RangeStmt:
		return u.block(s.Body.List)
	case *ast.ForStmt:
		return u.block(s.Body.List)
	case *ast.SwitchStmt:
		for _, c := range s.Body.List {
			if why := u.block(c.(*ast.CaseClause).Body); why != "" {
				return why
			}
		}
		return ""
	case *ast.AssignStmt:
		return u.assign(s)
	case *ast.ReturnStmt:
		for _, r := range s.Results {
			if !u.isConstant(r) {
				return "a returned value depends on the entry that comes first"
			}
		}
		return ""
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") {
				return ""
			}
		}
		return "a call is made for each entry"
	}
	return fmt.Sprintf("%T", s)
}

func (u *unordered) assign(s *ast.AssignStmt) string {
	switch s.Tok {
	case token.DEFINE, token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN:
		if s.Tok != token.ADD_ASSIGN {
			return ""
		}
		if b, ok := u.pass.TypesInfo.TypeOf(s.Lhs[0]).Underlying().(*types.Basic); ok && b.Info()&(types.IsInteger|types.IsUnsigned) != 0 {
			return ""
		}
		return "a sum of strings or floats depends on the order"
	}
	for i, lhs := range s.Lhs {
		switch l := ast.Unparen(lhs).(type) {
		case *ast.IndexExpr:
			if _, isMap := u.pass.TypesInfo.TypeOf(l.X).Underlying().(*types.Map); isMap {
				continue
			}
			return "an element of a slice is set for each entry"
		case *ast.Ident:
			if l.Name == "_" || u.isLocal(l) {
				continue
			}
			if len(s.Rhs) == len(s.Lhs) {
				if u.isConstant(s.Rhs[i]) {
					continue
				}
				if u.isAppend(s.Rhs[i]) {
					if u.sortedLater(l) {
						continue
					}
					return fmt.Sprintf("%s collects entries and is not sorted afterwards", l.Name)
				}
				if u.isMinMax(s.Rhs[i]) {
					continue
				}
			}
			return fmt.Sprintf("%s keeps what the last entry gave it", l.Name)
		default:
			if i < len(s.Rhs) && u.isConstant(s.Rhs[i]) {
				continue
			}
			return "a field is set for each entry"
		}
	}
	return ""
}

// isLocal reports whether the variable lives inside the loop.
func (u *unordered) isLocal(id *ast.Ident) bool {
	obj := u.pass.TypesInfo.ObjectOf(id)
	return obj != nil && obj.Pos() >= u.loop.Pos() && obj.Pos() < u.loop.End()
}

func (u *unordered) isConstant(e ast.Expr) bool {
	tv := u.pass.TypesInfo.Types[e]
	if tv.IsNil() || tv.Value != nil && tv.Value.Kind() != constant.Unknown {
		return true
	}
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	return ok && len(lit.Elts) == 0
}

func (u *unordered) isAppend(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "append"
}

func (u *unordered) isMinMax(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	if !ok || id.Name != "min" && id.Name != "max" {
		return false
	}
	_, builtin := u.pass.TypesInfo.Uses[id].(*types.Builtin)
	return builtin
}

// sortedLater reports whether the function sorts the slice after the loop.
func (u *unordered) sortedLater(id *ast.Ident) bool {
	obj := u.pass.TypesInfo.ObjectOf(id)
	found := false
	if u.function == nil {
		return false
	}
	ast.Inspect(u.function, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < u.loop.End() || len(call.Args) == 0 {
			return !found
		}
		pkg, name := callee(u.pass, call)
		sorts := path.Base(pkg) == "slices" && strings.HasPrefix(name, "Sort") || pkg == "sort"
		if arg, ok := ast.Unparen(call.Args[0]).(*ast.Ident); ok && sorts && u.pass.TypesInfo.ObjectOf(arg) == obj {
			found = true
		}
		return !found
	})
	return found
}
