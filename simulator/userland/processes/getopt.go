package processes

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// optionParser is a getopt at work: it puts the options of a script in order.
type optionParser struct {
	*kit.Tool
	letters string
	long    []string
	single  bool // long options may begin with one dash
	quote   func(string) string
	out     strings.Builder
}

// Getopt is the utility getopt.
func Getopt(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	compatible := len(args) > 1 && !strings.HasPrefix(args[1], "-") || len(args) == 1
	opts, rest, ok := t.Options(args, "al:n:o:qs:uQT", true, map[string]string{"options": "o:", "longoptions": "l:", "long": "l:", "name": "n:", "quiet": "q", "quiet-output": "Q",
		"unquoted": "u", "shell": "s:", "test": "T", "alternative": "a"})
	wrong := 1
	if t.GNU {
		wrong = 2
	}
	if !ok {
		t.Status = wrong
		return t.End()
	}
	if kit.Has(opts, 'T') {
		t.Status = 4
		return t.End()
	}
	letters := kit.Last(opts, 'o')
	if !kit.Has(opts, 'o') {
		if len(rest) == 0 {
			t.Complain("missing optstring argument")
			t.Status = wrong
			return t.End()
		}
		letters, rest = rest[0], rest[1:]
	}
	if name := kit.Last(opts, 'n'); name != "" {
		t.Name = name
	}
	g := &optionParser{Tool: t, letters: letters, single: kit.Has(opts, 'a'), quote: func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }}
	if compatible || kit.Has(opts, 'u') {
		g.quote = func(text string) string { return text }
	}
	for _, l := range opts['l'] {
		g.long = append(g.long, strings.FieldsFunc(l, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' })...)
	}
	silent := kit.Has(opts, 'q')
	complain := func(format string, args ...any) {
		if t.Status = 1; !silent {
			t.Complain(format, args...)
		}
	}
	operands := g.parse(rest, complain)
	g.out.WriteString(" --")
	for _, o := range operands {
		g.out.WriteString(" " + g.quote(o))
	}
	if !kit.Has(opts, 'Q') {
		t.Out.WriteString(g.out.String() + "\n")
	}
	return t.End()
}

// parse writes the options and returns the operands.
func (g *optionParser) parse(rest []string, complain func(format string, args ...any)) (operands []string) {
	letters := strings.TrimLeft(g.letters, "+-")
	for len(rest) > 0 {
		a := rest[0]
		rest = rest[1:]
		switch {
		case a == "--":
			return append(operands, rest...)
		case strings.HasPrefix(a, "--"):
			rest = g.longOption(a, a[2:], rest, complain)
		case len(a) > 1 && a[0] == '-':
			if _, _, known := g.find(kit.Before(a[1:], "=")); g.single && known && (len(a) > 2 || !strings.Contains(letters, a[1:2])) {
				rest = g.longOption("-"+a, a[1:], rest, complain)
				continue
			}
			for i := 1; i < len(a); i++ {
				at := strings.IndexByte(letters, a[i])
				if at < 0 || a[i] == ':' {
					complain("invalid option -- '%c'", a[i])
					continue
				}
				if !strings.HasPrefix(letters[at+1:], ":") {
					g.out.WriteString(" -" + a[i:i+1])
					continue
				}
				value := a[i+1:]
				if value == "" && !strings.HasPrefix(letters[at+1:], "::") {
					if len(rest) == 0 {
						complain("option requires an argument -- '%c'", a[i])
						break
					}
					value, rest = rest[0], rest[1:]
				}
				g.out.WriteString(" -" + a[i:i+1] + " " + g.quote(value))
				break
			}
		case strings.HasPrefix(g.letters, "+"):
			return append(append(operands, a), rest...)
		case strings.HasPrefix(g.letters, "-"):
			g.out.WriteString(" " + g.quote(a))
		default:
			operands = append(operands, a)
		}
	}
	return operands
}

// find finds the long option that a name, which may be cut short, is of; kind is "", ":" or "::".
func (g *optionParser) find(name string) (full, kind string, ok bool) {
	var matches []string
	for _, l := range g.long {
		switch full := strings.TrimRight(l, ":"); {
		case full == name:
			return full, l[len(full):], true
		case strings.HasPrefix(full, name):
			matches = append(matches, l)
		}
	}
	if len(matches) == 0 {
		return "", "", false
	}
	full = strings.TrimRight(matches[0], ":")
	kind = matches[0][len(full):]
	alike := !slices.ContainsFunc(matches, func(l string) bool { return l[len(strings.TrimRight(l, ":")):] != kind })
	return full, kind, alike // the C library takes the first one if they do not differ
}

// longOption writes one long option, and returns the arguments that are left.
func (g *optionParser) longOption(shown, text string, rest []string, complain func(format string, args ...any)) []string {
	name, value, has := strings.Cut(text, "=")
	full, kind, known := g.find(name)
	switch {
	case !known:
		complain("unrecognized option '%s'", shown)
	case kind == "" && has:
		complain("option '--%s' doesn't allow an argument", full)
	case kind == "":
		g.out.WriteString(" --" + full)
	case kind == ":" && !has && len(rest) == 0:
		complain("option '--%s' requires an argument", full)
	default:
		if kind == ":" && !has {
			value, rest = rest[0], rest[1:]
		}
		g.out.WriteString(" --" + full + " " + g.quote(value))
	}
	return rest
}
