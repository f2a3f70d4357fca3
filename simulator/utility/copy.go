package utility

import (
	"path"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// destination splits operands into sources and where each goes.
func (t *tool) destination(names []string, into string, noDir bool) (sources []string, target func(source string) string, ok bool) {
	if into != "" {
		return names, func(s string) string { return path.Join(into, path.Base(s)) }, true
	}
	if len(names) < 2 {
		t.complain("missing operand")
		return nil, nil, false
	}
	dest := names[len(names)-1]
	sources = names[:len(names)-1]
	info, err := t.p.Stat(dest)
	isDir := err == nil && info.IsDir() && !noDir
	if len(sources) > 1 && !isDir {
		t.complain("target '%s' is not a directory", dest)
		return nil, nil, false
	}
	return sources, func(s string) string {
		if isDir {
			return strings.TrimSuffix(dest, "/") + "/" + path.Base(s)
		}
		return dest
	}, true
}

func mv(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "finvTt:", false, nil)
	if !ok {
		return t.end()
	}
	sources, target, ok := t.destination(names, last(opts, 't'), has(opts, 'T'))
	if !ok {
		return t.end()
	}
	for _, source := range sources {
		to := target(source)
		if _, err := p.Lstat(to); err == nil && has(opts, 'n') {
			continue
		}
		err := p.Rename(source, to)
		if err != nil && files.Errno(err) == syscall.EXDEV {
			t.copyTree(source, to, true, true, 0)
			if t.status == 0 {
				t.remove(source, true, true)
			}
			continue
		}
		if err != nil {
			t.complain("can't rename '%s': %s", source, message(err))
		}
	}
	return t.end()
}

func cp(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "adfiLHPpRrnsTt:vul", false, map[string]string{"recursive": "r", "archive": "a"})
	if !ok {
		return t.end()
	}
	sources, target, ok := t.destination(names, last(opts, 't'), has(opts, 'T'))
	if !ok {
		return t.end()
	}
	if has(opts, '/') { // --parents
		into := names[len(names)-1]
		target = func(source string) string {
			to := path.Join(into, path.Dir(path.Join("/", source)))
			if err := p.MkdirAll(to, 0o755); err != nil {
				t.complain("cannot make directory '%s': %s", to, message(err))
			}
			return path.Join(to, path.Base(source))
		}
	}
	deep := has(opts, 'r') || has(opts, 'R') || has(opts, 'a')
	keep := has(opts, 'a') || has(opts, 'p')
	for _, source := range sources {
		to := target(source)
		if _, err := p.Lstat(to); err == nil && has(opts, 'n') {
			continue
		}
		info, err := p.Stat(source)
		if links := has(opts, 'a') || has(opts, 'd') || has(opts, 'P') || deep && !has(opts, 'L'); links {
			info, err = p.Lstat(source)
		}
		if err != nil {
			t.complain("can't stat '%s': %s", source, message(err))
			continue
		}
		if info.IsDir() && !deep {
			t.complain("omitting directory '%s'", source)
			continue
		}
		if other, err := p.Stat(to); err == nil && other.Same(info) {
			t.complain("'%s' and '%s' are the same file", source, to)
			continue
		}
		t.copyTree(source, to, keep, deep && !has(opts, 'L') || has(opts, 'd') || has(opts, 'P'), 0)
	}
	return t.end()
}

// copyTree copies a file, a link or a directory with everything in it.
func (t *tool) copyTree(from, to string, keep, links bool, depth int) {
	info, err := t.p.Stat(from)
	if links {
		info, err = t.p.Lstat(from)
	}
	if err != nil {
		t.complain("can't stat '%s': %s", from, message(err))
		return
	}
	if depth > 200 {
		t.complain("recursion detected, omitting directory '%s'", from)
		return
	}
	t.p.Spend(container.CommandCost)
	switch info.Kind() {
	case files.Directory:
		if existing, err := t.p.Stat(to); err != nil {
			if err := t.p.Mkdir(to, info.Perm()|0o700); err != nil {
				t.complain("can't create directory '%s': %s", to, message(err))
				return
			}
		} else if !existing.IsDir() {
			t.complain("target '%s' is not a directory", to)
			return
		}
		entries, err := t.p.ReadDir(from)
		if err != nil {
			t.complain("can't open '%s': %s", from, message(err))
		}
		for _, e := range entries {
			t.copyTree(from+"/"+e.Name(), to+"/"+e.Name(), keep, links, depth+1)
		}
		if !keep {
			_ = t.p.Chmod(to, info.Perm()&^t.p.Umask)
		}
	case files.Symlink:
		target, _ := t.p.Readlink(from)
		if _, err := t.p.Lstat(to); err == nil {
			_ = t.p.Unlink(to)
		}
		if err := t.p.Symlink(target, to); err != nil {
			t.complain("can't create symlink '%s' to '%s': %s", to, target, message(err))
		}
		return
	case files.Fifo:
		if err := t.p.Mkfifo(to, info.Perm()); err != nil {
			t.complain("can't create '%s': %s", to, message(err))
		}
	default:
		t.copyFile(from, to, info)
	}
	if keep {
		_ = t.p.Chown(to, int(info.UID()), int(info.GID()), false)
		_ = t.p.Chmod(to, info.Perm())
		_ = t.p.Chtimes(to, info.ModTime())
	}
}

func (t *tool) copyFile(from, to string, info *files.Info) {
	r, done, err := t.open(from)
	if err != nil {
		t.complain("can't open '%s': %s", from, message(err))
		return
	}
	defer done()
	fd, err := t.p.OpenFile(to, files.Write|files.Create|files.Truncate, info.Perm()&0o777)
	if err != nil {
		t.complain("can't create '%s': %s", to, message(err))
		return
	}
	defer t.p.Close(fd)
	buf := make([]byte, 32<<10)
	for {
		n, rerr := r.Read(buf)
		if n > 0 {
			if _, err := t.p.Write(fd, buf[:n]); err != nil {
				t.complain("write error: %s", message(err))
				return
			}
		}
		if rerr != nil {
			return
		}
	}
}

func ln(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "sfnvTb", false, nil)
	if !ok {
		return t.end()
	}
	if len(names) == 1 {
		names = append(names, path.Base(names[0]))
	}
	noDir := has(opts, 'T')
	if has(opts, 'n') && len(names) == 2 {
		if info, err := p.Lstat(names[1]); err == nil && info.Kind() == files.Symlink {
			noDir = true
		}
	}
	sources, target, ok := t.destination(names, last(opts, 't'), noDir)
	if !ok {
		return t.end()
	}
	for _, source := range sources {
		to := target(source)
		if has(opts, 'f') {
			_ = p.Unlink(to)
		}
		var err error
		if has(opts, 's') {
			err = p.Symlink(source, to)
		} else {
			err = p.Link(source, to)
		}
		if err != nil {
			t.complain("%s: %s", to, message(err))
		}
	}
	return t.end()
}
