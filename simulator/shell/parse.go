package shell

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxScripts is how many parsed scripts are kept.
const maxScripts = 256

type cacheKey struct {
	text string
	kind dialect
}

// script is a parsed script: its commands up to the first syntax error, and that error.
type script struct {
	stmts []*syntax.Stmt
	err   error
}

// parse parses a script, or finds it among those parsed before.
func (i *Interpreter) parse(text string, kind dialect) *script {
	key := cacheKey{text, kind}
	if sc := i.parsed[key]; sc != nil {
		return sc
	}
	if len(i.parsed) >= maxScripts {
		clear(i.parsed)
	}
	sc := parse(text, kind)
	i.parsed[key] = sc
	return sc
}

func parse(text string, kind dialect) *script {
	if kind == bash {
		return parseAs(text, syntax.LangBash)
	}
	if !bashisms(text) {
		sc := parseAs(text, syntax.LangPOSIX)
		if !errors.As(sc.err, new(syntax.LangError)) {
			return sc
		}
	}
	// Ash knows some of what POSIX leaves to bash: [[, substrings, $'…', local, function.
	sc := parseAs(text, syntax.LangBash)
	for n, st := range sc.stmts {
		if bad := beyondAsh(st); bad != nil {
			return &script{stmts: sc.stmts[:n], err: bad}
		}
	}
	return sc
}

// bashisms reports whether the text may hold a construct that means something else to the POSIX parser.
func bashisms(text string) bool {
	for _, s := range []string{"[[", "$'", "&>", "function "} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func parseAs(text string, lang syntax.LangVariant) (sc *script) {
	sc = &script{}
	defer func() {
		if r := recover(); r != nil { // a defect of the parser is a syntax error of the script
			sc.err = syntax.ParseError{Text: "cannot be parsed"}
		}
	}()
	p := syntax.NewParser(syntax.Variant(lang))
	for st, err := range p.StmtsSeq(strings.NewReader(text)) {
		if err != nil {
			sc.err = err
			break
		}
		sc.stmts = append(sc.stmts, st)
	}
	if sc.err != nil {
		sc.stmts = wholeLines(sc.stmts, text)
	}
	return sc
}

// wholeLines drops the last commands as long as something follows them on their line: a shell reads line by line and
// runs nothing of a line that it cannot parse.
func wholeLines(stmts []*syntax.Stmt, text string) []*syntax.Stmt {
	for len(stmts) > 0 {
		end := min(int(stmts[len(stmts)-1].End().Offset()), len(text))
		rest := strings.TrimLeft(text[end:], "; \t\r")
		if rest == "" || rest[0] == '\n' || rest[0] == '#' {
			break
		}
		stmts = stmts[:len(stmts)-1]
	}
	return stmts
}

// beyondAsh returns an error if the command uses what even ash does not know.
func beyondAsh(st *syntax.Stmt) error {
	var bad error
	refuse := func(at syntax.Pos, token string) {
		if bad == nil {
			bad = syntax.ParseError{Pos: at, Text: `unexpected "` + token + `"`}
		}
	}
	syntax.Walk(st, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ArrayExpr:
			refuse(n.Pos(), "(")
		case *syntax.ProcSubst, *syntax.ArithmCmd:
			refuse(n.Pos(), "(")
		case *syntax.CoprocClause:
			refuse(n.Pos(), "coproc")
		case *syntax.ForClause:
			if _, ok := n.Loop.(*syntax.CStyleLoop); ok {
				refuse(n.Pos(), "((")
			}
			if n.Select {
				refuse(n.Pos(), "do")
			}
		case *syntax.Redirect:
			if n.Op == syntax.WordHdoc {
				refuse(n.Pos(), "redirection")
			}
		}
		return bad == nil
	})
	return bad
}
