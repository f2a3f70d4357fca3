package shell

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"mvdan.cc/sh/v3/syntax"
)

// prefix is how messages begin: in ash the name, and the line if a script file or a built-in is at work; in bash
// always name and line.
func (s *shell) prefix() string {
	if s.kind == bash {
		p := fmt.Sprintf("%s: line %d: ", s.name, s.line)
		if s.command != "" && s.command != s.name {
			p += s.command + ": "
		}
		return p
	}
	switch {
	case s.command == "":
		return s.name + ": "
	case s.command == s.name:
		return fmt.Sprintf("%s: line %d: ", s.name, s.line)
	}
	line := s.line
	if !s.isScript { // the lines of -c are counted from 0
		line = max(line, 1) - 1
	}
	return fmt.Sprintf("%s: %s: line %d: ", s.name, s.command, line)
}

// complain prints a message.
func (s *shell) complain(text string) { s.print(2, s.prefix()+text+"\n") }

// commandError prints a message about a command that could not be run.
func (s *shell) commandError(name, text string) { s.complain(name + ": " + text) }

// problem reports an error of an expansion or assignment and ends the shell if it has to. It reports whether there was one.
func (s *shell) problem(err error) bool {
	if err == nil {
		return false
	}
	s.complain(err.Error())
	var fatal *fatalError
	var readonly *readonlyError
	switch {
	case errors.As(err, &fatal):
		s.status = fatal.status
		s.flow = exiting
	case errors.As(err, &readonly):
		s.status = 1
		if s.kind == bash && s.tolerant == 0 && s.options.errexit {
			s.flow = exiting
		}
	case s.kind == ash:
		s.status = statusUsage
		s.flow = exiting
	default:
		s.status = 1
		if s.options.errexit && s.tolerant == 0 {
			s.flow = exiting
		}
	}
	return true
}

// syntaxError reports an error of the script and ends the shell.
func (s *shell) syntaxError(err error) {
	line, text := s.line, err.Error()
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		line, text = pe.Pos.Line(), pe.Text
	case errors.As(err, &le):
		line, text = le.Pos.Line(), le.Feature
	}
	s.line = line
	text = strings.ReplaceAll(text, "`", `"`)
	if s.kind == bash {
		s.print(2, fmt.Sprintf("%s: line %d: syntax error: %s\n", s.name, line, text))
	} else if s.command != "" {
		s.print(2, fmt.Sprintf("%s: line %d: syntax error: %s\n", s.name, line, text))
	} else {
		s.print(2, fmt.Sprintf("%s: syntax error: %s\n", s.name, text))
	}
	s.status = statusUsage
	s.flow = exiting
}

// cannotOpen and cannotCreate report a redirection that failed.
func (s *shell) cannotOpen(name string, err error) {
	if s.kind == bash {
		s.complain(name + ": " + files.Message(err))
		return
	}
	text := files.Message(err)
	if e := files.Errno(err); e == syscall.ENOENT || e == syscall.ENOTDIR {
		text = "no such file"
	}
	s.complain("can't open " + name + ": " + text)
}

func (s *shell) cannotCreate(name string, err error) {
	if s.kind == bash {
		s.complain(name + ": " + files.Message(err))
		return
	}
	text := files.Message(err)
	if e := files.Errno(err); e == syscall.ENOENT || e == syscall.ENOTDIR {
		text = "nonexistent directory"
	}
	s.complain("can't create " + name + ": " + text)
}

// trace prints a command for set -x.
func (s *shell) trace(assigns []*syntax.Assign, fields []string) {
	words := make([]string, 0, len(fields)+len(assigns))
	for _, a := range assigns {
		if a.Value != nil {
			if value, err := s.assigned(a.Value); err == nil {
				words = append(words, a.Name.Value+"="+traceQuote(value))
			}
		}
	}
	for _, f := range fields {
		if assigns == nil && strings.Contains(f, "=") {
			name, value, _ := strings.Cut(f, "=")
			words = append(words, name+"="+traceQuote(value))
			continue
		}
		words = append(words, traceQuote(f))
	}
	s.print(2, s.value("PS4")+strings.Join(words, " ")+"\n")
}

// traceQuote quotes a word where a shell would need it.
func traceQuote(word string) string {
	if word == "" {
		return "''"
	}
	if strings.ContainsAny(word, " \t\n\"'\\$`*?[]|&;()<>#~{}!") {
		return quoteSingle(word)
	}
	return word
}
