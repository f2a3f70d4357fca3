package files

import (
	"fmt"
	"path"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// copier is a cp at work, or an mv between file systems.
type copier struct {
	*kit.Tool
	links      bool // copy symbolic links, rather than what they point to
	deep       bool // copy directories
	keep       bool // keep times, owners and modes
	force      bool // remove what cannot be opened
	noClobber  bool
	ask        bool
	newer      bool // only over files that are older
	verbose    bool
	hard, soft bool          // make links instead of copies
	made       []*files.Info // the directories that were made, to notice a copy into itself
	linked     []linkedFile
}

// linkedFile is a file with several names, and where it was copied to first.
type linkedFile struct {
	info *files.Info
	to   string
}

// copyLong are the long options of cp and mv in BusyBox.
func copyLong() map[string]string {
	return map[string]string{"archive": "a", "recursive": "r", "force": "f", "interactive": "i", "link": "l", "dereference": "L", "no-dereference": "P",
		"no-clobber": "n", "symbolic-link": "s", "target-directory": "t:", "no-target-directory": "T", "remove-destination": "!", "update": "u",
		"verbose": "v", "reflink": "~?", "parents": "/"}
}

// Cp is the utility cp.
func Cp(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "adfilnprst:uvHLPRT", false, copyLong())
	if !ok {
		return t.End()
	}
	c := &copier{Tool: t, deep: kit.Has(opts, 'r') || kit.Has(opts, 'R') || kit.Has(opts, 'a'), keep: kit.Has(opts, 'a') || kit.Has(opts, 'p'), force: kit.Has(opts, 'f') || kit.Has(opts, '!'),
		noClobber: kit.Has(opts, 'n'), ask: kit.Has(opts, 'i') && !kit.Has(opts, 'n'), newer: kit.Has(opts, 'u'), verbose: kit.Has(opts, 'v'), hard: kit.Has(opts, 'l'), soft: kit.Has(opts, 's')}
	c.links = (c.deep || kit.Has(opts, 'd') || kit.Has(opts, 'P')) && !kit.Has(opts, 'L')
	sources, target, ok := destination(t, names, opts, c.deep)
	if !ok {
		return t.End()
	}
	if kit.Has(opts, '/') { // --parents
		dir := names[len(names)-1]
		if kit.Has(opts, 't') {
			dir = kit.Last(opts, 't')
		}
		if info, err := p.Stat(dir); err != nil || !info.IsDir() {
			return t.Fail("with --parents, the destination must be a directory")
		}
		target = func(source string) string {
			to := path.Join(dir, path.Join("/", source))
			if err := p.MkdirAll(path.Dir(to), 0o777); err != nil {
				t.Complain("can't create directory '%s': %s", path.Dir(to), kit.Message(err))
			}
			return to
		}
	}
	for _, source := range sources {
		c.links = c.links && !kit.Has(opts, 'H') // of an operand; not of what lies below
		c.copy(source, target(source))
		c.links = (c.deep || kit.Has(opts, 'd') || kit.Has(opts, 'P')) && !kit.Has(opts, 'L')
	}
	return t.End()
}

// destination splits operands into sources and where each goes. Deep says that directories are copied.
func destination(t *kit.Tool, names []string, opts map[byte][]string, deep bool) (sources []string, target func(source string) string, ok bool) {
	if kit.Has(opts, 't') {
		if t.Misused(names, 1, -1) {
			return nil, nil, false
		}
		return names, func(s string) string { return kit.Into(kit.Last(opts, 't'), s) }, true
	}
	if t.Misused(names, 2, -1) {
		return nil, nil, false
	}
	dest := names[len(names)-1]
	sources = names[:len(names)-1]
	info, err := t.P.Stat(dest)
	isDir := err == nil && info.IsDir()
	if kit.Has(opts, 'T') {
		if len(sources) > 1 {
			t.Complain("too many arguments")
			return nil, nil, false
		}
		if source, err := t.P.Lstat(sources[0]); isDir && (err != nil || !source.IsDir()) {
			t.Complain("'%s' is a directory", dest)
			return nil, nil, false
		}
		return sources, func(string) string { return dest }, true
	}
	if len(sources) > 1 && !isDir && t.GNU {
		t.Complain("target '%s' is not a directory", dest)
		return nil, nil, false
	}
	within := len(sources) > 1 || isDir
	if source, err := t.P.Stat(sources[0]); err == nil && source.IsDir() && !deep && t.Name == "cp" {
		within = true
	}
	return sources, func(s string) string {
		if within {
			return kit.Into(dest, s)
		}
		return dest
	}, true
}

// copy copies a file, a link or a directory with everything in it. It reports whether all went well.
func (c *copier) copy(from, to string) bool {
	c.P.Spend(container.CommandCost)
	info, err := c.P.Stat(from)
	if c.links {
		info, err = c.P.Lstat(from)
	}
	if err != nil {
		c.Complain("can't stat '%s': %s", from, kit.Message(err))
		return false
	}
	old, err := c.P.Lstat(to)
	if err != nil && files.Errno(err) != syscall.ENOENT {
		c.Complain("can't stat '%s': %s", to, kit.Message(err))
		return false
	}
	if other, err := c.P.Stat(to); err == nil && (other.Same(info) || old.Same(info)) && !c.noClobber && !c.soft {
		c.Complain("'%s' and '%s' are the same file", from, to)
		return false
	}
	if info.IsDir() {
		return c.directory(from, to, info, old)
	}
	if old != nil {
		if c.noClobber || c.newer && !info.ModTime().After(old.ModTime()) {
			return true
		}
		if c.GNU && (info.Kind() != files.Regular || c.links && old.Kind() == files.Symlink) {
			_ = c.P.Unlink(to)
			old = nil
		}
	}
	switch {
	case c.soft, c.hard:
		create := c.P.Link
		if c.soft {
			create = c.P.Symlink
		}
		return c.link(create, from, to)
	case info.Kind() == files.Symlink:
		target := info.Target()
		if old != nil && !c.mayReplace(to, syscall.EEXIST) {
			return false
		}
		if err := c.P.Symlink(target, to); err != nil {
			c.Complain("can't create symlink '%s' to '%s': %s", to, target, kit.Message(err))
			return false
		}
		return true
	case info.Kind() == files.Fifo && c.deep:
		if old != nil && !c.mayReplace(to, syscall.EEXIST) {
			return false
		}
		if err := c.P.Mkfifo(to, info.Perm()); err != nil {
			c.Complain("can't create '%s': %s", to, kit.Message(err))
			return false
		}
	default:
		if c.links && info.Links() > 1 {
			for _, l := range c.linked {
				if l.info.Same(info) {
					return c.link(c.P.Link, l.to, to)
				}
			}
			c.P.Allocate(int64(len(to)) + 64)
			c.linked = append(c.linked, linkedFile{info, to})
		}
		if done, ok := c.content(from, to, info); !done {
			return ok
		}
	}
	c.finish(from, to, info)
	return true
}

// directory copies a directory, and what is in it.
func (c *copier) directory(from, to string, info, old *files.Info) bool {
	if !c.deep {
		c.Complain("omitting directory '%s'", from)
		return false
	}
	for _, m := range c.made {
		if m.Same(info) {
			c.Complain("recursion detected, omitting directory '%s'", from)
			return false
		}
	}
	if old != nil && old.Kind() == files.Symlink {
		if there, err := c.P.Stat(to); c.GNU && err == nil {
			old = there
		}
	}
	switch {
	case old == nil:
		if err := c.P.Mkdir(to, info.Perm()|0o700); err != nil {
			c.Complain("can't create directory '%s': %s", to, kit.Message(err))
			return false
		}
		c.P.Allocate(64)
		if now, err := c.P.Lstat(to); err == nil {
			c.made = append(c.made, now)
		}
	case !old.IsDir():
		c.Complain("target '%s' is not a directory", to)
		return false
	}
	entries, err := c.P.ReadDir(from)
	if err != nil {
		c.Complain("can't open '%s': %s", from, kit.Message(err))
		return false
	}
	good := true
	for _, e := range entries {
		good = c.copy(strings.TrimSuffix(from, "/")+"/"+e.Name(), strings.TrimSuffix(to, "/")+"/"+e.Name()) && good
	}
	if old == nil && !c.keep {
		_ = c.P.Chmod(to, info.Perm()&^c.P.Umask)
	}
	c.finish(from, to, info)
	return good
}

// finish gives a copy what of the original is to be kept, and names both if asked to.
func (c *copier) finish(from, to string, info *files.Info) {
	if c.keep {
		_ = c.P.Chown(to, int(info.UID()), int(info.GID()), false)
		_ = c.P.Chmod(to, info.Perm())
		_ = c.P.Chtimes(to, info.ModTime())
	}
	if c.verbose {
		fmt.Fprintf(c.Out, "'%s' -> '%s'\n", from, to)
	}
}

// link makes a link of either kind.
func (c *copier) link(create func(old, name string) error, from, to string) bool {
	err := create(from, to)
	if err != nil {
		if !c.mayReplace(to, files.Errno(err)) {
			return false
		}
		err = create(from, to)
	}
	if err != nil {
		c.Complain("can't create link '%s': %s", to, kit.Message(err))
	}
	return err == nil
}

// mayReplace removes a file that is in the way, if that is allowed.
func (c *copier) mayReplace(name string, why syscall.Errno) bool {
	if !c.force && !c.ask {
		c.Complain("can't create '%s': %s", name, kit.Message(why))
		return false
	}
	if c.ask && !confirms(c.Tool, "overwrite '%s'? ", name) {
		return false
	}
	if err := c.P.Unlink(name); err != nil {
		c.Complain("can't remove '%s': %s", name, kit.Message(err))
		return false
	}
	return true
}

// content copies what is in a file. Done is false if there was nothing to do, or a failure: then ok tells which.
func (c *copier) content(from, to string, info *files.Info) (done, ok bool) {
	r, closeFile, err := c.Open(from)
	if err != nil {
		c.Complain("can't open '%s': %s", from, kit.Message(err))
		return false, false
	}
	defer closeFile()
	mode := info.Perm() & 0o777
	if info.Kind() != files.Regular {
		mode = 0o666
	}
	flags := files.Write | files.Create | files.Truncate
	if c.ask {
		flags = files.Write | files.Create | files.Exclusive
	}
	fd, err := c.P.OpenFile(to, flags, mode)
	if err != nil {
		asked := c.ask
		if !c.mayReplace(to, files.Errno(err)) {
			return false, asked
		}
		if fd, err = c.P.OpenFile(to, files.Write|files.Create|files.Exclusive, mode); err != nil {
			c.Complain("can't open '%s': %s", to, kit.Message(err))
			return false, false
		}
	}
	defer c.P.Close(fd)
	buf := make([]byte, 32<<10)
	for {
		n, rerr := r.Read(buf)
		if n > 0 {
			if _, err := c.P.Write(fd, buf[:n]); err != nil {
				c.Complain("write error: %s", kit.Message(err))
				return false, false
			}
		}
		if rerr != nil {
			return true, true
		}
	}
}

// confirms asks a question on standard error and reads the answer's line. Only one that begins with y is a yes.
func confirms(t *kit.Tool, format string, args ...any) bool {
	_ = t.Out.Flush()
	fmt.Fprintf(t.P.Stderr(), t.Name+": "+format, args...)
	var first byte
	one := make([]byte, 1)
	for {
		n, err := t.P.Stdin().Read(one)
		if n == 0 && err != nil || n > 0 && one[0] == '\n' {
			return first == 'y' || first == 'Y'
		}
		if n > 0 && first == 0 && one[0] != ' ' && one[0] != '\t' {
			first = one[0]
		}
	}
}
