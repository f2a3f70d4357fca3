package text

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/awk"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// AwkTool is awk: it gives package awk the process for a world.
func AwkTool(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, rest, ok := t.Options(args, "F:v:f:e:", true, nil)
	if !ok {
		return t.End()
	}
	var source strings.Builder
	for _, name := range opts['f'] {
		r, done, err := t.Open(name)
		if err != nil {
			t.Complain("can't open '%s': %s", name, kit.Message(err))
			return t.End()
		}
		data, _ := t.ReadAll(r)
		done()
		source.Write(data)
		source.WriteByte('\n')
	}
	for _, text := range opts['e'] {
		source.WriteString(text + "\n")
	}
	if !kit.Has(opts, 'f') && !kit.Has(opts, 'e') {
		if len(rest) == 0 {
			return t.Usage()
		}
		source.WriteString(rest[0])
		rest = rest[1:]
	}
	held := int64(source.Len()) * 64 // what the tree of a program takes
	p.Allocate(held)
	defer p.Allocate(-held)
	program, err := awk.Parse(source.String(), !t.GNU)
	if err != nil {
		return t.Fail("%s", err)
	}
	if program.Refused != nil && !t.GNU {
		return t.Fail("%s", program.Refused)
	}
	for _, a := range opts['v'] {
		if name, _, ok := strings.Cut(a, "="); !ok || !awk.IsName(name) {
			return t.Usage()
		}
	}
	var separator *string
	if kit.Has(opts, 'F') {
		text, _ := formatting.Escapes(kit.Last(opts, 'F'), formatting.FormatString)
		if text == "t" {
			text = "\t"
		}
		separator = &text
	}
	status, err := program.Run(awk.Options{
		World: awkWorld{p}, Arguments: append([]string{"awk"}, rest...), Assignments: opts['v'], FieldSeparator: separator,
		Environment: p.Env, Long: t.GNU, Output: p.Stdout(), Strftime: dates.Strftime,
	})
	if err != nil {
		t.Complain("%s", err)
	}
	t.Status = status
	return t.End()
}

// awkWorld is a process as awk sees it.
type awkWorld struct{ p *container.Process }

func (w awkWorld) Now() time.Time { return w.p.Now() }

func (w awkWorld) Step() { w.p.Spend(container.CommandCost) }

func (w awkWorld) Hold(n int64) { w.p.Allocate(n) }

func (w awkWorld) Open(name string) (awk.Stream, error) {
	if name == "-" || name == "/dev/stdin" {
		return &descriptor{p: w.p, fd: 0, keep: true}, nil
	}
	fd, err := w.p.OpenFile(name, files.Read, 0)
	if err != nil {
		return nil, errors.New(name + ": " + kit.Message(err))
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
	return errors.New("can't open '" + name + "': " + kit.Message(err))
}

// Command starts a shell whose output or input is a pipe.
func (w awkWorld) Command(command string, write bool) (awk.Stream, error) {
	r, wr, err := w.p.Pipe()
	if err != nil {
		return nil, errors.New(kit.Message(err))
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
		st, err := p.Wait(child, kit.NoDeadline)
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

// Read has errors as they are shown.
func (d *descriptor) Read(b []byte) (int, error) {
	n, err := d.p.Read(d.fd, b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.New(kit.Message(err))
	}
	return n, err
}

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
