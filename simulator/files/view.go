package files

import (
	"path"
	"slices"
	"strings"
	"syscall"
)

// Mount says what appears where in a view.
type Mount struct {
	Volume *Volume
	// Path is where it appears: absolute. Missing directories are made.
	Path string
	// SubPath is the directory or file of the volume that appears; empty is its root. A missing one is made as a directory.
	SubPath  string
	ReadOnly bool
	// Source and Type are shown in the list of mounts; empty ones get the defaults of a disk or a tmpfs.
	Source, Type string
}

// View is a mount namespace.
type View struct {
	root   place
	mounts []*mount
	covers map[*Node]*mount // by the node that the mount hides
	room   []mount          // for mounts that have been announced
	random func([]byte)
	// Generate makes the content of generated files.
	Generate func(key string) []byte
}

type mount struct {
	Mount
	root *Node
}

// place is a node as it is seen through a mount.
type place struct {
	node *Node
	via  *mount
}

// NewView returns a view of root, which so many mounts will follow, about. random fills buffers for /dev/urandom.
func NewView(root *Volume, readOnly bool, mounts int, random func([]byte)) *View {
	v := &View{mounts: make([]*mount, 0, 1+mounts), room: make([]mount, 1+mounts), random: random}
	m := v.newMount()
	m.Mount, m.root = Mount{Volume: root, Path: "/", ReadOnly: readOnly, Source: "overlay", Type: "overlay"}, root.root
	v.root, v.mounts = place{root.root, m}, append(v.mounts, m)
	return v
}

func (v *View) newMount() *mount {
	if len(v.room) == 0 {
		return &mount{}
	}
	m := &v.room[0]
	v.room = v.room[1:]
	return m
}

// Absolute returns a path from the root on, without detours.
func Absolute(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return path.Clean(p)
}

// Mount mounts a volume. A later mount hides an earlier one at the same path.
func (v *View) Mount(m Mount) error {
	m.Path = Absolute(m.Path)
	if m.Source == "" {
		m.Source, m.Type = "/dev/vda", "ext4"
		if m.Volume.memory {
			m.Source, m.Type = "tmpfs", "tmpfs"
		}
	}
	source := m.Volume.root
	if m.SubPath != "" {
		var err error
		if source, err = m.Volume.subPath(m.SubPath); err != nil {
			return err
		}
	}
	target, err := v.mountPoint(m.Path, source.kind == Directory)
	if err != nil {
		return err
	}
	if v.covers == nil {
		v.covers = make(map[*Node]*mount, len(v.room))
	}
	mnt := v.newMount()
	mnt.Mount, mnt.root = m, source
	v.covers[target] = mnt
	v.mounts = append(v.mounts, mnt)
	return nil
}

// subPath finds or makes the directory of a volume that a subPath mount shows.
func (v *Volume) subPath(name string) (*Node, error) {
	if strings.Contains("/"+name+"/", "/../") || strings.HasPrefix(name, "/") {
		return nil, syscall.EINVAL
	}
	_, _, node, err := v.find(name, false)
	if err == nil && node != nil {
		for range maxLinks {
			if node.kind != Symlink {
				return node, nil
			}
			name = path.Join(path.Dir(name), node.target)
			if _, _, node, err = v.find(name, false); err != nil || node == nil {
				return nil, syscall.ENOENT
			}
		}
		return nil, syscall.ELOOP
	}
	if err := v.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	_, _, node, err = v.find(name, false)
	return node, err
}

// mountPoint finds or makes the node that a mount at p will hide. The container runtime does this, so neither a
// read-only mount nor a missing permission is in its way.
func (v *View) mountPoint(p string, dir bool) (*Node, error) {
	at := v.root
	var usual [usualDepth]string
	parts := split(usual[:0], p)
	if p == "/" {
		return nil, syscall.EBUSY
	}
	for i := 0; i < len(parts); i++ {
		name, last := parts[i], i == len(parts)-1
		if at.node.kind != Directory {
			return nil, syscall.ENOTDIR
		}
		child := at.node.child(name)
		if child == nil {
			kind, mode := Directory, uint16(0o755)
			if last && !dir {
				kind, mode = Regular, 0o644
			}
			child = at.node.vol.new(kind, mode, 0, 0)
			child.links = 1
			at.node.link(name, child)
			at.node.notify()
		}
		if child.kind == Symlink && i < maxLinks*len(parts) {
			rest := parts[i+1:]
			base := "/"
			if !strings.HasPrefix(child.target, "/") {
				base = "/" + strings.Join(parts[:i], "/")
			}
			parts = split(nil, path.Join(base, child.target, strings.Join(rest, "/")))
			at, i = v.root, -1
			if len(parts) > maxPath {
				return nil, syscall.ELOOP
			}
			continue
		}
		if last {
			return v.covered(child), nil
		}
		at = v.cross(place{child, at.via})
	}
	return nil, syscall.ENOENT
}

// usualDepth is how many names most paths have at most.
const usualDepth = 16

// split appends the names of a clean path.
func split(names []string, p string) []string {
	for p = strings.Trim(p, "/"); ; {
		name, rest, more := strings.Cut(p, "/")
		names = append(names, name)
		if !more {
			return names
		}
		p = rest
	}
}

// covered follows the mounts that lie on a node already down to the node that a further mount has to hide.
func (v *View) covered(n *Node) *Node {
	for m := v.covers[n]; m != nil; m = v.covers[n] {
		if m.root == n {
			break
		}
		n = m.root
	}
	return n
}

// cross enters the mounts that lie on a place.
func (v *View) cross(p place) place {
	if v.covers == nil {
		return p
	}
	for m := v.covers[p.node]; m != nil; m = v.covers[p.node] {
		if m == p.via || m.root == p.node {
			return place{p.node, m}
		}
		p = place{m.root, m}
	}
	return p
}

// Usage returns the bytes and the number of the files of all volumes in the view, without those of an image.
func (v *View) Usage() (bytes int64, number int) {
	for i, m := range v.mounts {
		if !slices.ContainsFunc(v.mounts[:i], func(o *mount) bool { return o.Volume == m.Volume }) {
			bytes += m.Volume.used
			number += m.Volume.files
		}
	}
	return bytes, number
}

// Mounts lists what is mounted, in order of mounting, the root first.
func (v *View) Mounts() []Mount {
	out := make([]Mount, len(v.mounts))
	for i, m := range v.mounts {
		out[i] = m.Mount
	}
	return out
}

// MountTable is the list of mounts as mount(8) prints it.
func (v *View) MountTable() string {
	var b strings.Builder
	for _, m := range v.mounts {
		access := "rw"
		if m.ReadOnly {
			access = "ro"
		}
		b.WriteString(m.Source + " on " + m.Path + " type " + m.Type + " (" + access + ",relatime)\n")
	}
	return b.String()
}

// Caller is who makes calls on a view.
type Caller struct {
	View     *View
	UID, GID uint32
	Groups   []uint32
	// Dir is the working directory, absolute and without links.
	Dir   string
	Umask uint16
	// Walked counts the elements of the paths that were looked up.
	Walked uint32
}

// Access rights, as in the mode bits of one class.
const (
	mayRead    = 4
	mayWrite   = 2
	mayExecute = 1
)

// may reports whether the caller has all the rights to the node.
func (c *Caller) may(n *Node, rights uint16) bool {
	if c.UID == 0 {
		return rights&mayExecute == 0 || n.kind == Directory || n.mode&0o111 != 0
	}
	bits := n.mode
	switch {
	case n.uid == c.UID:
		bits >>= 6
	case n.gid == c.GID || slices.Contains(c.Groups, n.gid):
		bits >>= 3
	}
	return bits&rights == rights
}

// walked is the result of a look-up: the directory, the name in it, and what is there, if anything.
type walked struct {
	dir  place
	name string
	at   place    // node nil: nothing there
	real []string // names from the root, if asked for
}

type walkFlags uint8

const (
	noFollow walkFlags = 1 << iota // do not follow a link at the end
	wantPath                       // record the real path
)

// walk looks up a path.
func (c *Caller) walk(name string, flags walkFlags, visit func(*Node)) (walked, error) {
	if name == "" {
		return walked{}, syscall.ENOENT
	}
	if len(name) >= maxPath {
		return walked{}, syscall.ENAMETOOLONG
	}
	var store [24]place
	stack := append(store[:0], c.View.root)
	var names []string
	rest, prefix := name, c.Dir
	if name[0] == '/' {
		prefix = ""
	}
	links := 0
	mustDir := false
	last := walked{dir: stack[0], at: stack[0], name: "/"}
	if visit != nil {
		visit(stack[0].node)
	}
	for {
		// The working directory is walked before the path itself.
		c.Walked++
		var part string
		if prefix != "" {
			part, prefix = cut(prefix)
			if part == "" {
				continue
			}
		} else {
			if rest == "" {
				break
			}
			slash := strings.HasSuffix(rest, "/")
			part, rest = cut(rest)
			if part == "" {
				if rest == "" {
					mustDir = mustDir || slash
					break
				}
				continue
			}
			if rest == "" && slash {
				mustDir = true
			}
		}
		here := stack[len(stack)-1]
		if here.node.kind != Directory {
			return walked{}, syscall.ENOTDIR
		}
		if !c.may(here.node, mayExecute) {
			return walked{}, syscall.EACCES
		}
		if part == "." {
			last = walked{dir: here, name: ".", at: here}
			continue
		}
		if part == ".." {
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
				if flags&wantPath != 0 {
					names = names[:len(names)-1]
				}
			}
			last = walked{dir: stack[len(stack)-1], name: "..", at: stack[len(stack)-1]}
			continue
		}
		if len(part) > maxName {
			return walked{}, syscall.ENAMETOOLONG
		}
		child := here.node.child(part)
		final := prefix == "" && strings.Trim(rest, "/") == ""
		if child == nil {
			if !final {
				return walked{}, syscall.ENOENT
			}
			return walked{dir: here, name: part, real: names}, nil
		}
		next := c.View.cross(place{child, here.via})
		if visit != nil {
			visit(next.node)
		}
		if next.node.kind == Symlink && (!final || flags&noFollow == 0 || mustDir || rest != "") {
			if links++; links > maxLinks {
				return walked{}, syscall.ELOOP
			}
			to := next.node.target
			if strings.HasPrefix(to, "/") {
				stack, names = stack[:1], names[:0]
				last = walked{dir: stack[0], at: stack[0], name: "/"}
			}
			if prefix != "" {
				prefix = to + "/" + prefix
			} else if rest != "" || mustDir {
				rest = to + "/" + rest
			} else {
				rest = to
			}
			continue
		}
		last = walked{dir: here, name: part, at: next}
		stack = append(stack, next)
		if flags&wantPath != 0 {
			names = append(names, part)
		}
	}
	if mustDir && last.at.node != nil && last.at.node.kind != Directory {
		return walked{}, syscall.ENOTDIR
	}
	last.real = names
	return last, nil
}

// cut takes the first element from a path.
func cut(p string) (first, rest string) {
	i := strings.IndexByte(p, '/')
	if i < 0 {
		return p, ""
	}
	first = p[:i]
	for i < len(p) && p[i] == '/' {
		i++
	}
	return first, p[i:]
}

// visit shows every node on the way to a path, as far as it exists.
func (c *Caller) visit(name string, see func(*Node)) {
	super := *c
	super.UID = 0
	_, _ = super.walk(name, 0, see)
}
