package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// signature names the kind of a shrunk difference: what differs, and the words of the language that the script is made
// of.
func signature(d Difference) string {
	what := strings.Join(d.Sim.Facets(d.Real), "+")
	switch {
	case d.Sim.Failure != "":
		what = "failure: " + strings.SplitN(d.Sim.Failure, "\n", 2)[0]
	case d.Sim.IsSyntaxError() && !d.Real.IsSyntaxError():
		what = "refused as a syntax error"
	case d.Real.IsSyntaxError() && !d.Sim.IsSyntaxError():
		what = "not seen as a syntax error"
	}
	return what + ": " + strings.Join(vocabulary(d.Script), " ")
}

// vocabulary returns the commands and constructs of a script, sorted.
func vocabulary(text string) []string {
	words := map[string]bool{}
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		if fields := strings.Fields(text); len(fields) <= 8 {
			return fields
		}
		return []string{"(a script that the shrinker cannot parse)"}
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if len(n.Args) > 0 {
				if name := n.Args[0].Lit(); name != "" && !strings.HasPrefix(text[n.Pos().Offset():], `echo "rc=$?"`) {
					words[name] = true
				}
				for _, a := range n.Args[1:] {
					if lit := a.Lit(); strings.HasPrefix(lit, "-") {
						words[lit] = true
					}
				}
			}
			if len(n.Assigns) > 0 {
				words["x="] = true
			}
		case *syntax.DeclClause:
			words[n.Variant.Value] = true
		case *syntax.ParamExp:
			switch {
			case n.Exp != nil:
				words["${x"+n.Exp.Op.String()+"}"] = true
			case n.Repl != nil:
				words["${x/}"] = true
			case n.Slice != nil:
				words["${x:n}"] = true
			case n.Length:
				words["${#x}"] = true
			case n.Excl:
				words["${!x}"] = true
			case n.Index != nil:
				words["x[i]"] = true
			}
		case *syntax.SglQuoted:
			if n.Dollar {
				words["$''"] = true
			}
		case *syntax.Redirect:
			words[n.Op.String()] = true
		case *syntax.BinaryCmd:
			words[n.Op.String()] = true
		case *syntax.Stmt:
			if n.Background {
				words["&"] = true
			}
			if n.Negated {
				words["!"] = true
			}
		case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.Subshell, *syntax.CaseClause, *syntax.ForClause, *syntax.WhileClause, *syntax.IfClause, *syntax.FuncDecl, *syntax.TestClause, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.ArrayExpr, *syntax.LetClause, *syntax.BraceExp, *syntax.TimeClause:
			words[strings.TrimPrefix(fmt.Sprintf("%T", n), "*syntax.")] = true
		}
		return true
	})
	return slices.Sorted(maps.Keys(words))
}
