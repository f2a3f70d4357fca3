package files

import (
	"fmt"
	"path"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// removal says how rm removes files.
type removal struct {
	force, deep, ask, verbose bool
}

// Rm is the utility rm.
func Rm(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "firRv", false, nil)
	if !ok {
		return t.End()
	}
	how := removal{deep: kit.Has(opts, 'r') || kit.Has(opts, 'R'), verbose: kit.Has(opts, 'v')}
	for _, letter := range t.Given { // the last one counts
		switch letter {
		case 'f':
			how.force, how.ask = true, false
		case 'i':
			how.force, how.ask = false, true
		}
	}
	if len(names) == 0 && !how.force {
		t.Misused(names, 1, -1)
		return t.End()
	}
	for _, name := range names {
		if b := path.Base(name); (b == "." || b == "..") && (how.deep || !t.GNU) {
			t.Complain("can't remove '.' or '..'")
			continue
		}
		remove(t, name, how)
	}
	return t.End()
}

// remove removes a file, or a directory with everything in it. It reports whether all went well.
func remove(t *kit.Tool, name string, how removal) bool {
	info, err := t.P.Lstat(name)
	if err != nil {
		if how.force && (files.Errno(err) == syscall.ENOENT || t.GNU && files.Errno(err) == syscall.ENOTDIR) {
			return true
		}
		t.Complain("can't remove '%s': %s", name, kit.Message(err))
		return false
	}
	verb, after := t.P.Unlink, "removed"
	if info.IsDir() {
		if !how.deep {
			t.Complain("'%s' is a directory", name)
			return false
		}
		if how.ask && !confirms(t, "descend into directory '%s'? ", name) {
			return true
		}
		entries, err := t.P.ReadDir(name)
		if err != nil {
			t.Complain("can't open '%s': %s", name, kit.Message(err))
			return false
		}
		good := true
		for _, e := range entries {
			good = remove(t, strings.TrimSuffix(name, "/")+"/"+e.Name(), how) && good
		}
		if !good {
			return false
		}
		if how.ask && !confirms(t, "remove directory '%s'? ", name) {
			return true
		}
		if verb, after = t.P.Rmdir, "removed directory:"; t.GNU {
			after = "removed directory"
		}
	} else if how.ask && !confirms(t, "remove '%s'? ", name) {
		return true
	}
	if err := verb(name); err != nil {
		t.Complain("can't remove '%s': %s", name, kit.Message(err))
		return false
	}
	if how.verbose {
		fmt.Fprintf(t.Out, "%s '%s'\n", after, name)
	}
	return true
}

// Rmdir is the utility rmdir.
func Rmdir(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "pv", false, map[string]string{"ignore-fail-on-non-empty": "i", "parents": "p", "verbose": "v"})
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	for _, name := range names {
		for {
			if kit.Has(opts, 'v') {
				fmt.Fprintf(t.Out, "rmdir: removing directory, '%s'\n", name)
			}
			if err := p.Rmdir(name); err != nil {
				if !kit.Has(opts, 'i') || files.Errno(err) != syscall.ENOTEMPTY {
					t.Complain("'%s': %s", name, kit.Message(err))
				}
				break
			}
			if !kit.Has(opts, 'p') || path.Dir(name) == "." || path.Dir(name) == "/" {
				break
			}
			name = path.Dir(name)
		}
	}
	return t.End()
}

// Unlink is the utility unlink.
func Unlink(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	_, names, ok := t.Options(args, "", false, nil)
	if !ok || t.Misused(names, 1, 1) {
		return t.End()
	}
	if err := p.Unlink(names[0]); err != nil {
		t.Complain("can't remove file '%s': %s", names[0], kit.Message(err))
	}
	return t.End()
}
