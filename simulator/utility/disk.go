package utility

import (
	"fmt"
	"path"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

func du(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "sahkmbcd:x", false, nil)
	if !ok {
		return t.end()
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	show := func(blocks int64, name string) {
		if has(opts, 'h') {
			fmt.Fprintf(t.out, "%s\t%s\n", human(blocks*512), name)
		} else {
			fmt.Fprintf(t.out, "%d\t%s\n", blocks/2, name)
		}
	}
	var measure func(name string, info *files.Info, top bool) int64
	measure = func(name string, info *files.Info, top bool) int64 {
		total := info.Blocks()
		if info.IsDir() {
			entries, _ := p.ReadDir(name)
			for _, e := range entries {
				total += measure(path.Join(name, e.Name()), e, false)
			}
		}
		if top || !has(opts, 's') && (info.IsDir() || has(opts, 'a')) {
			show(total, name)
		}
		return total
	}
	for _, name := range names {
		info, err := p.Lstat(name)
		if err != nil {
			t.failed(name, err)
			continue
		}
		measure(name, info, true)
	}
	return t.end()
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
