package awk

import (
	"bufio"
)

// output is a file or command that the program writes to.
type output struct {
	name string
	s    Stream
	b    *bufio.Writer
}

// source is a file or command that getline reads.
type source struct {
	name    string
	command bool
	r       *reader
}

// maxStreams bounds how many files and commands are open.
const maxStreams = 250

// output finds or opens what a print is redirected to.
func (m *machine) output(name string, how token) *bufio.Writer {
	if how != PIPE && (name == "/dev/stdout" || name == "-") {
		return m.out
	}
	for _, o := range m.outputs {
		if o.name == name {
			return o.b
		}
	}
	var (
		s   Stream
		err error
	)
	switch {
	case name == "":
		m.fail("empty file name") // never returns
	case len(m.outputs)+len(m.sources) >= maxStreams:
		m.fail("too many open files")
	case how == PIPE:
		m.flush()
		s, err = m.w.Command(name, true)
	default:
		s, err = m.w.Create(name, how == APPEND)
	}
	if err != nil {
		m.fail(err.Error())
	}
	size := 4096
	if name == "/dev/stderr" {
		size = 1
	}
	o := &output{name, s, bufio.NewWriterSize(s, size)}
	m.outputs = append(m.outputs, o)
	return o.b
}

// source finds or opens what getline reads. It returns nil if that cannot be opened.
func (m *machine) source(name string, command bool) *source {
	for _, s := range m.sources {
		if s.name == name && s.command == command {
			return s
		}
	}
	if len(m.outputs)+len(m.sources) >= maxStreams {
		m.fail("too many open files")
	}
	var (
		s   Stream
		err error
	)
	if command {
		m.flush()
		s, err = m.w.Command(name, false)
	} else {
		s, err = m.w.Open(name)
	}
	if err != nil {
		return nil
	}
	src := &source{name, command, &reader{m: m, s: s}}
	m.sources = append(m.sources, src)
	return src
}

// flush writes out everything. Who no longer listens is not told.
func (m *machine) flush() {
	_ = m.out.Flush()
	for _, o := range m.outputs {
		_ = o.b.Flush()
	}
}

// shut closes a file or command by its name; -1 if there is none.
func (m *machine) shut(name string) int {
	status := -1
	kept := m.outputs[:0]
	for _, o := range m.outputs {
		if o.name != name {
			kept = append(kept, o)
			continue
		}
		_ = o.b.Flush()
		status = o.s.Close()
	}
	m.outputs = kept
	left := m.sources[:0]
	for _, s := range m.sources {
		if s.name != name {
			left = append(left, s)
			continue
		}
		status = s.r.s.Close()
	}
	m.sources = left
	return status
}

// close closes everything at the end.
func (m *machine) close() {
	m.flush()
	for _, o := range m.outputs {
		o.s.Close()
	}
	for _, s := range m.sources {
		s.r.s.Close()
	}
	m.skipFile()
	m.outputs, m.sources = nil, nil
	m.w.Hold(m.pending)
	m.pending = 0
}
