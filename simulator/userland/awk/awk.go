// Package awk is an interpreter of the AWK language, as POSIX describes it, with what busybox and gawk add and scripts
// use: regular expressions as RS, length of an array, delete of a whole one, gensub, strftime, systime, bit functions,
// fflush, nextfile, ** for ^.
//
// [Parse] makes a [Program] of a text: tokens (lex.go), a tree (parse.go, tree.go). [Program.Run] walks the tree over
// a [World]: files, commands, the clock and the accounting are the World's, so that a program reaches nothing else.
//
// Strings are bytes, as in the C locale of a container: length("é") is 2. The order of for (k in a) is the order in
// which the elements were made; POSIX leaves it open.
//
// Not supported: gawk's name spaces, indirect calls, arrays of arrays, asort and regular expression constants as values.
package awk

import (
	"fmt"
	"io"
	"time"
)

// World is what a program touches besides its variables.
type World interface {
	// Open opens a file for reading; "-" is standard input.
	Open(name string) (Stream, error)
	// Create opens a file for writing.
	Create(name string, appending bool) (Stream, error)
	// Command starts a command of the shell, to read its output or to write its input.
	Command(command string, write bool) (Stream, error)
	// System runs a command of the shell and returns its exit code.
	System(command string) int
	// Now returns the time.
	Now() time.Time
	// Step accounts for computing. Hold accounts for n more bytes that are held, or fewer.
	Step()
	Hold(n int64)
}

// Stream is an open file or command. One that is open for reading fails when written to, and the other way round.
type Stream interface {
	io.Reader
	io.Writer
	// Close returns the exit code of a command.
	Close() (status int)
}

// Options are the surroundings of a run.
type Options struct {
	World World
	// Arguments become ARGV; the first is the program's name. Those that are left are files and assignments.
	Arguments []string
	// Assignments are made before BEGIN, as option -v does: "name=value".
	Assignments []string
	// FieldSeparator, unless nil, is FS.
	FieldSeparator *string
	// Environment becomes ENVIRON: "name=value".
	Environment []string
	Output      io.Writer
	// Long says that %d and the like convert to a long integer of C. BusyBox converts to an int.
	Long bool
	// Strftime formats times.
	Strftime func(format string, t time.Time) string
}

// SyntaxError says that a program is not valid.
type SyntaxError struct {
	Line    int
	Message string
}

func (e *SyntaxError) Error() string { return at(e.Line) + e.Message }

// at says where; line 0 says nothing.
func at(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("cmd. line:%d: ", line)
}

// RunError is what ends a program that runs.
type RunError struct {
	Line    int
	Message string
}

func (e *RunError) Error() string { return at(e.Line) + e.Message }

// Program is a parsed program. It may be run several times, also at once.
type Program struct {
	begin, end []*block
	rules      []*rule
	functions  []*function
	globals    []string // by number; the special ones first
	ranges     int
	lines      int // of its text
	// Refused is a mistake that only BusyBox's parser finds, or nil.
	Refused *SyntaxError
}

// statusError is the exit code of a program that failed.
const statusError = 1

// Run runs the program. The error is a *RunError; the exit code goes with it.
func (p *Program) Run(o Options) (status int, err error) {
	m := newMachine(p, o)
	defer func() {
		r := recover()
		m.close()
		switch r := r.(type) {
		case nil:
		case *RunError:
			status, err = statusError, r
		default:
			panic(r)
		}
	}()
	return m.main(), nil
}
