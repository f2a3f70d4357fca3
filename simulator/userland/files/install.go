package files

import (
	"path"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Install copies files and sets their mode, or makes directories.
func Install(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "cdDpsm:o:g:t:", false, nil)
	if !ok {
		return t.End()
	}
	mode := uint64(0o755)
	if kit.Has(opts, 'm') {
		var err error
		if mode, err = strconv.ParseUint(kit.Last(opts, 'm'), 8, 16); err != nil {
			return t.Fail("invalid mode '%s'", kit.Last(opts, 'm'))
		}
	}
	if kit.Has(opts, 'd') {
		for _, name := range names {
			if err := p.MkdirAll(name, 0o755); err != nil {
				t.Failed(name, err)
			} else if err := p.Chmod(name, uint16(mode)); err != nil {
				t.Failed(name, err)
			}
		}
		return t.End()
	}
	target := kit.Last(opts, 't')
	if target == "" && len(names) > 1 {
		target, names = names[len(names)-1], names[:len(names)-1]
	}
	if target == "" || len(names) == 0 {
		return t.Usage()
	}
	for _, name := range names {
		to := target
		if info, err := p.Stat(target); err == nil && info.IsDir() || kit.Has(opts, 't') {
			to = path.Join(target, path.Base(name))
		}
		if kit.Has(opts, 'D') {
			if err := p.MkdirAll(path.Dir(to), 0o755); err != nil {
				t.Failed(to, err)
			}
		}
		data, err := p.ReadFile(name)
		if err == nil {
			_ = p.Unlink(to)
			err = p.WriteFile(to, data, 0o600)
		}
		if err == nil {
			err = p.Chmod(to, uint16(mode))
		}
		if err != nil {
			t.Failed(name, err)
		}
	}
	return t.End()
}
