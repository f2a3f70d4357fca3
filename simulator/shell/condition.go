package shell

import (
	"errors"
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
)

// conditionError is a condition that makes no sense: [[ has the status of a usage error then.
type conditionError struct{ text string }

func (e *conditionError) Error() string { return e.text }

// condition evaluates the inside of [[ ]].
func (s *shell) condition(x syntax.CondExpr) (bool, error) { return s.negatable(x, "") }

// negatable evaluates a condition; not is the sign before it, for the trace.
func (s *shell) negatable(x syntax.CondExpr, not string) (bool, error) {
	switch x := x.(type) {
	case *syntax.CondWord:
		text, err := s.singleWord(x.Word)
		s.traceCondition(not + "-n " + tracedWord(text))
		return text != "", err
	case *syntax.CondGroup:
		return s.condition(x.X)
	case *syntax.CondNot:
		ok, err := s.negatable(x.X, "! ")
		return !ok && err == nil, err
	case *syntax.CondAnd:
		for _, term := range x.Terms {
			if ok, err := s.condition(term); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	case *syntax.CondOr:
		for _, term := range x.Terms {
			if ok, err := s.condition(term); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case *syntax.CondUnary:
		text, err := s.singleWord(x.Word)
		if err != nil {
			return false, err
		}
		s.traceCondition(not + x.Op + " " + tracedWord(text))
		return s.unaryTest(x.Op, text, false)
	case *syntax.CondBinary:
		return s.binaryCondition(x, not)
	}
	return false, nil
}

func (s *shell) traceCondition(text string) {
	if s.options.xtrace {
		s.traceLine("[[ " + text + " ]]")
	}
}

// isSet answers test -v name, which expands the index of an element, and [[ -v name ]], which has done so.
func (s *shell) isSet(name string, expand bool) (bool, error) {
	if base, index, ok := elementName(name); ok && index != "" {
		if index == "@" || index == "*" {
			return s.array(base).length() > 0, nil
		}
		if expand {
			var err error
			if index, err = s.argumentSubscript(base, index); err != nil {
				return false, err
			}
		}
		_, set, err := s.element(base, index)
		if errors.As(err, new(*abandonError)) {
			return false, err
		}
		return err == nil && set, nil
	}
	if !syntax.IsName(name) && strings.Trim(name, "0123456789") != "" {
		return false, nil
	}
	_, set := s.lookup(name)
	return set, nil
}

func (s *shell) binaryCondition(x *syntax.CondBinary, not string) (bool, error) {
	a, err := s.singleWord(x.X)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case "=", "==", "!=":
		e := expander{s: s}
		if err := e.word(x.Y.Parts, false); err != nil {
			return false, err
		}
		pat := e.escaped()
		if s.options.xtrace {
			s.traceCondition(not + tracedWord(a) + " " + x.Op + " " + tracedWord(e.allEscaped()))
		}
		m := s.extended()
		return m.match(s.folded(pat, a)) == (x.Op != "!="), nil
	case "=~":
		return s.regexMatch(a, x.Y, not)
	}
	b, err := s.singleWord(x.Y)
	if err != nil {
		return false, err
	}
	s.traceCondition(not + tracedWord(a) + " " + x.Op + " " + tracedWord(b))
	switch x.Op {
	case "<":
		return a < b, nil
	case ">":
		return a > b, nil
	case "-nt", "-ot", "-ef":
		return condition.TestBinary(s.p, a, x.Op, b)
	}
	m, err := s.evaluate(a)
	n := int64(0)
	if err == nil {
		n, err = s.evaluate(b)
	}
	if err != nil {
		if errors.As(err, new(*fatalError)) || errors.As(err, new(*abandonError)) {
			return false, err
		}
		s.complain("[[: " + err.Error()) // the comparison is false, and what is around it goes on
		return false, nil
	}
	return compared(m, x.Op, n), nil
}

// tracedWord is a word of a condition in the trace.
func tracedWord(text string) string {
	if text == "" {
		return "''"
	}
	return text
}

// regexMatch answers [[ a =~ expression ]] and sets BASH_REMATCH.
func (s *shell) regexMatch(text string, w *syntax.Word, not string) (bool, error) {
	e := expander{s: s}
	if err := e.word(w.Parts, false); err != nil {
		return false, err
	}
	expr := e.withQuoted(regexp.QuoteMeta)
	if s.options.xtrace {
		s.traceCondition(not + tracedWord(text) + " =~ " + tracedWord(e.withQuoted(tracedExpression.Replace)))
	}
	if s.options.nocasematch {
		expr = "(?i)" + expr
	}
	if len(expr) > maxExpression {
		s.p.Exceed("its shell was given too long a regular expression")
	}
	s.p.Work(uint32((len(text)+len(expr))>>6) + 1)
	re, err := regexp.Compile("(?s)" + expr)
	if err != nil {
		s.store("BASH_REMATCH", variable{list: newList(), set: true})
		return false, &conditionError{"invalid regular expression `" + string(e.buf) + "'"}
	}
	re.Longest()
	groups := re.FindStringSubmatch(text)
	s.store("BASH_REMATCH", variable{list: listOf(groups), set: true})
	return groups != nil, nil
}

// withQuoted returns the text in which what was quoted is changed.
func (e *expander) withQuoted(change func(string) string) string {
	var b strings.Builder
	i := 0
	for _, q := range e.quoted {
		b.Write(e.buf[i:q.from])
		b.WriteString(change(string(e.buf[q.from:q.to])))
		i = q.to
	}
	b.Write(e.buf[i:])
	return b.String()
}

// tracedExpression puts a backslash before what means something in a regular expression, where that was quoted: so the trace
// shows it.
var tracedExpression = strings.NewReplacer(".", `\.`, "[", `\[`, `\`, `\\`, "(", `\(`, ")", `\)`, "*", `\*`, "+", `\+`, "?", `\?`, "{", `\{`, "|", `\|`, "^", `\^`, "$", `\$`)

// maxExpression is how long a regular expression may be.
const maxExpression = 1 << 16
