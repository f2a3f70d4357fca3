package schemata

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// Block is a piece of code that is run as a whole, or not at all: the body of a function, of a branch, of a loop or of a case,
// and what follows in it behind a statement that may leave it.
type Block struct {
	// ID counts the blocks of a package from 0.
	ID int
	// Start and End are offsets in the file.
	Start, End int
}

// Blocks lists the blocks of a file, whose numbers begin with first, and the edits that mark them as reached (see package
// hits).
func Blocks(name string, source []byte, first int) ([]Block, []Edit, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var blocks []Block
	var edits []Edit
	add := func(from, to token.Pos) {
		b := Block{ID: first + len(blocks), Start: offset(from), End: offset(to)}
		blocks = append(blocks, b)
		edits = append(edits, Edit{b.Start, b.Start, fmt.Sprintf(" plumblineHit[%d] = true; ", b.ID)})
	}
	// behind adds what follows behind statements that have bodies.
	behind := func(list []ast.Stmt, end token.Pos) {
		for i := 1; i < len(list); i++ {
			switch list[i-1].(type) {
			case *ast.IfStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SelectStmt:
				add(list[i].Pos(), end)
			}
		}
	}
	cases := map[*ast.BlockStmt]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SwitchStmt:
			cases[n.Body] = true
		case *ast.TypeSwitchStmt:
			cases[n.Body] = true
		case *ast.SelectStmt:
			cases[n.Body] = true
		case *ast.CaseClause:
			add(n.Colon+1, n.End())
			behind(n.Body, n.End())
		case *ast.CommClause:
			add(n.Colon+1, n.End())
			behind(n.Body, n.End())
		case *ast.BlockStmt:
			if !cases[n] {
				add(n.Lbrace+1, n.Rbrace)
				behind(n.List, n.Rbrace)
			}
		}
		return true
	})
	return blocks, edits, nil
}

// Marks is the source of what a package with marked blocks needs in addition to Switch, but for its package clause.
func Marks(packageName, name string, blocks int) []byte {
	return fmt.Appendf(nil, `package %s

import plumblineHits "github.com/plumbline-ci/plumbline/internal/mutants/hits"

// plumblineHit has a mark for each block that was reached.
var plumblineHit = plumblineHits.Of(%q, %d)
`, packageName, name, blocks)
}

// MarksFile is the name of that file in its package.
const MarksFile = "plumbline_mutant_marks.go"
