package shell

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
)

// builtinEcho is echo. Dash knows the option -n alone, and its escapes are always on.
func builtinEcho(s *shell, args []string) int {
	words := args[1:]
	newline, escapes := true, s.kind == dash || s.options.xpgEcho
	switch {
	case s.kind == dash:
		if len(words) > 0 && words[0] == "-n" {
			newline, words = false, words[1:]
		}
	case !(s.options.posix && s.options.xpgEcho):
		words, newline, escapes = formatting.EchoOptions(words, escapes)
	}
	size := 1
	for _, w := range words {
		size += len(w) + 1
	}
	s.grow(size)
	out := make([]byte, 0, size)
	for i, w := range words {
		if i > 0 {
			out = append(out, ' ')
		}
		if !escapes {
			out = append(out, w...)
			continue
		}
		text, stop := s.echoEscapes(w)
		out = append(out, text...)
		if stop {
			newline = false
			break
		}
	}
	if newline {
		out = append(out, '\n')
	}
	return s.write(out)
}

// echoEscapes replaces the escapes of echo.
func (s *shell) echoEscapes(text string) (string, bool) {
	if s.kind == dash {
		return dashEscapes(text, true)
	}
	if s.kind == ash {
		return formatting.BusyboxEscapes(text, true)
	}
	if s.kind == bash && !s.wide() {
		text = narrow(text)
	}
	return formatting.Escapes(text, formatting.EchoArgument)
}

// dashEscapes replaces the escapes that dash knows: no \x and \u. stop reports a \c, which ends all output where it
// means something.
func dashEscapes(text string, argument bool) (out string, stop bool) {
	if !strings.Contains(text, `\`) {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		c := text[i]
		if at := strings.IndexByte(`abefnrtv\`, c); at >= 0 {
			b.WriteByte("\a\b\x1b\f\n\r\t\v\\"[at])
			continue
		}
		switch {
		case c == 'c' && argument:
			return b.String(), true
		case c >= '0' && c <= '7':
			most := 3
			if argument && c == '0' {
				most = 4
			}
			n := 0
			from := i
			for i < len(text) && i-from < most && text[i] >= '0' && text[i] <= '7' {
				n = n*8 + int(text[i]-'0')
				i++
			}
			i--
			b.WriteByte(byte(n))
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

// write writes the output of a built-in.
func (s *shell) write(out []byte) int {
	if len(out) == 0 {
		return 0
	}
	if _, err := s.p.Write(1, out); err != nil {
		s.writeError(err)
		return 1
	}
	return 0
}

// writeError fails a built-in whose output could not be written. Ash says so of echo alone.
func (s *shell) writeError(err error) {
	if s.status |= 1; s.kind != dash {
		s.status = 1
	}
	switch s.kind {
	case ash:
		if s.command == "echo" {
			s.print(2, s.name+": write error: "+files.Message(err)+"\n")
		}
	case dash:
		s.complain(s.command + ": I/O error")
	case bash:
		s.complain("write error: " + files.Message(err))
	}
}

// builtinTest is test and [.
func builtinTest(s *shell, args []string) int {
	name := args[0]
	args = args[1:]
	if name != "test" {
		end := "]"
		if name == "[[" {
			end = "]]"
		}
		if len(args) == 0 || args[len(args)-1] != end {
			if s.kind == bash {
				end = "`]'"
			}
			s.testError(errors.New("missing " + end))
			return statusUsage
		}
		args = args[:len(args)-1]
	}
	if s.kind == bash {
		ok, err := s.testOfBash(args)
		if errors.As(err, new(*abandonError)) || errors.As(err, new(*fatalError)) {
			s.problem(err)
			return s.status
		}
		if err != nil {
			s.testError(err)
			return statusUsage
		}
		return int(1 - truth(ok))
	}
	var ok bool
	var err error
	if s.kind == dash {
		t := dashTest{s: s, args: args}
		ok, err = t.evaluate()
	} else {
		ok, err = condition.Condition(s.p, args, name == "[[")
	}
	if err != nil {
		if !errors.Is(err, condition.ErrExpression) {
			s.testError(err)
		}
		return statusUsage
	}
	return int(1 - truth(ok))
}

// testError complains about a condition. In ash its test is a utility, which does not know the line.
func (s *shell) testError(err error) {
	if s.kind != ash {
		s.complain(err.Error())
		return
	}
	name := s.name
	if !s.isScript {
		name = path.Base(name)
	}
	s.print(2, fmt.Sprintf("%s: %s\n", name, err))
}
