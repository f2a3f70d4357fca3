// Package files is the file system of a simulated cluster.
//
// A [Node] is an inode: a regular file, a directory, a symbolic link, a device, or a file whose content is generated
// when it is opened. A [Volume] owns a tree of nodes with one clock and one size limit. A volume can lie over another,
// frozen one and copies from it only what is touched ([NewOverlay]); the root of every container lies so over the root
// of its image, which thereby costs nothing to share.
//
// A [View] is a mount namespace: a root volume and others mounted into it. A [Caller] is who looks at a view: user,
// groups, working directory and umask. Its methods are the system calls; their errors are *fs.PathError (or
// [*LinkError]) around a syscall.Errno, as a program on Linux would get them.
//
// What differs from Linux: access times are not kept, a
// working directory is a path and not an open directory, and a node has no number of its own that is stable across runs
// of different programs.
package files

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// Kind tells what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Regular Kind = iota
	Directory
	Symlink
	CharDevice
	Fifo
)

// Device is what a character device does.
type Device uint8

// The devices of a container.
const (
	NoDevice Device = iota
	Null
	Zero
	Full
	Random
	Terminal
	Generated  // content made by the view when it is opened
	Descriptor // opening it duplicates an open file of the process
)

// Sticky, Setuid and Setgid are the special bits of a node's mode, in their Unix places.
const (
	Sticky = 0o1000
	Setgid = 0o2000
	Setuid = 0o4000
)

const (
	maxLinks    = 40   // symbolic links in one look-up, as on Linux
	maxName     = 255  // bytes of one name
	maxPath     = 4096 // bytes of one path
	blockSize   = 4096
	memoryDir   = 40 // size of an empty directory on a tmpfs
	memoryEntry = 20
)

// Node is an inode. Its fields are reached through a Volume or a Caller.
type Node struct {
	vol      *Volume
	number   uint64 // of no other node of the volume
	kind     Kind
	device   Device
	shared   bool // data is shared with another file: copy before writing in place
	mode     uint16
	uid, gid uint32
	links    int32
	mtime    time.Time
	data     []byte
	target   string
	entries  []entry // of a directory, sorted by name; a nil node hides the lower one
	lower    *Node   // the frozen directory beneath
	watchers []*Subscription
}

type entry struct {
	name string
	node *Node
}

// search finds name among sorted entries.
func search(entries []entry, name string) (int, bool) {
	lo, hi := 0, len(entries)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if entries[mid].name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(entries) && entries[lo].name == name
}

// child returns the directory's entry of that name, or nil. Something that so far exists beneath only gets its own node.
func (n *Node) child(name string) *Node {
	i, ok := search(n.entries, name)
	if ok {
		return n.entries[i].node
	}
	if n.lower == nil {
		return nil
	}
	under := n.lower.child(name)
	if under == nil {
		return nil
	}
	up := under.raise(n.vol)
	n.insert(i, name, up)
	return up
}

// raise makes a node of vol that stands for the frozen node beneath.
func (n *Node) raise(vol *Volume) *Node {
	up := vol.node()
	up.number, up.kind, up.device, up.shared, up.mode, up.uid, up.gid, up.links = n.number, n.kind, n.device, true, n.mode, n.uid, n.gid, n.links
	up.mtime, up.data, up.target = n.mtime, n.data, n.target
	if n.kind == Directory {
		up.lower = n
	}
	return up
}

func (n *Node) insert(i int, name string, child *Node) {
	if n.entries == nil {
		n.entries = n.vol.entries()
	}
	n.entries = append(n.entries, entry{})
	copy(n.entries[i+1:], n.entries[i:])
	n.entries[i] = entry{name, child}
}

// link puts child into the directory under name, over whatever had that name.
func (n *Node) link(name string, child *Node) {
	if i, ok := search(n.entries, name); ok {
		n.entries[i].node = child
	} else {
		n.insert(i, name, child)
	}
	n.mtime = n.vol.clock()
}

// unlink takes name out of the directory.
func (n *Node) unlink(name string) {
	i, ok := search(n.entries, name)
	if n.lower != nil && n.lower.child(name) != nil {
		if ok {
			n.entries[i].node = nil
		} else {
			n.insert(i, name, nil)
		}
	} else if ok {
		n.entries = append(n.entries[:i], n.entries[i+1:]...)
	}
	n.mtime = n.vol.clock()
}

// names returns the directory's entries, sorted.
func (n *Node) names() []string {
	var out []string
	if n.lower == nil {
		out = make([]string, 0, len(n.entries))
		for _, e := range n.entries {
			if e.node != nil {
				out = append(out, e.name)
			}
		}
		return out
	}
	beneath := n.lower.names()
	out = make([]string, 0, len(beneath)+len(n.entries))
	i := 0
	for _, name := range beneath {
		for ; i < len(n.entries) && n.entries[i].name < name; i++ {
			if n.entries[i].node != nil {
				out = append(out, n.entries[i].name)
			}
		}
		if i < len(n.entries) && n.entries[i].name == name {
			if n.entries[i].node != nil {
				out = append(out, name)
			}
			i++
			continue
		}
		out = append(out, name)
	}
	for ; i < len(n.entries); i++ {
		if n.entries[i].node != nil {
			out = append(out, n.entries[i].name)
		}
	}
	return out
}

// size is what stat says.
func (n *Node) size() int64 {
	switch n.kind {
	case Directory:
		if n.vol.memory {
			return int64(memoryDir + memoryEntry*len(n.names()))
		}
		return blockSize
	case Symlink:
		return int64(len(n.target))
	}
	return int64(len(n.data))
}

// blocks is the space used, in units of 512 bytes.
func (n *Node) blocks() int64 {
	switch {
	case n.kind == Directory && !n.vol.memory:
		return blockSize / 512
	case n.kind == Regular:
		return (int64(len(n.data)) + blockSize - 1) / blockSize * (blockSize / 512)
	}
	return 0
}

// subdirectories counts the directories in a directory, for its link count.
func (n *Node) subdirectories() int {
	count := 0
	for _, name := range n.names() {
		if i, ok := search(n.entries, name); ok {
			if n.entries[i].node.kind == Directory {
				count++
			}
		} else if n.lower.child(name).kind == Directory {
			count++
		}
	}
	return count
}

// Info describes a file. It is an fs.FileInfo; Sys returns the Info itself.
type Info struct {
	node  *Node
	name  string
	size  int64
	mtime time.Time
}

func (n *Node) info(name string) *Info {
	return &Info{node: n, name: name, size: n.size(), mtime: n.mtime}
}

// Name returns the last element of the path.
func (i *Info) Name() string { return i.name }

// Size returns the length of the content in bytes.
func (i *Info) Size() int64 { return i.size }

// ModTime returns when the content last changed.
func (i *Info) ModTime() time.Time { return i.mtime }

// IsDir reports whether it is a directory.
func (i *Info) IsDir() bool { return i.node.kind == Directory }

// Sys returns the Info.
func (i *Info) Sys() any { return i }

// Info returns itself, so that an Info is an fs.DirEntry.
func (i *Info) Info() (fs.FileInfo, error) { return i, nil }

// Type returns the type bits of the mode.
func (i *Info) Type() fs.FileMode { return i.Mode().Type() }

// Mode returns type and permissions.
func (i *Info) Mode() fs.FileMode {
	m := fs.FileMode(i.node.mode & 0o777)
	for _, bit := range [...]struct {
		unix uint16
		mode fs.FileMode
	}{{Sticky, fs.ModeSticky}, {Setgid, fs.ModeSetgid}, {Setuid, fs.ModeSetuid}} {
		if i.node.mode&bit.unix != 0 {
			m |= bit.mode
		}
	}
	switch i.node.kind {
	case Directory:
		m |= fs.ModeDir
	case Symlink:
		m |= fs.ModeSymlink
	case CharDevice:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case Fifo:
		m |= fs.ModeNamedPipe
	}
	return m
}

// Kind returns what the file is.
func (i *Info) Kind() Kind { return i.node.kind }

// Perm returns the permissions with the special bits in their Unix places.
func (i *Info) Perm() uint16 { return i.node.mode }

// UID returns the owner.
func (i *Info) UID() uint32 { return i.node.uid }

// GID returns the group.
func (i *Info) GID() uint32 { return i.node.gid }

// Links returns how many names the file has.
func (i *Info) Links() int {
	if i.node.kind == Directory {
		return 2 + i.node.subdirectories()
	}
	return int(i.node.links)
}

// Blocks returns the space used, in units of 512 bytes.
func (i *Info) Blocks() int64 { return i.node.blocks() }

// Inode returns a number that no other file of the volume has.
func (i *Info) Inode() uint64 { return i.node.number }

// Same reports whether two descriptions are of one file.
func (i *Info) Same(other *Info) bool { return i.node == other.node }

// Target returns what a symbolic link points to.
func (i *Info) Target() string { return i.node.target }

// LinkError is the error of a call with two paths.
type LinkError struct {
	Op, Old, New string
	Err          error
}

func (e *LinkError) Error() string { return e.Op + " " + e.Old + " " + e.New + ": " + e.Err.Error() }

// Unwrap returns the errno.
func (e *LinkError) Unwrap() error { return e.Err }

// Errno returns the error number inside err, or EIO.
func Errno(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	if err != nil {
		return syscall.EIO
	}
	return 0
}

// Message says an error as the C library says it: without operation and path, with a capital.
func Message(err error) string {
	text := Errno(err).Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// unixMode takes the permission bits of an fs.FileMode to their Unix places.
func unixMode(m fs.FileMode) uint16 {
	u := uint16(m & 0o777)
	if m&fs.ModeSticky != 0 {
		u |= Sticky
	}
	if m&fs.ModeSetgid != 0 {
		u |= Setgid
	}
	if m&fs.ModeSetuid != 0 {
		u |= Setuid
	}
	return u
}
