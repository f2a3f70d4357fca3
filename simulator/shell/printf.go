package shell

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
)

// builtinPrintf is printf: bash's and dash's own, and the utility that ash has built in.
func builtinPrintf(s *shell, args []string) int {
	if s.kind == ash {
		if s.env == nil {
			s.p.Env = s.environment()
		}
		return formatting.Printf(s.p, args)
	}
	words := args[1:]
	name, toVariable := "", false
	for s.kind == bash && len(words) > 0 && strings.HasPrefix(words[0], "-") && words[0] != "-" && words[0] != "--" {
		if !strings.HasPrefix(words[0], "-v") {
			s.complain(words[0][:2] + ": invalid option")
			s.print(2, "printf: usage: printf [-v var] format [arguments]\n")
			return statusUsage
		}
		toVariable = true
		if name = words[0][2:]; name == "" && len(words) > 1 {
			name, words = words[1], words[1:]
		}
		words = words[1:]
		if base, _, _ := strings.Cut(name, "["); !syntax.IsName(base) {
			s.complain("`" + name + "': not a valid identifier")
			return statusUsage
		}
	}
	if s.kind == dash && len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' && words[0] != "--" {
		s.illegalOption(rune(words[0][1]))
		return statusUsage
	}
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		if s.kind == dash {
			s.complain("usage: printf format [arg ...]")
		} else {
			s.print(2, "printf: usage: printf [-v var] format [arguments]\n")
		}
		return statusUsage
	}
	f := s.formatter()
	if s.kind == bash && !toVariable { // whose lines are written as they are complete
		f.Complain = func(text string) {
			s.write(f.TakeLines())
			s.complain(text)
		}
	}
	out, status := f.Format(words[0], words[1:])
	defer f.Release()
	if toVariable {
		if err := s.assignNamed(name, string(out)); err != nil {
			s.failing("", err)
			return s.status
		}
		return status
	}
	if failed := s.write(out); failed != 0 {
		return failed
	}
	return status
}

// formatter returns what formats for dash and bash.
func (s *shell) formatter() formatting.Formatter {
	f := formatting.Formatter{Process: s.p, Style: formatting.PrintfOfDash, Complain: s.complain, Escapes: dashEscapes}
	if s.kind == bash {
		f.Style, f.Escapes = formatting.PrintfOfBash, s.formatEscapes
		f.Quote, f.Time = s.quoteBackslash, s.formatTime
		f.Count = func(name string, n int) error {
			if !syntax.IsName(name) {
				return errors.New("`" + name + "': not a valid identifier")
			}
			return s.assign(name, strconv.Itoa(n))
		}
	}
	return f
}

// formatEscapes are the escapes of bash's printf.
func (s *shell) formatEscapes(text string, argument bool) (string, bool) {
	if !s.wide() {
		text = narrow(text)
	}
	if argument {
		return formatting.Escapes(formatting.Octal(text), formatting.EchoArgument)
	}
	switch text {
	case `\c`: // in a format it means nothing
		return text, false
	case `\x`:
		s.complain(`missing hex digit for \x`)
	case `\u`, `\U`:
		s.complain("missing unicode digit for " + text)
	}
	return formatting.Escapes(text, formatting.FormatString)
}

// formatTime is bash's %(layout)T of seconds since 1970; -1 and no argument are now, -2 is the start of the shell.
func (s *shell) formatTime(layout string, seconds int64, given bool) string {
	at := s.p.Now()
	switch {
	case given && seconds == -2:
		at = s.started
	case given && seconds != -1:
		at = time.Unix(seconds, 0).UTC()
	}
	if layout == "" {
		layout = "%X"
	}
	return dates.Strftime(layout, at)
}

// quoteBackslash quotes text as bash's printf %q does.
func (s *shell) quoteBackslash(text string) string {
	if text == "" {
		return "''"
	}
	if s.unprintable(text, "") {
		return s.quoteDollar(text)
	}
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		special := strings.IndexByte(" !\"#$&'()*,;<>?[\\]^`{|}~", c) >= 0
		switch c {
		case '#':
			special = i == 0
		case '~':
			special = i == 0 || text[i-1] == ':' || text[i-1] == '='
		}
		if special {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
