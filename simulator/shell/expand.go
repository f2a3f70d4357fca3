package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// usageError is an error that a shell reports and that ends a non-interactive shell, or the command.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// expander turns words into fields. A field remembers which of its bytes were quoted, because only the others make it
// a pattern.
type expander struct {
	s      *shell
	split  bool // fields are split at IFS and matched against files
	here   bool // inside a here-document
	ifs    string
	fields []string
	buf    []byte
	quoted []span // what of buf was quoted
	active bool   // the field exists even if buf is empty
	glob   bool   // it holds an unquoted pattern character
	delim  bool   // white space has just ended a field
}

type span struct{ from, to int }

// fieldsOf expands the words of a command.
func (s *shell) fieldsOf(words []*syntax.Word) ([]string, error) {
	out := make([]string, 0, len(words)+2)
	for _, w := range words {
		if len(w.Parts) == 1 {
			switch part := w.Parts[0].(type) {
			case *syntax.Lit:
				if plain(part.Value) {
					out = append(out, part.Value)
					continue
				}
			case *syntax.SglQuoted:
				if !part.Dollar {
					out = append(out, part.Value)
					continue
				}
			}
		}
		if s.kind == bash && hasBrace(w) {
			split := *w
			if syntax.SplitBraces(&split) {
				for word, err := range expand.BracesSeq(nil, &split) {
					if err != nil {
						return nil, err
					}
					if out, err = s.fields(out, word); err != nil {
						return nil, err
					}
					if len(out) > 1<<20 {
						return nil, &usageError{"argument list too long"}
					}
				}
				continue
			}
		}
		var err error
		if out, err = s.fields(out, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plain reports whether unquoted text stands for itself.
func plain(lit string) bool {
	for i := 0; i < len(lit); i++ {
		switch lit[i] {
		case '\\', '*', '?', '~', '{':
			return false
		case '[':
			if strings.IndexByte(lit[i:], ']') > 0 {
				return false
			}
		}
	}
	return true
}

func hasBrace(w *syntax.Word) bool {
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok && strings.Contains(lit.Value, "{") {
			return true
		}
	}
	return false
}

func (s *shell) fields(out []string, w *syntax.Word) ([]string, error) {
	e := expander{s: s, split: true, ifs: s.ifs(), fields: out}
	if err := e.word(w.Parts, false); err != nil {
		return nil, err
	}
	e.end()
	return e.fields, nil
}

// ifs is IFS, or its default if that is unset.
func (s *shell) ifs() string {
	if v := s.vars["IFS"]; v.set {
		return v.value
	}
	return " \t\n"
}

// single expands a word to one string, without splitting and file names.
func (s *shell) single(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if len(w.Parts) == 1 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok && plain(lit.Value) {
			return lit.Value, nil
		}
	}
	e := expander{s: s}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// assigned expands the value of an assignment: as single, with a tilde after each colon too.
func (s *shell) assigned(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if len(w.Parts) > 0 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok && strings.Contains(lit.Value, ":~") {
			parts := strings.Split(lit.Value, ":")
			for i, part := range parts {
				if i > 0 {
					if home, rest, ok := s.tilde(part, len(w.Parts) > 1 && i == len(parts)-1); ok {
						parts[i] = home + rest
					}
				}
			}
			first := *lit
			first.Value = strings.Join(parts, ":")
			changed := append([]syntax.WordPart{&first}, w.Parts[1:]...)
			e := expander{s: s}
			err := e.word(changed, false)
			return string(e.buf), err
		}
	}
	return s.single(w)
}

// pattern expands a word to a pattern, in which quoted characters stand for themselves.
func (s *shell) pattern(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	e := expander{s: s}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	return e.escaped(), nil
}

// document expands the body of a here-document.
func (s *shell) document(w *syntax.Word) (string, error) {
	e := expander{s: s, here: true}
	if err := e.word(w.Parts, true); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// end completes the current field, if there is one.
func (e *expander) end() {
	if len(e.buf) == 0 && !e.active {
		e.reset()
		return
	}
	if e.glob && !e.s.options.noglob {
		if names := e.s.globbed(e.escaped()); len(names) > 0 {
			e.fields = append(e.fields, names...)
			e.reset()
			return
		} else if e.s.options.nullglob {
			e.reset()
			return
		}
	}
	e.fields = append(e.fields, string(e.buf))
	e.reset()
}

func (e *expander) reset() {
	e.buf, e.quoted, e.active, e.glob = e.buf[:0], e.quoted[:0], false, false
}

// escaped is the field with a backslash before each quoted character that would mean something in a pattern.
func (e *expander) escaped() string {
	var b strings.Builder
	b.Grow(len(e.buf) + 8)
	i := 0
	for _, q := range e.quoted {
		b.Write(e.buf[i:q.from])
		for _, c := range e.buf[q.from:q.to] {
			if strings.IndexByte(`*?[]\-!^()|@+`, c) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		i = q.to
	}
	b.Write(e.buf[i:])
	return b.String()
}

// quote appends text that means nothing but itself.
func (e *expander) quote(text string) {
	e.active, e.delim = true, false
	if text == "" {
		return
	}
	from := len(e.buf)
	e.buf = append(e.buf, text...)
	if n := len(e.quoted); n > 0 && e.quoted[n-1].to == from {
		e.quoted[n-1].to = len(e.buf)
	} else {
		e.quoted = append(e.quoted, span{from, len(e.buf)})
	}
}

// add appends unquoted text that is not split: it stood in the script.
func (e *expander) add(text string) {
	if text == "" {
		return
	}
	e.delim = false
	e.buf = append(e.buf, text...)
	if !e.glob && strings.ContainsAny(text, "*?[") {
		e.glob = text != "["
	}
}

// value appends the result of an unquoted expansion.
func (e *expander) value(text string, quoted bool) {
	switch {
	case quoted:
		e.quote(text)
		return
	case !e.split || e.ifs == "":
		e.add(text)
		return
	}
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if strings.IndexByte(e.ifs, c) < 0 {
			continue
		}
		e.add(text[start:i])
		start = i + 1
		if c == ' ' || c == '\t' || c == '\n' {
			if len(e.buf) > 0 || e.active {
				e.end()
				e.delim = true
			}
			continue
		}
		if e.delim {
			e.delim = false
			continue
		}
		e.active = true
		e.end()
	}
	e.add(text[start:])
}

// list appends the elements of $@, $* or an array.
func (e *expander) list(elems []string, quoted, star bool) {
	switch {
	case star && quoted || !e.split && star:
		sep, ifs := "", e.s.ifs()
		if ifs != "" {
			_, n := utf8.DecodeRuneInString(ifs)
			sep = ifs[:n]
		}
		e.value(strings.Join(elems, sep), quoted)
	case !e.split:
		e.value(strings.Join(elems, " "), quoted)
	default:
		for i, elem := range elems {
			if i > 0 {
				e.end()
				e.delim = false
			}
			e.value(elem, quoted)
		}
	}
}

// word expands the parts of a word.
func (e *expander) word(parts []syntax.WordPart, quoted bool) error {
	for i, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if quoted {
				e.quote(unescapeQuoted(part.Value, e.here))
				continue
			}
			text := part.Value
			if i == 0 && strings.HasPrefix(text, "~") {
				if home, rest, ok := e.s.tilde(text, len(parts) > 1); ok {
					e.quote(home)
					text = rest
				}
			}
			e.literal(text)
		case *syntax.SglQuoted:
			if part.Dollar {
				text, _ := utility.Escapes(part.Value, utility.DollarQuote)
				if cut := strings.IndexByte(text, 0); cut >= 0 {
					text = text[:cut]
				}
				e.quote(text)
			} else if quoted {
				e.quote("'" + part.Value + "'")
			} else {
				e.quote(part.Value)
			}
		case *syntax.DblQuoted:
			if !onlyList(part.Parts) {
				e.quote("")
			}
			here := e.here
			e.here = false
			if err := e.word(part.Parts, true); err != nil {
				return err
			}
			e.here = here
		case *syntax.ParamExp:
			if err := e.param(part, quoted); err != nil {
				return err
			}
		case *syntax.CmdSubst:
			out, err := e.s.substitute(part)
			if err != nil {
				return err
			}
			e.value(out, quoted)
		case *syntax.ArithmExp:
			n, err := e.s.arithmetic(part.X)
			if err != nil {
				return err
			}
			e.value(strconv.FormatInt(n, 10), quoted)
		case *syntax.ProcSubst:
			name, err := e.s.processSubstitution(part)
			if err != nil {
				return err
			}
			e.quote(name)
		case *syntax.ExtGlob:
			e.add(part.Op.String())
			e.literal(part.Pattern.Value)
			e.add(")")
			e.glob = true
		default:
			return &usageError{"bad substitution"}
		}
	}
	return nil
}

// onlyList recognises "$@" and its like: the one thing in quotes that may be no field at all.
func onlyList(parts []syntax.WordPart) bool {
	if len(parts) != 1 {
		return false
	}
	pe, ok := parts[0].(*syntax.ParamExp)
	if !ok || pe.Param == nil || pe.Length {
		return false
	}
	if pe.Param.Value == "@" {
		return true
	}
	_, all := indexAll(pe.Index)
	return all || pe.Names == syntax.NamesPrefixWords
}

// literal appends unquoted text of the script, in which a backslash quotes the next character.
func (e *expander) literal(text string) {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i == len(text)-1 {
			e.add(text)
			return
		}
		e.add(text[:i])
		_, n := utf8.DecodeRuneInString(text[i+1:])
		if text[i+1] != '\n' {
			e.quote(text[i+1 : i+1+n])
		}
		text = text[i+1+n:]
	}
}

// unescapeQuoted removes the backslashes that mean something inside double quotes.
func unescapeQuoted(text string, here bool) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			switch c := text[i+1]; {
			case c == '\n':
				i++
				continue
			case c == '$', c == '`', c == '\\', c == '"' && !here:
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// tilde expands ~ and ~user at the beginning of a word.
func (s *shell) tilde(text string, more bool) (home, rest string, ok bool) {
	user := text[min(1, len(text)):]
	if !strings.HasPrefix(text, "~") {
		return "", "", false
	}
	if i := strings.IndexByte(user, '/'); i >= 0 {
		user, rest = user[:i], user[i:]
	} else if more {
		return "", "", false
	}
	if strings.Contains(user, `\`) {
		return "", "", false
	}
	switch user {
	case "":
		if v := s.vars["HOME"]; v.set {
			return v.value, rest, true
		}
		return "", "", false
	case "+":
		return s.value("PWD"), rest, s.kind == bash
	case "-":
		return s.value("OLDPWD"), rest, s.kind == bash && s.vars["OLDPWD"].set
	}
	home, ok = s.p.Container().UserHome(user)
	return home, rest, ok
}
