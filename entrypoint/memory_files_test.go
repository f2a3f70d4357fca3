package entrypoint_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// memoryFiles is a file system in a map: absolute paths without links in them, to files.
type memoryFiles struct {
	nodes map[string]*memoryNode
	umask fs.FileMode
	// full refuses new content, as a full disk does.
	full bool
}

type memoryNode struct {
	mode    fs.FileMode
	content []byte
	target  string // of a link
}

var _ entrypoint.Files = (*memoryFiles)(nil)

func newMemoryFiles() *memoryFiles {
	return &memoryFiles{nodes: map[string]*memoryNode{"/": {mode: fs.ModeDir | 0o755}}, umask: 0o022}
}

// walk resolves the links in name, the last part's only if follow.
func (m *memoryFiles) walk(op, name string, follow bool) (string, *memoryNode, error) {
	fail := func(err error) (string, *memoryNode, error) {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	at, rest := "/", parts(name)
	for links := 0; len(rest) > 0; {
		node := m.nodes[at]
		if !node.mode.IsDir() {
			return fail(syscall.ENOTDIR)
		}
		next := path.Join(at, rest[0])
		child := m.nodes[next]
		last := len(rest) == 1
		switch {
		case child == nil && last:
			return next, nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOENT}
		case child == nil:
			return fail(syscall.ENOENT)
		case child.mode&fs.ModeSymlink != 0 && (follow || !last):
			if links++; links > 40 {
				return fail(syscall.ELOOP)
			}
			rest = append(parts(child.target), rest[1:]...)
			if path.IsAbs(child.target) {
				at = "/"
			}
			continue
		}
		at, rest = next, rest[1:]
	}
	return at, m.nodes[at], nil
}

func parts(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(p string) bool { return p == "" || p == "." })
}

func (m *memoryFiles) Stat(name string) (fs.FileInfo, error)  { return m.stat("stat", name, true) }
func (m *memoryFiles) Lstat(name string) (fs.FileInfo, error) { return m.stat("lstat", name, false) }

func (m *memoryFiles) stat(op, name string, follow bool) (fs.FileInfo, error) {
	_, node, err := m.walk(op, name, follow)
	if err != nil {
		return nil, err
	}
	return memoryInfo{path.Base(name), *node}, nil
}

func (m *memoryFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	at, _, err := m.walk("open", name, true)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for _, p := range slices.Sorted(maps.Keys(m.nodes)) {
		if path.Dir(p) == at && p != "/" {
			entries = append(entries, fs.FileInfoToDirEntry(memoryInfo{path.Base(p), *m.nodes[p]}))
		}
	}
	return entries, nil
}

func (m *memoryFiles) ReadFile(name string) ([]byte, error) {
	_, node, err := m.walk("open", name, true)
	if err != nil {
		return nil, err
	}
	if node.mode.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	return slices.Clone(node.content), nil
}

func (m *memoryFiles) ReadBeneath(dir, name string, limit int64) ([]byte, error) {
	return entrypoint.ReadBeneath(m, dir, name, limit)
}

func (m *memoryFiles) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return m.write("open", name, data, perm, false)
}

func (m *memoryFiles) WriteFileAtomic(name string, data []byte, perm fs.FileMode) error {
	return m.write("open", name, data, perm, true)
}

func (m *memoryFiles) write(op, name string, data []byte, perm fs.FileMode, anew bool) error {
	at, node, err := m.walk(op, name, false)
	switch {
	case err != nil && at == "":
		return err
	case m.full && len(data) > 0:
		return &fs.PathError{Op: "write", Path: name, Err: syscall.ENOSPC}
	case node != nil && node.mode.IsDir():
		return &fs.PathError{Op: op, Path: name, Err: syscall.EISDIR}
	case node != nil && !anew && node.mode&fs.ModeSymlink != 0:
		return &fs.PathError{Op: op, Path: name, Err: syscall.ELOOP}
	case node == nil || anew:
		node = &memoryNode{mode: perm}
		m.nodes[at] = node
	}
	node.content = slices.Clone(data)
	return nil
}

func (m *memoryFiles) OpenAppend(name string, perm fs.FileMode) (io.WriteCloser, error) {
	resolved, err := entrypoint.ResolveBeneath(m, path.Dir(name), path.Base(name))
	if err != nil {
		return nil, err
	}
	at, node, err := m.walk("open", resolved, false)
	switch {
	case err != nil && at == "":
		return nil, err
	case node == nil:
		node = &memoryNode{mode: perm &^ m.umask}
		m.nodes[at] = node
	case node.mode.IsDir():
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	}
	return &memoryAppender{m, node, name}, nil
}

type memoryAppender struct {
	files *memoryFiles
	node  *memoryNode
	name  string
}

func (a *memoryAppender) Write(p []byte) (int, error) {
	if a.files.full {
		return 0, &fs.PathError{Op: "write", Path: a.name, Err: syscall.ENOSPC}
	}
	a.node.content = append(a.node.content, p...)
	return len(p), nil
}

func (*memoryAppender) Close() error { return nil }

func (m *memoryFiles) MkdirAll(name string, perm fs.FileMode) error {
	at := "/"
	for _, part := range parts(name) {
		at = path.Join(at, part)
		_, node, err := m.walk("mkdir", at, true)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			m.nodes[at] = &memoryNode{mode: fs.ModeDir | perm&^m.umask}
		case err != nil:
			return err
		case !node.mode.IsDir():
			return &fs.PathError{Op: "mkdir", Path: at, Err: syscall.ENOTDIR}
		}
	}
	return nil
}

func (m *memoryFiles) Symlink(target, link string) error {
	at, node, err := m.walk("symlink", link, false)
	if node != nil {
		return &linkError{target, link, syscall.EEXIST}
	}
	if at == "" {
		return err
	}
	m.nodes[at] = &memoryNode{mode: fs.ModeSymlink | 0o777, target: target}
	return nil
}

// linkError reads as os.LinkError does.
type linkError struct {
	old, new string
	err      error
}

func (e *linkError) Error() string { return "symlink " + e.old + " " + e.new + ": " + e.err.Error() }
func (e *linkError) Unwrap() error { return e.err }

func (m *memoryFiles) Readlink(name string) (string, error) {
	_, node, err := m.walk("readlink", name, false)
	if err != nil {
		return "", err
	}
	if node.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: syscall.EINVAL}
	}
	return node.target, nil
}

type memoryInfo struct {
	name string
	node memoryNode
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return int64(len(i.node.content)) }
func (i memoryInfo) Mode() fs.FileMode  { return i.node.mode }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return i.node.mode.IsDir() }
func (i memoryInfo) Sys() any           { return nil }
