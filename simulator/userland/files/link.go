package files

import (
	"fmt"
	"path"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Ln is the utility ln.
func Ln(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "bfnsvS:T", false, nil)
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	dest := names[len(names)-1]
	sources := names[:max(1, len(names)-1)]
	switch {
	case kit.Has(opts, 't'):
		dest, sources = kit.Last(opts, 't'), names
	case len(names) == 1:
		dest = path.Base(dest)
	case kit.Has(opts, 'T') && len(names) > 2:
		return t.Fail("-T accepts 2 args max")
	}
	info, err := p.Stat(dest)
	if kit.Has(opts, 'n') {
		info, err = p.Lstat(dest)
	}
	isDir := err == nil && info.IsDir() && !kit.Has(opts, 'T')
	if t.GNU && len(sources) > 1 && !isDir {
		return t.Fail("target '%s' is not a directory", dest)
	}
	if there, err := p.Lstat(dest); err == nil && there.IsDir() && kit.Has(opts, 'T') {
		return t.Fail("'%s' is a directory", dest)
	}
	for _, source := range sources {
		to := dest
		if isDir {
			to = kit.Into(dest, source)
		}
		makeLink(t, opts, source, to)
	}
	return t.End()
}

// makeLink makes one link of ln.
func makeLink(t *kit.Tool, opts map[byte][]string, source, to string) {
	create := t.P.Link
	if kit.Has(opts, 's') {
		create = t.P.Symlink
		if kit.Has(opts, 'r') { // --relative
			from, err := canonical(t, path.Dir(to), anyMayMiss)
			target, err2 := canonical(t, source, anyMayMiss)
			if err == nil && err2 == nil {
				source = relative(from, target)
			}
		}
	} else if _, err := t.P.Lstat(source); err != nil {
		t.Failed(source, err)
		return
	}
	if _, err := t.P.Lstat(to); err == nil && (kit.Has(opts, 'b') || kit.Has(opts, 'S')) {
		suffix := "~"
		if kit.Has(opts, 'S') {
			suffix = kit.Last(opts, 'S')
		}
		if err := t.P.Rename(to, to+suffix); err != nil {
			t.Failed(to, err)
			return
		}
	}
	if kit.Has(opts, 'f') {
		_ = t.P.Unlink(to)
	}
	if kit.Has(opts, 'v') {
		fmt.Fprintf(t.Out, "'%s' -> '%s'\n", to, source)
	}
	if err := create(source, to); err != nil {
		t.Failed(to, err)
	}
}
