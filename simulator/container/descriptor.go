package container

import (
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// maxDescriptors is how many files a process may have open.
const maxDescriptors = 256

// descriptor is an entry in a process's table of open files.
type descriptor struct {
	file        *openFile
	closeOnExec bool
}

// openFile is an open file description; several descriptors of several processes may share one.
type openFile struct {
	refs   int
	handle *files.Handle
	pipe   *pipe
	writer bool // it is the pipe's writing end
	log    int  // the container's log: 1 or 2
	sink   func([]byte) error
	null   bool
}

func (p *Process) openLog(stream int) {
	p.set(stream, descriptor{file: &openFile{refs: 1, log: stream}})
}

func (p *Process) openWriter(fd int, w io.Writer) {
	f := &openFile{refs: 1, null: w == nil}
	if w != nil {
		f.sink = func(b []byte) error {
			_, err := w.Write(b)
			return err
		}
	}
	p.set(fd, descriptor{file: f})
}

// set puts an open file at fd over what was there.
func (p *Process) set(fd int, d descriptor) {
	for len(p.fds) <= fd {
		p.fds = append(p.fds, descriptor{})
	}
	old := p.fds[fd].file
	p.fds[fd] = d
	old.release()
}

func (f *openFile) release() {
	if f == nil {
		return
	}
	f.refs--
	if f.refs == 0 && f.pipe != nil {
		f.pipe.closeEnd(f.writer)
	}
}

func (p *Process) closeAll() {
	for i := range p.fds {
		p.fds[i].file.release()
	}
	p.fds = nil
}

func (p *Process) file(fd int) *openFile {
	if fd < 0 || fd >= len(p.fds) {
		return nil
	}
	return p.fds[fd].file
}

// install puts an open file at the lowest free descriptor from lowest on.
func (p *Process) install(f *openFile, lowest int, closeOnExec bool) (int, error) {
	fd := lowest
	for p.file(fd) != nil {
		fd++
	}
	if fd >= maxDescriptors {
		f.release()
		return -1, syscall.EMFILE
	}
	p.set(fd, descriptor{file: f, closeOnExec: closeOnExec})
	return fd, nil
}

// OpenFile opens a file and returns its descriptor, the lowest free one.
func (p *Process) OpenFile(name string, flags files.Flag, mode uint16) (int, error) {
	p.settle()
	h, err := p.Caller.Open(name, flags, mode)
	if err != nil {
		return -1, err
	}
	if fd, ok := h.Descriptor(); ok {
		return p.Dup(fd, 0, false)
	}
	return p.install(&openFile{refs: 1, handle: h}, 0, false)
}

// ReadDir lists a directory, sorted by name. Every entry counts as a command.
func (p *Process) ReadDir(name string) ([]*files.Info, error) {
	entries, err := p.Caller.ReadDir(name)
	p.Compute(len(entries))
	return entries, err
}

// IsOpen reports whether the descriptor is open.
func (p *Process) IsOpen(fd int) bool { return p.file(fd) != nil }

// FileHandle returns the file behind a descriptor, or nil if it is not one of the file system.
func (p *Process) FileHandle(fd int) *files.Handle {
	if f := p.file(fd); f != nil {
		return f.handle
	}
	return nil
}

// Close closes a descriptor.
func (p *Process) Close(fd int) error {
	f := p.file(fd)
	if f == nil {
		return syscall.EBADF
	}
	p.fds[fd] = descriptor{}
	f.release()
	return nil
}

// Dup duplicates a descriptor to the lowest free one from lowest on.
func (p *Process) Dup(fd, lowest int, closeOnExec bool) (int, error) {
	f := p.file(fd)
	if f == nil {
		return -1, syscall.EBADF
	}
	f.refs++
	return p.install(f, lowest, closeOnExec)
}

// Dup2 makes descriptor to the same open file as from.
func (p *Process) Dup2(from, to int) error {
	f := p.file(from)
	if f == nil || to < 0 || to >= maxDescriptors {
		return syscall.EBADF
	}
	if from == to {
		p.fds[to].closeOnExec = false
		return nil
	}
	f.refs++
	p.set(to, descriptor{file: f})
	return nil
}

// Pipe makes a pipe and returns its reading and its writing end.
func (p *Process) Pipe() (r, w int, err error) {
	pp := &pipe{readers: 1, writers: 1}
	if r, err = p.install(&openFile{refs: 1, pipe: pp}, 0, false); err != nil {
		return -1, -1, err
	}
	if w, err = p.install(&openFile{refs: 1, pipe: pp, writer: true}, 0, false); err != nil {
		p.Close(r)
		return -1, -1, err
	}
	return r, w, nil
}

// OpenBytes opens a descriptor that reads data, as a shell does for a here-document.
func (p *Process) OpenBytes(data []byte) (int, error) {
	return p.install(&openFile{refs: 1, pipe: &pipe{data: data, readers: 1}}, 0, false)
}

// Read reads from a descriptor. At the end it returns io.EOF; a handled signal returns EINTR.
func (p *Process) Read(fd int, b []byte) (int, error) {
	f := p.file(fd)
	switch {
	case f == nil:
		return 0, syscall.EBADF
	case f.null:
		return 0, io.EOF
	case f.handle != nil:
		n, err := f.handle.Read(b)
		p.c.transfers(p, int64(n))
		return n, err
	case f.pipe != nil && !f.writer:
		return f.pipe.read(p, b)
	}
	return 0, syscall.EBADF
}

// Write writes all of b to a descriptor. Writing to a pipe without a reader kills the process by SIGPIPE, or returns EPIPE
// if it ignores that.
func (p *Process) Write(fd int, b []byte) (int, error) {
	f := p.file(fd)
	switch {
	case f == nil:
		return 0, syscall.EBADF
	case len(b) == 0:
		return 0, nil
	case f.null:
		return len(b), nil
	}
	p.c.transfers(p, int64(len(b)))
	switch {
	case f.handle != nil:
		n, err := f.handle.Write(b)
		if p.c.bytes-p.c.looked > lookEveryBytes {
			p.c.looked = p.c.bytes
			p.look()
		}
		return n, err
	case f.log != 0:
		p.c.printed(p, int64(len(b)))
		if p.c.cfg.Log != nil {
			p.c.cfg.Log(f.log, b)
		}
		return len(b), nil
	case f.sink != nil:
		if err := f.sink(b); err != nil {
			return 0, err
		}
		return len(b), nil
	case f.pipe != nil && f.writer:
		return f.pipe.write(p, b)
	}
	return 0, syscall.EBADF
}

// stream is a descriptor as reader and writer.
type stream struct {
	p  *Process
	fd int
}

func (s stream) Read(b []byte) (int, error)  { return s.p.Read(s.fd, b) }
func (s stream) Write(b []byte) (int, error) { return s.p.Write(s.fd, b) }

// WriteString writes text.
func (s stream) WriteString(text string) (int, error) { return s.p.Write(s.fd, []byte(text)) }

// Stdin reads standard input.
func (p *Process) Stdin() io.Reader { return stream{p, 0} }

// Stdout writes to standard output.
func (p *Process) Stdout() io.Writer { return stream{p, 1} }

// Stderr writes to standard error.
func (p *Process) Stderr() io.Writer { return stream{p, 2} }

// Descriptor returns a descriptor as reader and writer.
func (p *Process) Descriptor(fd int) io.ReadWriter { return stream{p, fd} }

// Readable waits until a read from the descriptor would not block, at most until the deadline, and reports whether
// that is so.
func (p *Process) Readable(fd int, deadline time.Time) bool {
	f := p.file(fd)
	if f == nil || f.pipe == nil {
		return true
	}
	q := f.pipe
	err := p.Block(deadline, func() bool {
		if len(q.data) > 0 || q.writers == 0 {
			return true
		}
		if !slices.Contains(q.sleepers, p) {
			q.sleepers = append(q.sleepers, p)
		}
		return false
	})
	return err == nil
}
