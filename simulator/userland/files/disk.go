package files

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// usage is a du at work.
type usage struct {
	*kit.Tool
	opts map[byte][]string
	deep int // how deep directories are shown
	seen []*files.Info
}

// Du is the utility du.
func Du(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "aHLd:cbhklmsx", false, nil)
	if !ok {
		return t.End()
	}
	u := &usage{Tool: t, opts: opts}
	if u.deep, ok = t.Within(opts, 'd', 1<<30, 0, 1<<30); !ok {
		return t.End()
	}
	if kit.Has(opts, 's') {
		u.deep = 0
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	total := int64(0)
	for _, name := range names {
		info, err := p.Lstat(name)
		if kit.Has(opts, 'H') || kit.Has(opts, 'L') {
			info, err = p.Stat(name)
		}
		if err != nil {
			t.Failed(name, err)
			continue
		}
		u.seen = nil
		total += u.measure(name, info, 0)
	}
	if kit.Has(opts, 'c') {
		u.show(total, "total")
	}
	return t.End()
}

// measure adds up a file and what is below it: blocks of 512 bytes, or bytes with -b. A file with several names counts
// once.
func (u *usage) measure(name string, info *files.Info, depth int) int64 {
	total := info.Blocks()
	if kit.Has(u.opts, 'b') {
		total = info.Size()
	}
	if !info.IsDir() && info.Links() > 1 && !kit.Has(u.opts, 'l') {
		if within(u.seen, info) {
			return 0
		}
		u.P.Allocate(16)
		u.seen = append(u.seen, info)
	}
	if info.IsDir() {
		entries, err := u.P.ReadDir(name)
		if err != nil {
			u.Failed(name, err)
		}
		for _, e := range entries {
			file := strings.TrimSuffix(name, "/") + "/" + e.Name()
			if to, err := u.P.Stat(file); kit.Has(u.opts, 'L') && err == nil {
				e = to
			}
			total += u.measure(file, e, depth+1)
		}
	}
	if depth == 0 || depth <= u.deep && (info.IsDir() || kit.Has(u.opts, 'a')) {
		u.show(total, name)
	}
	return total
}

func (u *usage) show(n int64, name string) {
	unit := int64(2) // blocks
	if kit.Has(u.opts, 'm') {
		unit = 2048
	}
	switch {
	case kit.Has(u.opts, 'h') && kit.Has(u.opts, 'b'):
		fmt.Fprintf(u.Out, "%s\t%s\n", humanOf(u.Tool, n), name)
	case kit.Has(u.opts, 'h'):
		fmt.Fprintf(u.Out, "%s\t%s\n", humanOf(u.Tool, n*512), name)
	case kit.Has(u.opts, 'b'):
		fmt.Fprintf(u.Out, "%d\t%s\n", n, name)
	default:
		fmt.Fprintf(u.Out, "%d\t%s\n", (n+unit-1)/unit, name)
	}
}

// Df is the utility df.
func Df(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	_, names, ok := t.Options(args, "hkmPTai", false, nil)
	if !ok {
		return t.End()
	}
	t.Out.WriteString("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
	const total = 10 << 20
	row := func(source, at string, used, limit int64) {
		size := int64(total)
		if limit > 0 {
			size = limit / 1024
		}
		use := used / 1024
		fmt.Fprintf(t.Out, "%-20s %9d %9d %9d %3d%% %s\n", source, size, use, size-use, use*100/max(size, 1), at)
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
			t.Complain("%s: can't find mount point: %s", name, kit.Message(err))
			continue
		}
		for _, m := range p.Container().View().Mounts() {
			if path.Clean(m.Path) == at {
				row(m.Source, at, used, limit)
				break
			}
		}
	}
	return t.End()
}

// Mount is the utility mount.
func Mount(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if len(args) > 1 {
		return t.Fail("permission denied (are you root?)")
	}
	t.Out.WriteString(p.Container().View().MountTable())
	return t.End()
}

// Mountpoint is the utility mountpoint.
func Mountpoint(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "qdnx", false, nil)
	if !ok || t.Misused(names, 1, 1) {
		return t.End()
	}
	clean, err := p.RealPath(names[0])
	if err != nil {
		t.Failed(names[0], err)
		return t.End()
	}
	is := slices.ContainsFunc(p.View.Mounts(), func(m files.Mount) bool { return m.Path == clean })
	t.Status = kit.Btoi(!is)
	if !kit.Has(opts, 'q') {
		if is {
			t.Out.WriteString(names[0] + " is a mountpoint\n")
		} else {
			t.Out.WriteString(names[0] + " is not a mountpoint\n")
		}
	}
	return t.End()
}
