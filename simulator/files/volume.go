package files

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options describe a volume. The zero value is an unlimited volume on a disk whose root is open to all users, as an
// emptyDir is.
type Options struct {
	// Limit is the number of bytes that fit before a write fails with ENOSPC; 0 is no limit.
	Limit int64
	// Memory makes it a tmpfs: that shows in sizes and in the list of mounts.
	Memory bool
	// Mode, UID and GID are those of the root directory; a Mode of 0 means 0777.
	Mode     fs.FileMode
	UID, GID uint32
}

// Volume is a tree of files that can be mounted into several views at once.
type Volume struct {
	root    *Node
	clock   func() time.Time
	limit   int64
	used    int64
	files   int    // nodes made here and not gone
	last    uint64 // the number of the last node that was made
	memory  bool
	overlay bool
	frozen  bool
	swaps   int // projections made so far

	// Nodes and the first entries of directories come from arrays of several. Most volumes live as long as their files.
	freeNodes   []Node
	nodesMade   int
	freeEntries []entry
}

const (
	firstNodes   = 2
	mostNodes    = 8
	firstEntries = 2 // of a directory
	manyEntries  = 4 * firstEntries
)

// node returns a new node of this volume.
func (v *Volume) node() *Node {
	if len(v.freeNodes) == 0 {
		v.freeNodes = make([]Node, min(max(firstNodes, v.nodesMade/2), mostNodes))
	}
	n := &v.freeNodes[0]
	v.freeNodes = v.freeNodes[1:]
	v.nodesMade++
	n.vol = v
	return n
}

// entries returns an empty list of entries with room for a few.
func (v *Volume) entries() []entry {
	if len(v.freeEntries) < firstEntries {
		v.freeEntries = make([]entry, manyEntries)
	}
	list := v.freeEntries[:0:firstEntries]
	v.freeEntries = v.freeEntries[firstEntries:]
	return list
}

// NewVolume returns an empty volume whose files get their times from clock.
func NewVolume(clock func() time.Time, o Options) *Volume {
	v := &Volume{clock: clock, limit: o.Limit, memory: o.Memory}
	if o.Mode == 0 {
		o.Mode = 0o777
	}
	v.last = 1
	v.root = v.node()
	v.root.number, v.root.kind, v.root.mode, v.root.uid, v.root.gid = v.last, Directory, unixMode(o.Mode), o.UID, o.GID
	v.root.links, v.root.mtime = 1, clock()
	return v
}

// NewOverlay returns a volume that begins as lower is and leaves lower as it is. Lower is frozen by this: it refuses
// changes from now on.
func NewOverlay(clock func() time.Time, lower *Volume, o Options) *Volume {
	lower.Freeze()
	v := &Volume{clock: clock, limit: o.Limit, memory: o.Memory, overlay: true, last: lower.last}
	v.root = lower.root.raise(v)
	return v
}

// Freeze makes the volume refuse changes from now on. A frozen volume may lie under overlays of several kernels at once.
func (v *Volume) Freeze() {
	if !v.frozen {
		v.frozen = true
	}
}

// Used returns the bytes of all files written to this volume.
func (v *Volume) Used() int64 { return v.used }

// Memory reports whether the volume is a tmpfs.
func (v *Volume) Memory() bool { return v.memory }

// grow accounts for delta more bytes, or refuses.
func (v *Volume) grow(delta int64) error {
	if v.limit > 0 && delta > 0 && v.used+delta > v.limit {
		return syscall.ENOSPC
	}
	v.used += delta
	return nil
}

// new makes a node of this volume that has no name yet.
func (v *Volume) new(kind Kind, mode uint16, uid, gid uint32) *Node {
	v.files++
	v.last++
	n := v.node()
	n.number, n.kind, n.mode, n.uid, n.gid, n.mtime = v.last, kind, mode, uid, gid, v.clock()
	return n
}

// find walks to a path inside the volume without following a link at its end and without any access checks.
func (v *Volume) find(name string, makeParents bool) (dir *Node, base string, node *Node, err error) {
	if strings.HasPrefix(name, "/") {
		name = path.Clean(name)
	} else {
		name = path.Clean("/" + name)
	}
	if name == "/" {
		return nil, "", v.root, nil
	}
	dir = v.root
	for at := len("/"); ; { // name[:at] is the path of dir
		part, rest, more := strings.Cut(name[at:], "/")
		child := dir.child(part)
		if !more {
			return dir, part, child, nil
		}
		if child != nil && child.kind == Symlink {
			to := child.target
			if !strings.HasPrefix(to, "/") {
				to = path.Join(name[:at], to)
			}
			return v.find(path.Join(to, rest), makeParents)
		}
		if child == nil {
			if !makeParents {
				return nil, "", nil, syscall.ENOENT
			}
			child = v.new(Directory, 0o755, v.root.uid, v.root.gid)
			child.links = 1
			dir.link(part, child)
			dir.notify()
		}
		if child.kind != Directory {
			return nil, "", nil, syscall.ENOTDIR
		}
		dir, at = child, at+len(part)+len("/")
	}
}

func (v *Volume) change(op, name string) error {
	if v.frozen {
		return &fs.PathError{Op: op, Path: name, Err: syscall.EROFS}
	}
	return nil
}

// put gives node the name, over whatever had it.
func (v *Volume) put(op, name string, node *Node) error {
	if err := v.change(op, name); err != nil {
		return err
	}
	dir, base, old, err := v.find(name, true)
	if err == nil && base == "" {
		err = syscall.EEXIST
	}
	if err == nil && old != nil && old.kind == Directory {
		err = syscall.EISDIR
	}
	if err == nil {
		delta := int64(len(node.data))
		if old != nil && old.kind == Regular {
			delta -= int64(len(old.data))
		}
		err = v.grow(delta)
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	node.links++
	dir.link(base, node)
	dir.notify()
	if old != nil {
		old.links--
		old.notify()
	}
	return nil
}

// WriteFile writes a new file of that content, mode and owner at name, from outside all containers. Parent directories are
// made with mode 0755. The content is not copied and must not change afterwards.
func (v *Volume) WriteFile(name string, data []byte, mode fs.FileMode) error {
	n := v.new(Regular, unixMode(mode), v.root.uid, v.root.gid)
	n.data, n.shared = data, true
	return v.put("open", name, n)
}

// Symlink makes a symbolic link.
func (v *Volume) Symlink(target, name string) error {
	n := v.new(Symlink, 0o777, v.root.uid, v.root.gid)
	n.target = target
	return v.put("symlink", name, n)
}

// Device puts a character device at name.
func (v *Volume) Device(name string, device Device, mode fs.FileMode) error {
	n := v.new(CharDevice, unixMode(mode), v.root.uid, v.root.gid)
	n.device = device
	return v.put("mknod", name, n)
}

// Generate puts a file at name whose content the view makes for key each time it is opened ([View.Generate]).
func (v *Volume) Generate(name, key string) error {
	n := v.new(Regular, 0o444, v.root.uid, v.root.gid)
	n.device, n.target = Generated, key
	return v.put("mknod", name, n)
}

// Descriptor puts a file at name that stands for an open file of the process that opens it, as /dev/stdout does.
func (v *Volume) Descriptor(name string, fd int) error {
	n := v.new(CharDevice, 0o666, v.root.uid, v.root.gid)
	n.device, n.target = Descriptor, strconv.Itoa(fd)
	return v.put("mknod", name, n)
}

// MkdirAll makes a directory and its parents. An existing one gets the mode.
func (v *Volume) MkdirAll(name string, mode fs.FileMode) error {
	if err := v.change("mkdir", name); err != nil {
		return err
	}
	dir, base, node, err := v.find(name, true)
	if err == nil && node == nil {
		node = v.new(Directory, unixMode(mode), v.root.uid, v.root.gid)
		node.links = 1
		dir.link(base, node)
		dir.notify()
		return nil
	}
	if err == nil && node.kind != Directory {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	node.mode = unixMode(mode)
	return nil
}

// Chown sets owner and group of what is at name.
func (v *Volume) Chown(name string, uid, gid uint32) error {
	_, _, node, err := v.find(name, false)
	if err == nil && node == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return &fs.PathError{Op: "chown", Path: name, Err: err}
	}
	node.uid, node.gid = uid, gid
	return nil
}

// ReadFile returns the content of the file at name, following links inside the volume. It must not be changed.
func (v *Volume) ReadFile(name string) ([]byte, error) {
	for range maxLinks {
		_, _, node, err := v.find(name, false)
		switch {
		case err == nil && node == nil:
			err = syscall.ENOENT
		case err == nil && node.kind == Symlink:
			if strings.HasPrefix(node.target, "/") {
				name = node.target
			} else {
				name = path.Join(path.Dir(path.Clean("/"+name)), node.target)
			}
			continue
		case err == nil && node.kind == Directory:
			err = syscall.EISDIR
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		if !v.frozen {
			node.shared = true
		}
		return node.data, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}

// ReadDir returns the names in the directory at name, sorted.
func (v *Volume) ReadDir(name string) ([]string, error) {
	_, _, node, err := v.find(name, false)
	if err == nil && node == nil {
		err = syscall.ENOENT
	}
	if err == nil && node.kind != Directory {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return node.names(), nil
}

// Remove removes what is at name, with everything in it. It is not an error if nothing is there.
func (v *Volume) Remove(name string) error {
	if err := v.change("unlink", name); err != nil {
		return err
	}
	dir, base, node, err := v.find(name, false)
	if errors.Is(err, fs.ErrNotExist) || node == nil {
		return nil
	}
	if err == nil && base == "" {
		err = syscall.EBUSY
	}
	if err != nil {
		return &fs.PathError{Op: "unlink", Path: name, Err: err}
	}
	dir.unlink(base)
	v.release(node)
	dir.notify()
	return nil
}

// release gives back the space of a tree that lost its name.
func (v *Volume) release(n *Node) {
	if n.kind == Directory {
		for _, e := range n.entries {
			if e.node != nil {
				v.release(e.node)
			}
		}
		n.links = 0
		n.vol.files = max(0, n.vol.files-1)
		n.notify()
		return
	}
	n.drop()
}

// drop takes one name from a file.
func (n *Node) drop() {
	n.links--
	if n.links <= 0 {
		n.vol.files = max(0, n.vol.files-1)
		if n.kind == Regular {
			n.vol.used = max(0, n.vol.used-int64(len(n.data)))
		}
	}
	n.notify()
}

// Projected is one file of a projected volume.
type Projected struct {
	Data []byte
	Mode fs.FileMode // 0 means 0644
}

// Project makes the volume hold exactly these files (path → content), as the kubelet does for configMap, secret and
// downwardAPI volumes: a new directory ..TIME.NNN takes them, the link ..data is swapped to it, and the names that
// users see are links through ..data. Readers see all of the old or all of the new files.
func (v *Volume) Project(contents map[string]Projected) error {
	now := v.clock()
	v.swaps++
	fresh := fmt.Sprintf("..%s.%09d", now.UTC().Format("2006_01_02_15_04_05"), (now.UnixNano()/1000+int64(v.swaps)*7919)%1_000_000_000)
	old, _ := v.ReadDir("/")
	if err := v.MkdirAll(fresh, 0o755); err != nil {
		return err
	}
	top := map[string]bool{}
	for _, name := range sortedKeys(contents) {
		file := contents[name]
		if file.Mode == 0 {
			file.Mode = 0o644
		}
		clean := strings.TrimPrefix(path.Clean("/"+name), "/")
		if err := v.WriteFile(path.Join(fresh, clean), file.Data, file.Mode); err != nil {
			return err
		}
		first, _, _ := strings.Cut(clean, "/")
		top[first] = true
	}
	if err := v.Symlink(fresh, "..data"); err != nil {
		return err
	}
	for _, name := range sortedKeys(top) {
		if v.root.child(name) == nil {
			if err := v.Symlink("..data/"+name, name); err != nil {
				return err
			}
		}
	}
	for _, name := range old {
		if name != "..data" && name != fresh && !top[name] {
			if err := v.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
