package files

import (
	"io"
	"io/fs"
	"path"
	"strconv"
	"syscall"
)

// Flag says how a file is opened.
type Flag uint8

// The ways to open a file.
const (
	Read Flag = 1 << iota
	Write
	Append
	Create
	Exclusive
	Truncate
	NoFollow
)

// Handle is an open file with an offset.
type Handle struct {
	node    *Node
	name    string
	flags   Flag
	off     int64
	content []byte // of a generated file, made at open
	random  func([]byte)
}

// Open opens the file at name. A new file gets mode less the umask.
func (c *Caller) Open(name string, flags Flag, mode uint16) (*Handle, error) {
	n, err := c.open(name, flags, mode)
	if err != nil {
		return nil, fail("open", name, err)
	}
	h := &Handle{node: n, name: name, flags: flags, random: c.View.random}
	if n.device == Generated && c.View.Generate != nil {
		h.content = c.View.Generate(n.target)
	}
	return h, nil
}

func (c *Caller) open(name string, flags Flag, mode uint16) (*Node, error) {
	var follow walkFlags
	if flags&(NoFollow|Exclusive) != 0 {
		follow = noFollow
	}
	w, err := c.walk(name, follow, nil)
	if err != nil {
		return nil, err
	}
	n := w.at.node
	if n == nil {
		if flags&Create == 0 {
			return nil, syscall.ENOENT
		}
		if name[len(name)-1] == '/' {
			return nil, syscall.EISDIR
		}
		if err := c.mayChange(w.dir); err != nil {
			return nil, err
		}
		n = w.dir.node.vol.new(Regular, mode&^c.Umask, c.UID, c.groupIn(w.dir.node))
		n.links = 1
		w.dir.node.link(w.name, n)
		w.dir.node.notify()
		return n, nil
	}
	if flags&Create != 0 && flags&Exclusive != 0 {
		return nil, syscall.EEXIST
	}
	var rights uint16
	if flags&Read != 0 {
		rights |= mayRead
	}
	if flags&(Write|Append) != 0 {
		rights |= mayWrite
	}
	switch {
	case n.kind == Symlink:
		return nil, syscall.ELOOP
	case n.kind == Directory && rights&mayWrite != 0:
		return nil, syscall.EISDIR
	case n.kind == Fifo:
		return nil, syscall.ENXIO
	case rights&mayWrite != 0 && n.kind == Regular && (w.at.via.ReadOnly || n.vol.frozen):
		return nil, syscall.EROFS
	case !c.may(n, rights):
		return nil, syscall.EACCES
	}
	if flags&Truncate != 0 && n.kind == Regular {
		if err := n.truncate(0); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// truncate sets the length.
func (n *Node) truncate(size int64) error {
	old := int64(len(n.data))
	if err := n.vol.grow(size - old); err != nil {
		return err
	}
	switch {
	case size == 0:
		n.data, n.shared = nil, false
	case size <= old:
		n.data = n.data[:size:size]
	default:
		grown := make([]byte, size)
		copy(grown, n.data)
		n.data, n.shared = grown, false
	}
	n.mtime = n.vol.clock()
	n.notify()
	return nil
}

// Descriptor returns the open file of the process that the file stands for, if it is such a one.
func (h *Handle) Descriptor() (fd int, ok bool) {
	if h.node.device != Descriptor {
		return 0, false
	}
	fd, err := strconv.Atoi(h.node.target)
	return fd, err == nil
}

// Name returns the path the file was opened by.
func (h *Handle) Name() string { return h.name }

// Stat describes the open file.
func (h *Handle) Stat() *Info { return h.node.info(path.Base(h.name)) }

// Read reads at the offset.
func (h *Handle) Read(p []byte) (int, error) {
	if h.flags&Read == 0 {
		return 0, fail("read", h.name, syscall.EBADF)
	}
	if h.node.kind == Directory {
		return 0, fail("read", h.name, syscall.EISDIR)
	}
	if len(p) == 0 {
		return 0, nil
	}
	switch h.node.device {
	case Null, Terminal:
		return 0, io.EOF
	case Zero, Full:
		clear(p)
		return len(p), nil
	case Random:
		h.random(p)
		return len(p), nil
	}
	data := h.node.data
	if h.node.device == Generated {
		data = h.content
	}
	if h.off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[h.off:])
	h.off += int64(n)
	return n, nil
}

// Write writes at the offset, or at the end of a file opened with Append.
func (h *Handle) Write(p []byte) (int, error) {
	if h.flags&(Write|Append) == 0 {
		return 0, fail("write", h.name, syscall.EBADF)
	}
	switch h.node.device {
	case Null, Zero, Random, Terminal:
		return len(p), nil
	case Full:
		return 0, fail("write", h.name, syscall.ENOSPC)
	case Generated:
		return 0, fail("write", h.name, syscall.EACCES)
	}
	n := h.node
	old := int64(len(n.data))
	at := h.off
	if h.flags&Append != 0 {
		at = old
	}
	end := at + int64(len(p))
	var short error
	if end > old {
		if err := n.vol.grow(end - old); err != nil {
			// What fits is written, as a disk does.
			room := max(0, n.vol.limit-n.vol.used)
			p = p[:max(0, min(int64(len(p)), old+room-at))]
			end = at + int64(len(p))
			n.vol.used += max(0, end-old)
			short = fail("write", h.name, err)
		}
	}
	if len(p) > 0 {
		if n.shared {
			n.data = append(make([]byte, 0, max(end, old)), n.data...)
			n.shared = false
		}
		for int64(len(n.data)) < at {
			n.data = append(n.data, make([]byte, at-int64(len(n.data)))...)
		}
		if at == int64(len(n.data)) {
			n.data = append(n.data, p...)
		} else {
			if end > int64(len(n.data)) {
				n.data = append(n.data, make([]byte, end-int64(len(n.data)))...)
			}
			copy(n.data[at:], p)
		}
		h.off = end
		n.mtime = n.vol.clock()
		n.notify()
	}
	return len(p), short
}

// Seek sets the offset, as io.Seeker.
func (h *Handle) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += h.off
	case io.SeekEnd:
		offset += int64(len(h.node.data))
	}
	if offset < 0 || h.node.kind == Directory && offset != 0 {
		return 0, fail("seek", h.name, syscall.EINVAL)
	}
	h.off = offset
	return offset, nil
}

// Truncate sets the length of the file.
func (h *Handle) Truncate(size int64) error {
	if h.flags&(Write|Append) == 0 || size < 0 {
		return fail("truncate", h.name, syscall.EINVAL)
	}
	if h.node.kind != Regular {
		return nil
	}
	return h.node.truncate(size)
}

// ReadFile returns the content of the file at name. It must not be changed.
func (c *Caller) ReadFile(name string) ([]byte, error) {
	h, err := c.Open(name, Read, 0)
	if err != nil {
		return nil, err
	}
	switch {
	case h.node.kind == Directory:
		return nil, fail("read", name, syscall.EISDIR)
	case h.node.device == Generated:
		return h.content, nil
	case h.node.kind == CharDevice && h.node.device != Null && h.node.device != Terminal:
		return nil, fail("read", name, syscall.EFBIG)
	}
	h.node.shared = true
	return h.node.data, nil
}

// WriteFile makes data the content of the file at name, in place; a new file gets mode less the umask.
func (c *Caller) WriteFile(name string, data []byte, mode uint16) error {
	h, err := c.Open(name, Write|Create|Truncate, mode)
	if err != nil {
		return err
	}
	_, err = h.Write(data)
	return err
}

// UnixMode takes the permission bits of an fs.FileMode to their Unix places, as the calls of a Caller want them.
func UnixMode(m fs.FileMode) uint16 { return unixMode(m) }
