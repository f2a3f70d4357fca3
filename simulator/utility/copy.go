package utility

import (
	"fmt"
	"path"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// copier is a cp at work, or an mv between file systems.
type copier struct {
	*tool
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

// into is where a file goes in a directory. The name of the directory may end in a slash.
func into(dir, file string) string {
	return strings.TrimSuffix(dir, "/") + "/" + path.Base(file)
}

// copyLong are the long options of cp and mv in BusyBox.
func copyLong() map[string]string {
	return map[string]string{"archive": "a", "recursive": "r", "force": "f", "interactive": "i", "link": "l", "dereference": "L", "no-dereference": "P",
		"no-clobber": "n", "symbolic-link": "s", "target-directory": "t:", "no-target-directory": "T", "remove-destination": "!", "update": "u",
		"verbose": "v", "reflink": "~?", "parents": "/"}
}

func cp(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "adfilnprst:uvHLPRT", false, copyLong())
	if !ok {
		return t.end()
	}
	c := &copier{tool: t, deep: has(opts, 'r') || has(opts, 'R') || has(opts, 'a'), keep: has(opts, 'a') || has(opts, 'p'), force: has(opts, 'f') || has(opts, '!'),
		noClobber: has(opts, 'n'), ask: has(opts, 'i') && !has(opts, 'n'), newer: has(opts, 'u'), verbose: has(opts, 'v'), hard: has(opts, 'l'), soft: has(opts, 's')}
	c.links = (c.deep || has(opts, 'd') || has(opts, 'P')) && !has(opts, 'L')
	sources, target, ok := t.destination(names, opts, c.deep)
	if !ok {
		return t.end()
	}
	if has(opts, '/') { // --parents
		dir := names[len(names)-1]
		if has(opts, 't') {
			dir = last(opts, 't')
		}
		if info, err := p.Stat(dir); err != nil || !info.IsDir() {
			return t.fail("with --parents, the destination must be a directory")
		}
		target = func(source string) string {
			to := path.Join(dir, path.Join("/", source))
			if err := p.MkdirAll(path.Dir(to), 0o777); err != nil {
				t.complain("can't create directory '%s': %s", path.Dir(to), message(err))
			}
			return to
		}
	}
	for _, source := range sources {
		c.links = c.links && !has(opts, 'H') // of an operand; not of what lies below
		c.copy(source, target(source))
		c.links = (c.deep || has(opts, 'd') || has(opts, 'P')) && !has(opts, 'L')
	}
	return t.end()
}

// destination splits operands into sources and where each goes. Deep says that directories are copied.
func (t *tool) destination(names []string, opts map[byte][]string, deep bool) (sources []string, target func(source string) string, ok bool) {
	if has(opts, 't') {
		if t.misused(names, 1, -1) {
			return nil, nil, false
		}
		return names, func(s string) string { return into(last(opts, 't'), s) }, true
	}
	if t.misused(names, 2, -1) {
		return nil, nil, false
	}
	dest := names[len(names)-1]
	sources = names[:len(names)-1]
	info, err := t.p.Stat(dest)
	isDir := err == nil && info.IsDir()
	if has(opts, 'T') {
		if len(sources) > 1 {
			t.complain("too many arguments")
			return nil, nil, false
		}
		if source, err := t.p.Lstat(sources[0]); isDir && (err != nil || !source.IsDir()) {
			t.complain("'%s' is a directory", dest)
			return nil, nil, false
		}
		return sources, func(string) string { return dest }, true
	}
	if len(sources) > 1 && !isDir && t.gnu {
		t.complain("target '%s' is not a directory", dest)
		return nil, nil, false
	}
	within := len(sources) > 1 || isDir
	if source, err := t.p.Stat(sources[0]); err == nil && source.IsDir() && !deep && t.name == "cp" {
		within = true
	}
	return sources, func(s string) string {
		if within {
			return into(dest, s)
		}
		return dest
	}, true
}

// copy copies a file, a link or a directory with everything in it. It reports whether all went well.
func (c *copier) copy(from, to string) bool {
	c.p.Spend(container.CommandCost)
	info, err := c.p.Stat(from)
	if c.links {
		info, err = c.p.Lstat(from)
	}
	if err != nil {
		c.complain("can't stat '%s': %s", from, message(err))
		return false
	}
	old, err := c.p.Lstat(to)
	if err != nil && files.Errno(err) != syscall.ENOENT {
		c.complain("can't stat '%s': %s", to, message(err))
		return false
	}
	if other, err := c.p.Stat(to); err == nil && (other.Same(info) || old.Same(info)) && !c.noClobber && !c.soft {
		c.complain("'%s' and '%s' are the same file", from, to)
		return false
	}
	if info.IsDir() {
		return c.directory(from, to, info, old)
	}
	if old != nil {
		if c.noClobber || c.newer && !info.ModTime().After(old.ModTime()) {
			return true
		}
		if c.gnu && (info.Kind() != files.Regular || c.links && old.Kind() == files.Symlink) {
			_ = c.p.Unlink(to)
			old = nil
		}
	}
	switch {
	case c.soft, c.hard:
		create := c.p.Link
		if c.soft {
			create = c.p.Symlink
		}
		return c.link(create, from, to)
	case info.Kind() == files.Symlink:
		target := info.Target()
		if old != nil && !c.mayReplace(to, syscall.EEXIST) {
			return false
		}
		if err := c.p.Symlink(target, to); err != nil {
			c.complain("can't create symlink '%s' to '%s': %s", to, target, message(err))
			return false
		}
		return true
	case info.Kind() == files.Fifo && c.deep:
		if old != nil && !c.mayReplace(to, syscall.EEXIST) {
			return false
		}
		if err := c.p.Mkfifo(to, info.Perm()); err != nil {
			c.complain("can't create '%s': %s", to, message(err))
			return false
		}
	default:
		if c.links && info.Links() > 1 {
			for _, l := range c.linked {
				if l.info.Same(info) {
					return c.link(c.p.Link, l.to, to)
				}
			}
			c.p.Allocate(int64(len(to)) + 64)
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
		c.complain("omitting directory '%s'", from)
		return false
	}
	for _, m := range c.made {
		if m.Same(info) {
			c.complain("recursion detected, omitting directory '%s'", from)
			return false
		}
	}
	if old != nil && old.Kind() == files.Symlink {
		if there, err := c.p.Stat(to); c.gnu && err == nil {
			old = there
		}
	}
	switch {
	case old == nil:
		if err := c.p.Mkdir(to, info.Perm()|0o700); err != nil {
			c.complain("can't create directory '%s': %s", to, message(err))
			return false
		}
		c.p.Allocate(64)
		if now, err := c.p.Lstat(to); err == nil {
			c.made = append(c.made, now)
		}
	case !old.IsDir():
		c.complain("target '%s' is not a directory", to)
		return false
	}
	entries, err := c.p.ReadDir(from)
	if err != nil {
		c.complain("can't open '%s': %s", from, message(err))
		return false
	}
	good := true
	for _, e := range entries {
		good = c.copy(strings.TrimSuffix(from, "/")+"/"+e.Name(), strings.TrimSuffix(to, "/")+"/"+e.Name()) && good
	}
	if old == nil && !c.keep {
		_ = c.p.Chmod(to, info.Perm()&^c.p.Umask)
	}
	c.finish(from, to, info)
	return good
}

// finish gives a copy what of the original is to be kept, and names both if asked to.
func (c *copier) finish(from, to string, info *files.Info) {
	if c.keep {
		_ = c.p.Chown(to, int(info.UID()), int(info.GID()), false)
		_ = c.p.Chmod(to, info.Perm())
		_ = c.p.Chtimes(to, info.ModTime())
	}
	if c.verbose {
		fmt.Fprintf(c.out, "'%s' -> '%s'\n", from, to)
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
		c.complain("can't create link '%s': %s", to, message(err))
	}
	return err == nil
}

// mayReplace removes a file that is in the way, if that is allowed.
func (c *copier) mayReplace(name string, why syscall.Errno) bool {
	if !c.force && !c.ask {
		c.complain("can't create '%s': %s", name, message(why))
		return false
	}
	if c.ask && !c.confirms("overwrite '%s'? ", name) {
		return false
	}
	if err := c.p.Unlink(name); err != nil {
		c.complain("can't remove '%s': %s", name, message(err))
		return false
	}
	return true
}

// content copies what is in a file. Done is false if there was nothing to do, or a failure: then ok tells which.
func (c *copier) content(from, to string, info *files.Info) (done, ok bool) {
	r, closeFile, err := c.open(from)
	if err != nil {
		c.complain("can't open '%s': %s", from, message(err))
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
	fd, err := c.p.OpenFile(to, flags, mode)
	if err != nil {
		asked := c.ask
		if !c.mayReplace(to, files.Errno(err)) {
			return false, asked
		}
		if fd, err = c.p.OpenFile(to, files.Write|files.Create|files.Exclusive, mode); err != nil {
			c.complain("can't open '%s': %s", to, message(err))
			return false, false
		}
	}
	defer c.p.Close(fd)
	buf := make([]byte, 32<<10)
	for {
		n, rerr := r.Read(buf)
		if n > 0 {
			if _, err := c.p.Write(fd, buf[:n]); err != nil {
				c.complain("write error: %s", message(err))
				return false, false
			}
		}
		if rerr != nil {
			return true, true
		}
	}
}

// confirms asks a question on standard error and reads the answer's line. Only one that begins with y is a yes.
func (t *tool) confirms(format string, args ...any) bool {
	_ = t.out.Flush()
	fmt.Fprintf(t.p.Stderr(), t.name+": "+format, args...)
	var first byte
	one := make([]byte, 1)
	for {
		n, err := t.p.Stdin().Read(one)
		if n == 0 && err != nil || n > 0 && one[0] == '\n' {
			return first == 'y' || first == 'Y'
		}
		if n > 0 && first == 0 && one[0] != ' ' && one[0] != '\t' {
			first = one[0]
		}
	}
}

func mv(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "finvTt:", false, map[string]string{"interactive": "i", "force": "f", "no-clobber": "n", "verbose": "v",
		"target-directory": "t:", "no-target-directory": "T"})
	if !ok {
		return t.end()
	}
	sources, target, ok := t.destination(names, opts, true)
	if !ok {
		return t.end()
	}
	ask, noClobber := false, false
	for _, letter := range t.given { // the last one counts
		switch letter {
		case 'f':
			ask, noClobber = false, false
		case 'i':
			ask, noClobber = true, false
		case 'n':
			ask, noClobber = false, true
		}
	}
	for _, source := range sources {
		to := target(source)
		_, err := p.Lstat(to)
		if err != nil && files.Errno(err) != syscall.ENOENT {
			t.complain("can't stat '%s': %s", to, message(err))
			continue
		}
		var good bool
		switch {
		case err == nil && noClobber:
			good = !t.gnu
		case err == nil && ask && !t.confirms("overwrite '%s'? ", to):
			good = !t.gnu
		default:
			good = t.move(source, to) || !t.gnu
		}
		if has(opts, 'v') && good {
			if t.gnu {
				t.out.WriteString("renamed ")
			}
			fmt.Fprintf(t.out, "'%s' -> '%s'\n", source, to)
		}
	}
	return t.end()
}

// move renames a file, or copies and removes it if the new name is on another file system.
func (t *tool) move(from, to string) bool {
	err := t.p.Rename(from, to)
	if err != nil && files.Errno(err) == syscall.EXDEV {
		c := copier{tool: t, deep: true, keep: true, links: true, force: true}
		return c.copy(from, to) && t.remove(from, removal{force: true, deep: true})
	}
	if err != nil {
		t.complain("can't rename '%s': %s", from, message(err))
	}
	return err == nil
}

func ln(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "bfnsvS:T", false, nil)
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	dest := names[len(names)-1]
	sources := names[:max(1, len(names)-1)]
	switch {
	case has(opts, 't'):
		dest, sources = last(opts, 't'), names
	case len(names) == 1:
		dest = path.Base(dest)
	case has(opts, 'T') && len(names) > 2:
		return t.fail("-T accepts 2 args max")
	}
	info, err := p.Stat(dest)
	if has(opts, 'n') {
		info, err = p.Lstat(dest)
	}
	isDir := err == nil && info.IsDir() && !has(opts, 'T')
	if t.gnu && len(sources) > 1 && !isDir {
		return t.fail("target '%s' is not a directory", dest)
	}
	if there, err := p.Lstat(dest); err == nil && there.IsDir() && has(opts, 'T') {
		return t.fail("'%s' is a directory", dest)
	}
	for _, source := range sources {
		to := dest
		if isDir {
			to = into(dest, source)
		}
		t.makeLink(opts, source, to)
	}
	return t.end()
}

// makeLink makes one link of ln.
func (t *tool) makeLink(opts map[byte][]string, source, to string) {
	create := t.p.Link
	if has(opts, 's') {
		create = t.p.Symlink
		if has(opts, 'r') { // --relative
			from, err := t.canonical(path.Dir(to), anyMayMiss)
			target, err2 := t.canonical(source, anyMayMiss)
			if err == nil && err2 == nil {
				source = relative(from, target)
			}
		}
	} else if _, err := t.p.Lstat(source); err != nil {
		t.failed(source, err)
		return
	}
	if _, err := t.p.Lstat(to); err == nil && (has(opts, 'b') || has(opts, 'S')) {
		suffix := "~"
		if has(opts, 'S') {
			suffix = last(opts, 'S')
		}
		if err := t.p.Rename(to, to+suffix); err != nil {
			t.failed(to, err)
			return
		}
	}
	if has(opts, 'f') {
		_ = t.p.Unlink(to)
	}
	if has(opts, 'v') {
		fmt.Fprintf(t.out, "'%s' -> '%s'\n", to, source)
	}
	if err := create(source, to); err != nil {
		t.failed(to, err)
	}
}
