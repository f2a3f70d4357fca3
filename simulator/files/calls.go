package files

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// mayChange reports whether entries of the directory at p may be made and removed.
func (c *Caller) mayChange(p place) error {
	if p.via.ReadOnly || p.node.vol.frozen {
		return syscall.EROFS
	}
	if !c.may(p.node, mayWrite|mayExecute) {
		return syscall.EACCES
	}
	return nil
}

// mayRemove is mayChange with the sticky bit.
func (c *Caller) mayRemove(dir place, n *Node) error {
	if err := c.mayChange(dir); err != nil {
		return err
	}
	if dir.node.mode&Sticky != 0 && c.UID != 0 && c.UID != n.uid && c.UID != dir.node.uid {
		return syscall.EPERM
	}
	return nil
}

// Stat describes what is at name, following links.
func (c *Caller) Stat(name string) (*Info, error) { return c.stat("stat", name, 0) }

// Lstat describes what is at name; of a link, the link.
func (c *Caller) Lstat(name string) (*Info, error) { return c.stat("lstat", name, noFollow) }

func (c *Caller) stat(op, name string, flags walkFlags) (*Info, error) {
	w, err := c.walk(name, flags, nil)
	if err == nil && w.at.node == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return nil, fail(op, name, err)
	}
	return w.at.node.info(path.Base(name)), nil
}

// Executable reports with an error why the caller cannot execute the file at name.
func (c *Caller) Executable(name string) error {
	if err := c.executable(name); err != nil {
		return fail("exec", name, err)
	}
	return nil
}

// Exists reports whether there is anything at name, as far as the caller can tell: a search for a command asks about many
// places where there is not.
func (c *Caller) Exists(name string) bool { return !errors.Is(c.executable(name), syscall.ENOENT) }

func (c *Caller) executable(name string) error {
	w, err := c.walk(name, 0, nil)
	switch {
	case err != nil:
		return err
	case w.at.node == nil:
		return syscall.ENOENT
	case w.at.node.kind == Directory || !c.may(w.at.node, mayExecute):
		return syscall.EACCES
	}
	return nil
}

// ExecContent returns the content of the executable file at name. It need not be readable.
func (c *Caller) ExecContent(name string) ([]byte, error) {
	w, err := c.walk(name, 0, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case w.at.node.kind != Regular || !c.may(w.at.node, mayExecute):
		err = syscall.EACCES
	}
	if err != nil {
		return nil, fail("exec", name, err)
	}
	return w.at.node.data, nil
}

// Access reports whether the caller may read, write or execute the file at name: bits 4, 2 and 1.
func (c *Caller) Access(name string, rights uint16) error {
	w, err := c.walk(name, 0, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case rights&mayWrite != 0 && w.at.node.kind != CharDevice && (w.at.via.ReadOnly || w.at.node.vol.frozen):
		err = syscall.EROFS
	case !c.may(w.at.node, rights):
		err = syscall.EACCES
	}
	if err != nil {
		return fail("access", name, err)
	}
	return nil
}

// ReadDir lists a directory, sorted by name, without "." and "..".
func (c *Caller) ReadDir(name string) ([]*Info, error) {
	w, err := c.walk(name, 0, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case w.at.node.kind != Directory:
		err = syscall.ENOTDIR
	case !c.may(w.at.node, mayRead):
		err = syscall.EACCES
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	names := w.at.node.names()
	out := make([]*Info, len(names))
	for i, n := range names {
		child := c.View.cross(place{w.at.node.child(n), w.at.via})
		out[i] = child.node.info(n)
	}
	return out, nil
}

// RealPath returns the path of name without links and dots. The last element need not exist.
func (c *Caller) RealPath(name string) (string, error) {
	w, err := c.walk(name, wantPath, nil)
	if err != nil {
		return "", fail("realpath", name, err)
	}
	p := "/" + strings.Join(w.real, "/")
	if w.at.node == nil {
		p = path.Join(p, w.name)
	}
	return p, nil
}

// Chdir makes name the working directory.
func (c *Caller) Chdir(name string) error {
	w, err := c.walk(name, wantPath, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case w.at.node.kind != Directory:
		err = syscall.ENOTDIR
	case !c.may(w.at.node, mayExecute):
		err = syscall.EACCES
	}
	if err != nil {
		return fail("chdir", name, err)
	}
	c.Dir = "/" + strings.Join(w.real, "/")
	return nil
}

// groupIn is the group of what the caller makes in a directory: its own, or that of the directory if its set-group-id
// bit says so.
func (c *Caller) groupIn(dir *Node) uint32 {
	if dir.mode&Setgid != 0 {
		return dir.gid
	}
	return c.GID
}

// Mkdir makes a directory with mode less the umask.
func (c *Caller) Mkdir(name string, mode uint16) error {
	w, err := c.walk(name, noFollow, nil)
	if err == nil {
		err = syscall.EEXIST
		if w.at.node == nil {
			if err = c.mayChange(w.dir); err == nil {
				n := w.dir.node.vol.new(Directory, mode&^c.Umask|w.dir.node.mode&Setgid, c.UID, c.groupIn(w.dir.node))
				n.links = 1
				w.dir.node.link(w.name, n)
				w.dir.node.notify()
				return nil
			}
		}
	}
	return fail("mkdir", name, err)
}

// MkdirAll makes a directory and the parents that are missing.
func (c *Caller) MkdirAll(name string, mode uint16) error {
	if info, err := c.Stat(name); err == nil {
		if info.IsDir() {
			return nil
		}
		return fail("mkdir", name, syscall.ENOTDIR)
	}
	if parent := path.Dir(strings.TrimRight(name, "/")); parent != name && parent != "." && parent != "/" {
		if err := c.MkdirAll(parent, mode|0o300); err != nil {
			return err
		}
	}
	err := c.Mkdir(name, mode)
	if err != nil && Errno(err) == syscall.EEXIST {
		if info, e := c.Stat(name); e == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

// Symlink makes a symbolic link at name.
func (c *Caller) Symlink(target, name string) error {
	w, err := c.walk(name, noFollow, nil)
	if err == nil {
		err = syscall.EEXIST
		if w.at.node == nil {
			if err = c.mayChange(w.dir); err == nil {
				n := w.dir.node.vol.new(Symlink, 0o777, c.UID, c.groupIn(w.dir.node))
				n.target, n.links = target, 1
				w.dir.node.link(w.name, n)
				w.dir.node.notify()
				return nil
			}
		}
	}
	return &LinkError{Op: "symlink", Old: target, New: name, Err: err}
}

// Mkfifo makes a named pipe. It can be listed and removed, but not opened.
func (c *Caller) Mkfifo(name string, mode uint16) error {
	w, err := c.walk(name, noFollow, nil)
	if err == nil {
		err = syscall.EEXIST
		if w.at.node == nil {
			if err = c.mayChange(w.dir); err == nil {
				n := w.dir.node.vol.new(Fifo, mode&^c.Umask, c.UID, c.groupIn(w.dir.node))
				n.links = 1
				w.dir.node.link(w.name, n)
				w.dir.node.notify()
				return nil
			}
		}
	}
	return fail("mkfifo", name, err)
}

// Link gives the file at old a further name.
func (c *Caller) Link(old, name string) error {
	err := func() error {
		from, err := c.walk(old, noFollow, nil)
		if err != nil {
			return err
		}
		if from.at.node == nil {
			return syscall.ENOENT
		}
		if from.at.node.kind == Directory {
			return syscall.EPERM
		}
		to, err := c.walk(name, noFollow, nil)
		if err != nil {
			return err
		}
		if to.at.node != nil {
			return syscall.EEXIST
		}
		if from.at.via != to.dir.via {
			return syscall.EXDEV
		}
		if err := c.mayChange(to.dir); err != nil {
			return err
		}
		from.at.node.links++
		to.dir.node.link(to.name, from.at.node)
		to.dir.node.notify()
		return nil
	}()
	if err != nil {
		return &LinkError{Op: "link", Old: old, New: name, Err: err}
	}
	return nil
}

// Readlink returns where a symbolic link points.
func (c *Caller) Readlink(name string) (string, error) {
	w, err := c.walk(name, noFollow, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case w.at.node.kind != Symlink:
		err = syscall.EINVAL
	default:
		return w.at.node.target, nil
	}
	return "", fail("readlink", name, err)
}

// Remove removes a file, a link or an empty directory.
func (c *Caller) Remove(name string) error {
	return c.remove("remove", name, func(n *Node) error {
		if n.kind == Directory && len(n.names()) > 0 {
			return syscall.ENOTEMPTY
		}
		return nil
	})
}

// Unlink removes a file or a link.
func (c *Caller) Unlink(name string) error {
	return c.remove("unlink", name, func(n *Node) error {
		if n.kind == Directory {
			return syscall.EISDIR
		}
		return nil
	})
}

// Rmdir removes an empty directory.
func (c *Caller) Rmdir(name string) error {
	return c.remove("rmdir", name, func(n *Node) error {
		if n.kind != Directory {
			return syscall.ENOTDIR
		}
		if len(n.names()) > 0 {
			return syscall.ENOTEMPTY
		}
		return nil
	})
}

func (c *Caller) remove(op, name string, check func(*Node) error) error {
	w, err := c.walk(name, noFollow, nil)
	if err == nil {
		switch {
		case w.at.node == nil:
			err = syscall.ENOENT
		case w.name == ".":
			err = syscall.EINVAL
		case w.name == "..":
			err = syscall.ENOTEMPTY
		case w.at.via != w.dir.via || w.at.node == c.View.root.node:
			err = syscall.EBUSY
		default:
			if err = c.mayRemove(w.dir, w.at.node); err == nil {
				err = check(w.at.node)
			}
		}
	}
	if err != nil {
		return fail(op, name, err)
	}
	w.dir.node.unlink(w.name)
	if w.at.node.kind == Directory {
		w.at.node.links = 0
		w.at.node.vol.files = max(0, w.at.node.vol.files-1)
		w.at.node.notify()
	} else {
		w.at.node.drop()
	}
	w.dir.node.notify()
	return nil
}

// Rename moves what is at old to name, over what is there.
func (c *Caller) Rename(old, name string) error {
	if err := c.rename(old, name); err != nil {
		return &LinkError{Op: "rename", Old: old, New: name, Err: err}
	}
	return nil
}

func (c *Caller) rename(old, name string) error {
	from, err := c.walk(old, noFollow, nil)
	if err != nil {
		return err
	}
	if from.at.node == nil {
		return syscall.ENOENT
	}
	if from.name == "." || from.name == ".." || from.name == "/" {
		return syscall.EBUSY
	}
	var way []*Node
	to, err := c.walk(name, noFollow, func(n *Node) { way = append(way, n) })
	if err != nil {
		return err
	}
	if from.dir.via != to.dir.via {
		return syscall.EXDEV
	}
	if from.at.via != from.dir.via || to.at.node != nil && to.at.via != to.dir.via {
		return syscall.EBUSY
	}
	if err := c.mayRemove(from.dir, from.at.node); err != nil {
		return err
	}
	if to.at.node == nil {
		err = c.mayChange(to.dir)
	} else {
		err = c.mayRemove(to.dir, to.at.node)
	}
	if err != nil {
		return err
	}
	if from.at.node == to.at.node {
		return nil
	}
	if from.at.node.kind == Directory && slices.Contains(way, from.at.node) {
		return syscall.EINVAL
	}
	if t := to.at.node; t != nil {
		switch {
		case from.at.node.kind == Directory && t.kind != Directory:
			return syscall.ENOTDIR
		case from.at.node.kind != Directory && t.kind == Directory:
			return syscall.EISDIR
		case t.kind == Directory && len(t.names()) > 0:
			return syscall.ENOTEMPTY
		}
	}
	from.dir.node.unlink(from.name)
	to.dir.node.link(to.name, from.at.node)
	if to.at.node != nil && to.at.node.kind != Directory {
		to.at.node.drop()
	}
	from.dir.node.notify()
	to.dir.node.notify()
	from.at.node.notify()
	return nil
}

// target finds the node of a change of attributes.
func (c *Caller) target(op, name string, flags walkFlags) (*Node, error) {
	w, err := c.walk(name, flags, nil)
	switch {
	case err != nil:
	case w.at.node == nil:
		err = syscall.ENOENT
	case w.at.via.ReadOnly || w.at.node.vol.frozen:
		err = syscall.EROFS
	}
	if err != nil {
		return nil, fail(op, name, err)
	}
	return w.at.node, nil
}

// Chmod sets the mode, special bits in their Unix places.
func (c *Caller) Chmod(name string, mode uint16) error {
	n, err := c.target("chmod", name, 0)
	if err != nil {
		return err
	}
	if c.UID != 0 && c.UID != n.uid {
		return fail("chmod", name, syscall.EPERM)
	}
	n.mode = mode & 0o7777
	n.notify()
	return nil
}

// Chown sets owner and group; -1 leaves one as it is. With follow, of what a link points to.
func (c *Caller) Chown(name string, uid, gid int, follow bool) error {
	flags := noFollow
	if follow {
		flags = 0
	}
	n, err := c.target("chown", name, flags)
	if err != nil {
		return err
	}
	ownGroup := gid < 0 || uint32(gid) == n.gid || n.uid == c.UID && (uint32(gid) == c.GID || slices.Contains(c.Groups, uint32(gid)))
	if c.UID != 0 && (uid >= 0 && uint32(uid) != n.uid || !ownGroup) {
		return fail("chown", name, syscall.EPERM)
	}
	if uid >= 0 {
		n.uid = uint32(uid)
	}
	if gid >= 0 {
		n.gid = uint32(gid)
	}
	n.notify()
	return nil
}

// Chtimes sets the time of the last change.
func (c *Caller) Chtimes(name string, mtime time.Time) error { return c.chtimes(name, mtime, 0) }

// Lchtimes is Chtimes of a link itself.
func (c *Caller) Lchtimes(name string, mtime time.Time) error {
	return c.chtimes(name, mtime, noFollow)
}

func (c *Caller) chtimes(name string, mtime time.Time, flags walkFlags) error {
	n, err := c.target("utimes", name, flags)
	if err != nil {
		return err
	}
	if c.UID != 0 && c.UID != n.uid && !c.may(n, mayWrite) {
		return fail("utimes", name, syscall.EACCES)
	}
	n.mtime = mtime
	n.notify()
	return nil
}

// SpaceOf returns the bytes used and the limit (0: none) of the volume that name lies in.
func (c *Caller) SpaceOf(name string) (used, limit int64, mountPath string, err error) {
	w, err := c.walk(name, 0, nil)
	if err == nil && w.at.node == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return 0, 0, "", fail("statfs", name, err)
	}
	v := w.at.via.Volume
	return v.used, v.limit, w.at.via.Path, nil
}
