package files

import (
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Touch is the utility touch.
func Touch(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "acd:fhmr:t:", false, map[string]string{"no-create": "c", "date": "d:", "reference": "r:", "no-dereference": "h"})
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	when := p.Now()
	if kit.Has(opts, 'r') {
		info, err := p.Stat(kit.Last(opts, 'r'))
		if err != nil {
			t.Failed(kit.Last(opts, 'r'), err)
			return t.End()
		}
		when = info.ModTime()
	}
	good := true
	text := kit.Last(opts, 'd') + kit.Last(opts, 't')
	switch {
	case kit.Has(opts, 't') && t.GNU:
		if when, good = dates.DigitsDate(text, dates.BrokenDown(p.Now().UTC())); len(kit.Before(text, ".")) < len("MMDDhhmm") {
			good = false
		}
	case kit.Has(opts, 'd') || kit.Has(opts, 't'):
		when, good = dates.ParseDate(t, text, p.Now())
	}
	if !good {
		return t.Fail("invalid date '%s'", text)
	}
	stat, change := p.Stat, p.Chtimes
	if kit.Has(opts, 'h') {
		stat, change = p.Lstat, p.Lchtimes
	}
	for _, name := range names {
		if _, err := stat(name); err == nil {
			if kit.Has(opts, 'a') && !kit.Has(opts, 'm') {
				continue // files have no time of access
			}
			if err := change(name, when); err != nil {
				t.Failed(name, err)
			}
			continue
		}
		if kit.Has(opts, 'h') && t.GNU {
			if !kit.Has(opts, 'c') {
				t.Complain("setting times of '%s': No such file or directory", name)
			}
			continue
		}
		if kit.Has(opts, 'c') {
			continue
		}
		if err := p.WriteFile(name, nil, 0o666); err != nil {
			t.Failed(name, err)
			continue
		}
		if kit.Has(opts, 'r') || kit.Has(opts, 'd') || kit.Has(opts, 't') {
			_ = p.Chtimes(name, when)
		}
	}
	return t.End()
}
