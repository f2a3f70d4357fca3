package shell

import (
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/syntax"
)

// condition evaluates the inside of [[ ]].
func (s *shell) condition(x syntax.TestExpr) (bool, error) {
	switch x := x.(type) {
	case *syntax.Word:
		text, err := s.single(x)
		return text != "", err
	case *syntax.ParenTest:
		return s.condition(x.X)
	case *syntax.UnaryTest:
		return s.unaryCondition(x)
	case *syntax.BinaryTest:
		return s.binaryCondition(x)
	}
	return false, &usageError{"unsupported condition"}
}

func (s *shell) unaryCondition(x *syntax.UnaryTest) (bool, error) {
	if x.Op == syntax.TsNot {
		ok, err := s.condition(x.X)
		return !ok, err
	}
	w, ok := x.X.(*syntax.Word)
	if !ok {
		return s.condition(x.X)
	}
	text, err := s.single(w)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsVarSet:
		return s.isSet(text), nil
	case syntax.TsOptSet:
		on, _ := s.optionState(text)
		return on, nil
	case syntax.TsRefVar:
		return s.vars[text].ref, nil
	}
	return utility.TestUnary(s.p, x.Op.String(), text), nil
}

// isSet answers [[ -v name ]].
func (s *shell) isSet(name string) bool {
	if base, index, ok := strings.Cut(strings.TrimSuffix(name, "]"), "["); ok {
		word := &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: index}}}
		_, set, err := s.paramValue(base, word)
		return err == nil && set
	}
	_, set := s.lookup(name)
	return set
}

func (s *shell) binaryCondition(x *syntax.BinaryTest) (bool, error) {
	switch x.Op {
	case syntax.AndTest, syntax.OrTest:
		ok, err := s.condition(x.X)
		if err != nil || ok == (x.Op == syntax.OrTest) {
			return ok, err
		}
		return s.condition(x.Y)
	}
	left, ok := x.X.(*syntax.Word)
	right, ok2 := x.Y.(*syntax.Word)
	if !ok || !ok2 {
		return false, &usageError{"unsupported condition"}
	}
	a, err := s.single(left)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsMatch, syntax.TsMatchShort, syntax.TsNoMatch:
		pat, err := s.pattern(right)
		if err != nil {
			return false, err
		}
		return s.matches(pat, a) == (x.Op != syntax.TsNoMatch), nil
	case syntax.TsReMatch:
		return s.regexMatch(a, right)
	}
	b, err := s.single(right)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsBefore:
		return a < b, nil
	case syntax.TsAfter:
		return a > b, nil
	case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
		m, err := s.arithmeticText(a)
		if err != nil {
			return false, err
		}
		n, err := s.arithmeticText(b)
		if err != nil {
			return false, err
		}
		switch x.Op {
		case syntax.TsEql:
			return m == n, nil
		case syntax.TsNeq:
			return m != n, nil
		case syntax.TsLeq:
			return m <= n, nil
		case syntax.TsGeq:
			return m >= n, nil
		case syntax.TsLss:
			return m < n, nil
		}
		return m > n, nil
	}
	return utility.TestBinary(s.p, a, x.Op.String(), b)
}

// regexMatch answers [[ a =~ expression ]] and sets BASH_REMATCH.
func (s *shell) regexMatch(text string, w *syntax.Word) (bool, error) {
	e := expander{s: s}
	if err := e.word(w.Parts, false); err != nil {
		return false, err
	}
	var b strings.Builder
	i := 0
	for _, q := range e.quoted {
		b.Write(e.buf[i:q.from])
		b.WriteString(regexp.QuoteMeta(string(e.buf[q.from:q.to])))
		i = q.to
	}
	b.Write(e.buf[i:])
	expr := b.String()
	if s.options.nocasematch {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return false, &usageError{"invalid regular expression"}
	}
	re.Longest()
	groups := re.FindStringSubmatch(text)
	v := variable{list: map[int]string{}, set: true}
	for i, g := range groups {
		v.list[i] = g
	}
	s.store("BASH_REMATCH", v)
	return groups != nil, nil
}
