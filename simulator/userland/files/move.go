package files

import (
	"fmt"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Mv is the utility mv.
func Mv(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "finvTt:", false, map[string]string{"interactive": "i", "force": "f", "no-clobber": "n", "verbose": "v",
		"target-directory": "t:", "no-target-directory": "T"})
	if !ok {
		return t.End()
	}
	sources, target, ok := destination(t, names, opts, true)
	if !ok {
		return t.End()
	}
	ask, noClobber := false, false
	for _, letter := range t.Given { // the last one counts
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
			t.Complain("can't stat '%s': %s", to, kit.Message(err))
			continue
		}
		var good bool
		switch {
		case err == nil && noClobber:
			good = !t.GNU
		case err == nil && ask && !confirms(t, "overwrite '%s'? ", to):
			good = !t.GNU
		default:
			good = move(t, source, to) || !t.GNU
		}
		if kit.Has(opts, 'v') && good {
			if t.GNU {
				t.Out.WriteString("renamed ")
			}
			fmt.Fprintf(t.Out, "'%s' -> '%s'\n", source, to)
		}
	}
	return t.End()
}

// move renames a file, or copies and removes it if the new name is on another file system.
func move(t *kit.Tool, from, to string) bool {
	err := t.P.Rename(from, to)
	if err != nil && files.Errno(err) == syscall.EXDEV {
		c := copier{Tool: t, deep: true, keep: true, links: true, force: true}
		return c.copy(from, to) && remove(t, from, removal{force: true, deep: true})
	}
	if err != nil {
		t.Complain("can't rename '%s': %s", from, kit.Message(err))
	}
	return err == nil
}
