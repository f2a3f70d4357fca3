package shell

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// elementName divides the name of an element, as name[index], which a script of bash may make at run time.
func elementName(text string) (base, index string, ok bool) {
	base, index, ok = strings.Cut(text, "[")
	if !ok || !strings.HasSuffix(index, "]") || !syntax.IsName(base) {
		return text, "", false
	}
	return base, index[:len(index)-1], true
}

// runtimeSubscript expands the index of an element that was named at run time, as in read 'a[$i]': bash does with it what it
// does with one that stands in the script.
func (s *shell) runtimeSubscript(name, index string) (string, error) {
	if s.kind != bash || !strings.ContainsAny(index, "$`\\\"'") {
		return index, nil
	}
	sc := s.parseWith("x["+index+"]=", syntax.Options{Extglob: s.options.extglob, Posix: s.options.posix})
	defer s.release(sc)
	word := onlyIndex(sc)
	if word == nil {
		return index, nil
	}
	return s.subscript(name, word)
}

// argumentSubscript does the same for an argument of a built-in. The option assoc_expand_once leaves keys as they are.
func (s *shell) argumentSubscript(name, index string) (string, error) {
	if s.options.others[slices.Index(shoptOrder, "assoc_expand_once")] && s.vars[s.target(name)].table != nil {
		return index, nil
	}
	return s.runtimeSubscript(name, index)
}

// onlyIndex returns the index of the assignment of which a script consists, or nil if it is something else.
func onlyIndex(sc *syntax.Script) *syntax.Word {
	if sc.Err != nil || len(sc.Lines) != 1 || len(sc.Lines[0]) != 1 {
		return nil
	}
	call, ok := sc.Lines[0][0].Cmd.(*syntax.Call)
	if !ok || len(call.Args) > 0 || len(call.Assigns) != 1 {
		return nil
	}
	return call.Assigns[0].Index
}

// hasSubscript reports whether an expression has a bracket in its text, and something to expand as well.
func hasSubscript(w *syntax.Word) bool {
	brackets := func(part syntax.Part) bool {
		lit, ok := part.(*syntax.Lit)
		return ok && strings.Contains(lit.Value, "[")
	}
	return len(w.Parts) > 1 && slices.ContainsFunc(w.Parts, brackets) && slices.ContainsFunc(w.Parts, expands)
}

// expands reports whether a part of a word is more than text and quotes.
func expands(part syntax.Part) bool {
	switch part := part.(type) {
	case *syntax.Lit, *syntax.SglQuoted:
		return false
	case *syntax.DblQuoted:
		return slices.ContainsFunc(part.Parts, expands)
	}
	return true
}

// expandSubscripts expands an expression that has subscripts. The signs that an expansion brings into a subscript are
// protected, since the subscript is going to be expanded once more. So are the brackets of a subscript in another one, which
// therefore fails: bash 5.2 does not understand $((a[b[$i]])).
func (e *expander) expandSubscripts(w *syntax.Word) error {
	depth := 0
	for i, part := range w.Parts {
		from := len(e.buf)
		if err := e.word(w.Parts[i:i+1], true); err != nil {
			return err
		}
		text := string(e.buf[from:])
		if _, ok := part.(*syntax.Lit); ok {
			depth = e.protectNested(from, depth)
		} else if depth > 0 {
			e.buf = append(e.buf[:from], protectSubscript.Replace(text)...)
		}
	}
	return nil
}

// protectNested protects the brackets inside of others in what has been expanded, from an offset on. It takes the number of
// brackets that are open there, and returns how many are open in the end.
func (e *expander) protectNested(from, depth int) int {
	text := string(e.buf[from:])
	e.buf = e.buf[:from]
	for i := range len(text) {
		switch text[i] {
		case '[':
			if depth++; depth > 1 {
				e.buf = append(e.buf, '\\')
			}
		case ']':
			if depth = max(0, depth-1); depth > 0 {
				e.buf = append(e.buf, '\\')
			}
		}
		e.buf = append(e.buf, text[i])
	}
	return depth
}

var protectSubscript = strings.NewReplacer("$", `\$`, "`", "\\`", `\`, `\\`, "[", `\[`, "]", `\]`)
