package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// usageError is a mistake that a shell reports and that ends a line of bash, or another shell.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// fatalError ends any shell that is not interactive.
type fatalError struct {
	text   string
	status int
}

func (e *fatalError) Error() string { return e.text }

// reportedError is a mistake after which bash ends if set -e is on, wherever it is made.
type reportedError struct{ text string }

func (e *reportedError) Error() string { return e.text }

// abandonError is a mistake in a subscript or in the value of an integer: bash ends a script that came by -c for it.
type abandonError struct{ error }

func (e *abandonError) Unwrap() error { return e.error }

// discardError is a mistake for which bash gives up the line in POSIX mode too, where others end the shell.
type discardError struct{ error }

func (e *discardError) Unwrap() error { return e.error }

// prefix is how messages begin: in bash always with name and line, in dash too, in ash with the line if a script file or
// a built-in is at work.
func (s *shell) prefix() string { return s.prefixOf(s.command) }

// prefixOf is the prefix of messages of a built-in, or of the shell itself if the name is empty.
func (s *shell) prefixOf(builtin string) string {
	command := ""
	if builtin != "" && builtin != s.name {
		command = builtin + ": "
	}
	switch s.kind {
	case bash:
		name := s.name
		if s.source != "" {
			name = s.source
		}
		if s.line == 0 {
			return name + ": " + command
		}
		return fmt.Sprintf("%s: line %d: %s", name, s.line, command)
	case dash:
		return fmt.Sprintf("%s: %d: %s", s.name, max(s.line, 1), command)
	}
	switch {
	case builtin == "":
		return s.name + ": "
	case builtin == s.name:
		return fmt.Sprintf("%s: line %d: ", s.name, s.line)
	}
	return fmt.Sprintf("%s: %sline %d: ", s.name, command, max(s.line, 0))
}

// complain prints a message.
func (s *shell) complain(text string) { s.print(2, s.prefix()+text+"\n") }

// commandError prints a message about a command that could not be run.
func (s *shell) commandError(name, text string) { s.complain(name + ": " + text) }

// problem reports an error of an expansion or assignment: it ends a line of bash, or the shell. It reports whether there
// was one.
func (s *shell) problem(err error) bool {
	if err == nil {
		return false
	}
	if errors.As(err, new(*readonlyError)) { // which is not the mistake of a built-in
		s.print(2, s.prefixOf("")+err.Error()+"\n")
	} else {
		s.complain(err.Error())
	}
	var fatal *fatalError
	s.mistaken = !(s.options.errexit && (isReported(err) || errors.As(err, &fatal)))
	switch {
	case errors.As(err, &fatal):
		s.status = fatal.status
		if s.flow = exiting; s.kind == bash && s.options.errexit && s.inTrap { // its EXIT trap ends with that status
			s.ending = inPlace
		}
	case s.kind == bash && s.options.errexit && isReported(err): // the status of a failure before stays
		s.status = max(s.status, 1)
		s.flow, s.ending = exiting, inPlace
	case s.kind != bash:
		s.status = statusUsage
		s.flow = exiting
	case s.options.posix && !errors.As(err, new(*discardError)) && !errors.As(err, new(*abandonError)):
		s.status = s.abandonedStatus()
		s.flow = exiting
	default:
		s.status = 1
		s.pipestatus = []int{1}
		s.flow = discarding
		if errors.As(err, new(*abandonError)) {
			s.abandon()
		}
	}
	return true
}

// isReported reports whether a mistake ends bash if set -e is on.
func isReported(err error) bool {
	if errors.As(err, new(*reportedError)) || errors.As(err, new(*readonlyError)) {
		return true
	}
	return slices.ContainsFunc([]string{": bad array subscript", ": invalid indirect expansion", ": invalid variable name"}, func(text string) bool {
		return strings.HasSuffix(err.Error(), text)
	})
}

// abandon gives up what bash is at: a script that came by -c, or the line of another.
func (s *shell) abandon() {
	s.mistaken = true
	if s.flow = discarding; s.isCommand {
		s.flow = exiting
	}
}

// misname complains about the name of a variable or function that bash cannot use. It is the end of bash in POSIX mode.
func (s *shell) misname(name, text string) {
	s.complain("`" + name + "': " + text)
	if s.status = 1; s.options.posix {
		s.flow, s.status = exiting, statusUsage
	}
}

// tooMany complains about arguments of a built-in of bash, and ends more than the built-in.
func (s *shell) tooMany() int {
	s.complain("too many arguments")
	s.abandon()
	return 1
}

// failing reports an error that in bash is only the failure of the command name.
func (s *shell) failing(name string, err error) {
	var fatal *fatalError
	if s.kind != bash || errors.As(err, &fatal) || errors.As(err, new(*abandonError)) {
		s.problem(err)
		return
	}
	if name != "" {
		name += ": "
	}
	switch {
	case !errors.As(err, new(*readonlyError)):
		s.complain(name + err.Error())
	case s.options.errexit:
		s.flow = exiting
		fallthrough
	default:
		s.print(2, s.prefixOf("")+err.Error()+"\n")
	}
	s.status = 1
}

// syntaxError reports an error of the script. In bash it ends what was being read; other shells end.
func (s *shell) syntaxError(e *syntax.Error) {
	line, before := e.Line+s.base, s.status
	s.status = statusUsage
	if s.kind != bash {
		s.line = line
		text := e.Message(s.kind)
		if s.kind == dash {
			s.print(2, s.prefix()+"Syntax error: "+text+"\n")
		} else {
			s.print(2, s.prefix()+"syntax error: "+text+"\n")
		}
		s.flow = exiting
		return
	}
	name := s.name
	switch {
	case s.command == "eval":
		if s.source != "" {
			name = s.source
		}
		name += ": eval"
	case s.inSubstitution:
		name += ": command substitution"
	case s.source != "" && s.source != "environment":
		name = s.source
	case s.isCommand:
		name += ": -c"
	}
	s.status = s.syntaxStatus(e, before)
	s.stuck = e.Condition && !e.Nested || s.stuck && e.Quote != ""
	unended := !e.Array && (e.Quote != "" && (e.Quote != ")" || !e.End) || e.Condition && e.End)
	s.lost = unended && s.command == "eval"
	if !e.Silent {
		s.print(2, fmt.Sprintf("%s: line %d: %s\n", name, line, e.Message(bash)))
		if e.Token != "" && e.Reason == "" && !s.options.errexit { // for which the first message is the end
			s.print(2, fmt.Sprintf("%s: line %d: `%s'\n", name, line, e.Source))
		}
	}
	switch {
	case !s.options.posix:
	case e.Array:
		s.flow, s.raised = exiting, true
		switch {
		case s.options.errexit:
		case s.isStage && (s.command == "eval" || s.sourcing > 0):
			s.status = 1
		default:
			s.status = s.abandonedStatus()
		}
	case !unended && !e.Condition && !s.commanded && (s.command == "eval" || s.sourcing > 0):
		s.raised = true
		if s.flow != exiting {
			if s.flow, s.status = exiting, statusUsage; s.isStage && s.calls == 0 {
				s.status = 1
			}
		}
	}
}

// syntaxStatus returns the status that bash has after an error of the script, and ends the shell for some. before is the
// status before: it stays behind the mistakes that are found before the grammar is asked.
func (s *shell) syntaxStatus(e *syntax.Error, before int) int {
	inside := s.command == "eval" || s.sourcing > 0
	switch {
	case s.options.errexit: // it is the error of a part of bash that minds the option
		s.flow = exiting
		return statusUsage
	case e.Array:
		if s.subshell {
			s.flow = discarding
		}
		return 1
	case e.Nested && (e.Token != "" || e.Silent || e.Condition && !e.End && e.Quote == ""):
		s.flow = exiting
		switch {
		case s.abandonedStatus() == statusNotFound && !(inside && s.isStage):
			return statusNotFound
		case e.Silent || e.Condition && e.Quote == "":
			return max(before, 1)
		case inside:
			return 1
		}
		return statusUsage
	case e.Condition && s.inSubstitution:
		return statusUsage
	case e.Silent && !e.Condition && !e.End:
		return before
	case inside || e.End && !e.Condition || e.Quote == "" && !e.Condition:
		return statusUsage
	case before == 0 && !(e.Condition && !e.End && e.Quote == ""):
		return statusUsage
	}
	return before
}

// cannotOpen and cannotCreate report a redirection that failed.
func (s *shell) cannotOpen(name string, err error) {
	text := files.Message(err)
	missing := files.Errno(err) == syscall.ENOENT || files.Errno(err) == syscall.ENOTDIR
	switch s.kind {
	case bash:
		s.complain(name + ": " + text)
	case dash:
		if missing {
			text = "No such file"
		}
		s.complain("cannot open " + name + ": " + text)
	default:
		if missing {
			text = "no such file"
		}
		s.complain("can't open " + name + ": " + text)
	}
}

func (s *shell) cannotCreate(name string, err error) {
	text := files.Message(err)
	missing := files.Errno(err) == syscall.ENOENT || files.Errno(err) == syscall.ENOTDIR
	switch s.kind {
	case bash:
		s.complain(name + ": " + text)
	case dash:
		if missing {
			text = "Directory nonexistent"
		}
		s.complain("cannot create " + name + ": " + text)
	default:
		if missing {
			text = "nonexistent directory"
		}
		s.complain("can't create " + name + ": " + text)
	}
}
