package files

import (
	"path"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Readlink is the utility readlink.
func Readlink(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "fnqsv", false, nil)
	if !ok || !t.GNU && t.Misused(names, 1, 1) || t.Misused(names, 1, -1) {
		return t.End()
	}
	for _, name := range names {
		var out string
		var err error
		if t.GNU && kit.Has(opts, 'e') {
			out, err = canonical(t, name, allExist)
		} else if kit.Has(opts, 'm') {
			out, err = canonical(t, name, anyMayMiss)
		} else if t.GNU && kit.Has(opts, 'f') {
			out, err = canonical(t, name, lastMayMiss)
		} else if kit.Has(opts, 'f') {
			out, err = canonicalOperand(t, name)
		} else {
			out, err = p.Readlink(name)
		}
		if err != nil {
			if t.Status = 1; kit.Has(opts, 'v') {
				if files.Errno(err) == syscall.EINVAL && !t.GNU {
					t.Complain("%s: cannot read link: not a symlink", name)
				} else {
					t.Complain("%s: cannot read link: %s", name, kit.Message(err))
				}
			}
			continue
		}
		t.Out.WriteString(out)
		if !kit.Has(opts, 'n') {
			t.Out.WriteByte('\n')
		}
	}
	return t.End()
}

// Realpath is the utility realpath.
func Realpath(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names := map[byte][]string(nil), args[1:]
	if len(names) > 0 && names[0] == "--" && !t.GNU {
		names = names[1:]
	}
	if t.GNU {
		var ok bool
		if opts, names, ok = t.Options(args, "", false, nil); !ok {
			return t.End()
		}
	}
	if t.Misused(names, 1, -1) {
		return t.End()
	}
	mode := lastMayMiss
	switch {
	case kit.Has(opts, 'e'):
		mode = allExist
	case kit.Has(opts, 'm'):
		mode = anyMayMiss
	}
	end := "\n"
	if kit.Has(opts, 'z') {
		end = "\x00"
	}
	for _, name := range names {
		out, err := canonicalOperand(t, name)
		if t.GNU {
			out, err = canonical(t, name, mode)
		}
		if err == nil && kit.Has(opts, 'r') {
			var from string
			if from, err = canonical(t, kit.Last(opts, 'r'), mode); err == nil {
				out = relative(from, out)
			}
		}
		if err == nil && kit.Has(opts, 'b') {
			var below string
			if below, err = canonical(t, kit.Last(opts, 'b'), mode); err == nil && (out == below || strings.HasPrefix(out, strings.TrimSuffix(below, "/")+"/")) {
				out = relative(below, out)
			}
		}
		if err != nil {
			if kit.Has(opts, 'q') {
				t.Status = 1
			} else {
				t.Failed(name, err)
			}
			continue
		}
		t.Out.WriteString(out + end)
	}
	return t.End()
}

// What a canonical path may lack.
const (
	allExist = iota
	lastMayMiss
	anyMayMiss
)

// canonical returns the path without links, dots and double slashes.
func canonical(t *kit.Tool, name string, mode int) (string, error) {
	out, err := t.P.RealPath(name)
	if err == nil && mode != anyMayMiss {
		needed := out
		if mode == lastMayMiss {
			needed = path.Dir(out)
		}
		_, err = t.P.Stat(needed)
	}
	if err == nil || mode == allExist || files.Errno(err) != syscall.ENOENT && mode != anyMayMiss {
		return out, err
	}
	if mode == lastMayMiss {
		return "", err
	}
	trimmed := strings.TrimRight(name, "/")
	if trimmed == "" {
		return out, err
	}
	parent := path.Dir(trimmed)
	if parent == trimmed {
		return trimmed, nil
	}
	dir, err := canonical(t, parent, mode)
	return path.Join(dir, kit.Base(trimmed)), err
}

// canonicalOperand is canonical for what may not exist yet, as BusyBox finds it: it does not take the name alone of a
// file that does not exist.
func canonicalOperand(t *kit.Tool, name string) (string, error) {
	if _, err := t.P.Lstat(name); err != nil && !strings.Contains(strings.TrimRight(name, "/"), "/") {
		return "", err
	}
	return canonical(t, name, lastMayMiss)
}

// relative is the way from a directory to a path; both are canonical.
func relative(from, to string) string {
	a, b := strings.Split(strings.Trim(from, "/"), "/"), strings.Split(strings.Trim(to, "/"), "/")
	if from == "/" {
		a = nil
	}
	if to == "/" {
		b = nil
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	var way []string
	for range a {
		way = append(way, "..")
	}
	if way = append(way, b...); len(way) == 0 {
		return "."
	}
	return strings.Join(way, "/")
}

// Basename is the utility basename.
func Basename(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "as:", true, nil)
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	suffix, end := kit.Last(opts, 's'), "\n"
	if kit.Has(opts, 'z') {
		end = "\x00"
	}
	if !kit.Has(opts, 'a') && !kit.Has(opts, 's') {
		if t.Misused(names, 1, 2) {
			return t.End()
		}
		if len(names) == 2 {
			names, suffix = names[:1], names[1]
		}
	}
	for _, name := range names {
		if trimmed := strings.TrimRight(name, "/"); trimmed != "" {
			name = kit.Base(trimmed)
		} else if name != "" {
			name = "/"
		}
		if name != suffix {
			name = strings.TrimSuffix(name, suffix)
		}
		t.Out.WriteString(name + end)
	}
	return t.End()
}

// Dirname is the utility dirname.
func Dirname(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	names, end := args[1:], "\n"
	if t.GNU {
		opts, operands, ok := t.Options(args, "", false, nil)
		if !ok {
			return t.End()
		}
		if names = operands; kit.Has(opts, 'z') {
			end = "\x00"
		}
	} else if len(names) > 0 && names[0] == "--" {
		names = names[1:]
	}
	if t.Misused(names, 1, -1) || !t.GNU && t.Misused(names, 1, 1) {
		return t.End()
	}
	for _, name := range names {
		t.Out.WriteString(parentOf(name, t.GNU) + end)
	}
	return t.End()
}

// parentOf is the directory part of a name. Two slashes at the beginning are a root of their own in the C library, and
// not to GNU's dirname.
func parentOf(name string, gnu bool) string {
	trimmed := strings.TrimRight(name, "/")
	i := strings.LastIndexByte(trimmed, '/')
	switch {
	case name == "" || trimmed != "" && i < 0:
		return "."
	case trimmed == "":
		i = len(name)
	}
	slashes := len(name[:min(i+1, len(name))]) - len(strings.TrimLeft(name[:min(i+1, len(name))], "/"))
	dir := strings.TrimRight(name[:min(i+1, len(name))], "/")
	switch {
	case dir != "":
		return dir
	case slashes == 2 && !gnu:
		return "//"
	}
	return "/"
}
