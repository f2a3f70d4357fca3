package utility

import (
	"fmt"
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// usage is a du at work.
type usage struct {
	*tool
	opts map[byte][]string
	deep int // how deep directories are shown
	seen []*files.Info
}

func du(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "aHLd:cbhklmsx", false, nil)
	if !ok {
		return t.end()
	}
	u := &usage{tool: t, opts: opts}
	if u.deep, ok = t.within(opts, 'd', 1<<30, 0, 1<<30); !ok {
		return t.end()
	}
	if has(opts, 's') {
		u.deep = 0
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	total := int64(0)
	for _, name := range names {
		info, err := p.Lstat(name)
		if has(opts, 'H') || has(opts, 'L') {
			info, err = p.Stat(name)
		}
		if err != nil {
			t.failed(name, err)
			continue
		}
		u.seen = nil
		total += u.measure(name, info, 0)
	}
	if has(opts, 'c') {
		u.show(total, "total")
	}
	return t.end()
}

// measure adds up a file and what is below it: blocks of 512 bytes, or bytes with -b. A file with several names counts
// once.
func (u *usage) measure(name string, info *files.Info, depth int) int64 {
	total := info.Blocks()
	if has(u.opts, 'b') {
		total = info.Size()
	}
	if !info.IsDir() && info.Links() > 1 && !has(u.opts, 'l') {
		if within(u.seen, info) {
			return 0
		}
		u.p.Allocate(16)
		u.seen = append(u.seen, info)
	}
	if info.IsDir() {
		entries, err := u.p.ReadDir(name)
		if err != nil {
			u.failed(name, err)
		}
		for _, e := range entries {
			file := strings.TrimSuffix(name, "/") + "/" + e.Name()
			if to, err := u.p.Stat(file); has(u.opts, 'L') && err == nil {
				e = to
			}
			total += u.measure(file, e, depth+1)
		}
	}
	if depth == 0 || depth <= u.deep && (info.IsDir() || has(u.opts, 'a')) {
		u.show(total, name)
	}
	return total
}

func (u *usage) show(n int64, name string) {
	unit := int64(2) // blocks
	if has(u.opts, 'm') {
		unit = 2048
	}
	switch {
	case has(u.opts, 'h') && has(u.opts, 'b'):
		fmt.Fprintf(u.out, "%s\t%s\n", u.human(n), name)
	case has(u.opts, 'h'):
		fmt.Fprintf(u.out, "%s\t%s\n", u.human(n*512), name)
	case has(u.opts, 'b'):
		fmt.Fprintf(u.out, "%d\t%s\n", n, name)
	default:
		fmt.Fprintf(u.out, "%d\t%s\n", (n+unit-1)/unit, name)
	}
}

func df(p *container.Process, args []string) int {
	t := begin(p, args)
	_, names, ok := t.options(args, "hkmPTai", false, nil)
	if !ok {
		return t.end()
	}
	t.out.WriteString("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
	const total = 10 << 20
	row := func(source, at string, used, limit int64) {
		size := int64(total)
		if limit > 0 {
			size = limit / 1024
		}
		use := used / 1024
		fmt.Fprintf(t.out, "%-20s %9d %9d %9d %3d%% %s\n", source, size, use, size-use, use*100/max(size, 1), at)
	}
	for _, m := range p.Container().View().Mounts() {
		if len(names) > 0 {
			continue
		}
		used, limit, _, err := p.SpaceOf(m.Path)
		if err == nil {
			row(m.Source, m.Path, used, limit)
		}
	}
	for _, name := range names {
		used, limit, at, err := p.SpaceOf(name)
		if err != nil {
			t.complain("%s: can't find mount point: %s", name, message(err))
			continue
		}
		for _, m := range p.Container().View().Mounts() {
			if path.Clean(m.Path) == at {
				row(m.Source, at, used, limit)
				break
			}
		}
	}
	return t.end()
}

func mount(p *container.Process, args []string) int {
	t := begin(p, args)
	if len(args) > 1 {
		return t.fail("permission denied (are you root?)")
	}
	t.out.WriteString(p.Container().View().MountTable())
	return t.end()
}
