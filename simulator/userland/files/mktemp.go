package files

import (
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Mktemp is the utility mktemp.
func Mktemp(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "dp:qtu", false, map[string]string{"directory": "d", "quiet": "q", "dry-run": "u", "tmpdir": "p:"})
	if !ok || t.Misused(names, 0, 1) {
		return t.End()
	}
	wrong := func(format string, args ...any) int {
		if kit.Has(opts, 'q') {
			t.Status = 1
			return t.End()
		}
		return t.Fail(format, args...)
	}
	dir := p.Getenv("TMPDIR")
	if given := kit.Last(opts, 'p'); given != "" || kit.Has(opts, 'p') && !t.GNU {
		dir = given
	}
	if dir == "" {
		dir = "/tmp"
	}
	template := "tmp.XXXXXX"
	if t.GNU {
		template = "tmp.XXXXXXXXXX"
	}
	if len(names) > 0 {
		template = names[0]
	}
	if len(names) == 0 || kit.Has(opts, 't') || kit.Has(opts, 'p') {
		template = dir + "/" + template
	}
	suffix, random := kit.Last(opts, 'S'), 6
	if t.GNU {
		if at := strings.LastIndexByte(template, 'X'); at >= 0 && !kit.Has(opts, 'S') && !strings.Contains(template[at:], "/") {
			template, suffix = template[:at+1], template[at+1:]
		}
		if random = len(template) - len(strings.TrimRight(template, "X")); random < 3 {
			return wrong("too few X's in template '%s'", template)
		}
	} else if !strings.HasSuffix(template, "XXXXXX") {
		return wrong("(null): Invalid argument")
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for range 100 {
		name := []byte(template)
		for i := len(name) - random; i < len(name); i++ {
			name[i] = letters[p.Random().IntN(len(letters))]
		}
		name = append(name, suffix...)
		var err error
		if kit.Has(opts, 'd') {
			err = p.Mkdir(string(name), 0o700)
		} else {
			var fd int
			if fd, err = p.OpenFile(string(name), files.Write|files.Create|files.Exclusive, 0o600); err == nil {
				p.Close(fd)
			}
		}
		if err == nil {
			if kit.Has(opts, 'u') {
				_ = p.Remove(string(name))
			}
			t.Out.WriteString(string(name) + "\n")
			return t.End()
		}
		if files.Errno(err) != syscall.EEXIST {
			return wrong("(null): %s", kit.Message(err))
		}
	}
	return t.Fail("cannot make a unique name")
}
