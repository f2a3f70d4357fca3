package files

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Mkdir is the utility mkdir.
func Mkdir(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "pm:v", false, map[string]string{"parents": "p", "mode": "m:", "verbose": "v"})
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	mode, valid := kit.ParseMode(kit.Last(opts, 'm'), 0o777, true)
	if kit.Has(opts, 'm') && !valid {
		return t.Fail("invalid mode '%s'", kit.Last(opts, 'm'))
	}
	for _, name := range names {
		err := makeDirectory(t, name, kit.Has(opts, 'p'), kit.Has(opts, 'v'))
		if err == nil && kit.Has(opts, 'm') {
			err = p.Chmod(name, mode)
		}
		if err != nil {
			t.Complain("can't create directory '%s': %s", name, kit.Message(err))
		}
	}
	return t.End()
}

// makeDirectory makes a directory, and those above it if asked to, and may name them.
func makeDirectory(t *kit.Tool, name string, parents, verbose bool) error {
	made := func(name string) {
		switch {
		case verbose && t.GNU:
			fmt.Fprintf(t.Out, "mkdir: created directory '%s'\n", strings.TrimSuffix(name, "/"))
		case verbose:
			fmt.Fprintf(t.Out, "created directory: '%s'\n", name)
		}
	}
	if !parents {
		err := t.P.Mkdir(name, 0o777)
		if err == nil {
			made(name)
		}
		return err
	}
	if !verbose {
		return t.P.MkdirAll(name, 0o777)
	}
	for i := 1; i <= len(name); i++ {
		if i < len(name) && (name[i] != '/' || name[i-1] == '/') {
			continue
		}
		part := name[:i]
		_, err := t.P.Stat(part)
		if err == nil && i < len(name) {
			continue
		}
		if known := err == nil; !known {
			if err := t.P.MkdirAll(part, 0o777); err != nil {
				return err
			}
			made(name[:min(i+1, len(name))])
		} else if err := t.P.MkdirAll(part, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// Mkfifo is the utility mkfifo.
func Mkfifo(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "m:", false, nil)
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	mode, valid := kit.ParseMode(kit.Last(opts, 'm'), 0o666, false)
	for _, name := range names {
		if kit.Has(opts, 'm') && !valid {
			t.Complain("%s: Invalid argument", name)
			continue
		}
		err := p.Mkfifo(name, 0o666)
		if err == nil && kit.Has(opts, 'm') {
			err = p.Chmod(name, mode)
		}
		if err != nil {
			t.Failed(name, err)
		}
	}
	return t.End()
}
