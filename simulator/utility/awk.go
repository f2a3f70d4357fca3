package utility

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility/awk"
)

// awkTool is awk: it gives package awk the process for a world.
func awkTool(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(args, "F:v:f:e:", true, nil)
	if !ok {
		return t.end()
	}
	var source strings.Builder
	for _, name := range opts['f'] {
		r, done, err := t.open(name)
		if err != nil {
			t.complain("can't open '%s': %s", name, message(err))
			return t.end()
		}
		data, _ := t.readAll(r)
		done()
		source.Write(data)
		source.WriteByte('\n')
	}
	for _, text := range opts['e'] {
		source.WriteString(text + "\n")
	}
	if !has(opts, 'f') && !has(opts, 'e') {
		if len(rest) == 0 {
			return t.fail("usage: awk [-F SEP] [-v VAR=VALUE]... PROGRAM|-f FILE [FILE]...")
		}
		source.WriteString(rest[0])
		rest = rest[1:]
	}
	held := int64(source.Len()) * 64 // what the tree of a program takes
	p.Allocate(held)
	defer p.Allocate(-held)
	program, err := awk.Parse(source.String())
	if err != nil {
		return t.fail("%s", err)
	}
	if program.Refused != nil && !t.gnu {
		return t.fail("%s", program.Refused)
	}
	for _, a := range opts['v'] {
		if name, _, ok := strings.Cut(a, "="); !ok || !awk.IsName(name) {
			return t.usage()
		}
	}
	var separator *string
	if has(opts, 'F') {
		text, _ := Escapes(last(opts, 'F'), FormatString)
		if text == "t" {
			text = "\t"
		}
		separator = &text
	}
	status, err := program.Run(awk.Options{
		World: awkWorld{p}, Arguments: append([]string{"awk"}, rest...), Assignments: opts['v'], FieldSeparator: separator,
		Environment: p.Env, Long: t.gnu, Output: p.Stdout(), Strftime: Strftime,
	})
	if err != nil {
		t.complain("%s", err)
	}
	t.status = status
	return t.end()
}

// awkWorld is a process as awk sees it.
type awkWorld struct{ p *container.Process }

func (w awkWorld) Now() time.Time { return w.p.Now() }
func (w awkWorld) Step()          { w.p.Spend(container.CommandCost) }
func (w awkWorld) Hold(n int64)   { w.p.Allocate(n) }

func (w awkWorld) Open(name string) (awk.Stream, error) {
	if name == "-" || name == "/dev/stdin" {
		return &descriptor{p: w.p, fd: 0, keep: true}, nil
	}
	fd, err := w.p.OpenFile(name, files.Read, 0)
	if err != nil {
		return nil, errors.New(name + ": " + message(err))
	}
	return &descriptor{p: w.p, fd: fd}, nil
}

func (w awkWorld) Create(name string, appending bool) (awk.Stream, error) {
	flags := files.Write | files.Create | files.Truncate
	if appending {
		flags = files.Append | files.Create
	}
	fd, err := w.p.OpenFile(name, flags, 0o666)
	if err != nil {
		return nil, openError(name, err)
	}
	return &descriptor{p: w.p, fd: fd}, nil
}

func openError(name string, err error) error {
	return errors.New("can't open '" + name + "': " + message(err))
}

// Command starts a shell whose output or input is a pipe.
func (w awkWorld) Command(command string, write bool) (awk.Stream, error) {
	r, wr, err := w.p.Pipe()
	if err != nil {
		return nil, errors.New(message(err))
	}
	mine, theirs, as := r, wr, 1
	if write {
		mine, theirs, as = wr, r, 0
	}
	child := w.p.Fork(func(q *container.Process) int {
		_ = q.Dup2(theirs, as)
		for _, fd := range []int{mine, theirs} {
			if fd != as {
				q.Close(fd)
			}
		}
		return w.become(q, command)
	})
	w.p.Close(theirs)
	return &descriptor{p: w.p, fd: mine, child: child}, nil
}

// become makes the process a shell that runs a command.
func (w awkWorld) become(q *container.Process, command string) int {
	_ = q.Exec([]string{"/bin/sh", "-c", command}, q.Env) // returns only if there is no shell
	return 127
}

func (w awkWorld) System(command string) int {
	child := w.p.Fork(func(q *container.Process) int { return w.become(q, command) })
	return exitCode(w.p, child)
}

// exitCode waits for a child.
func exitCode(p *container.Process, child *container.Process) int {
	for {
		st, err := p.Wait(child, noDeadline)
		if err == nil {
			return st.Code
		}
		if _, handled := p.TakeSignal(); !handled {
			return -1
		}
	}
}

// descriptor is an open file or pipe as a stream.
type descriptor struct {
	p     *container.Process
	fd    int
	keep  bool // standard input stays open
	child *container.Process
}

func (d *descriptor) Read(b []byte) (int, error)  { return d.p.Read(d.fd, b) }
func (d *descriptor) Write(b []byte) (int, error) { return d.p.Write(d.fd, b) }

func (d *descriptor) Close() int {
	if !d.keep {
		d.p.Close(d.fd)
	}
	if d.child == nil {
		return 0
	}
	return exitCode(d.p, d.child)
}

var _ io.ReadWriter = (*descriptor)(nil)
