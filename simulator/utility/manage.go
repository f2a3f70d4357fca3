package utility

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

func touch(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "acd:fhmr:t:", false, map[string]string{"no-create": "c", "date": "d:", "reference": "r:", "no-dereference": "h"})
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	when := p.Now()
	if has(opts, 'r') {
		info, err := p.Stat(last(opts, 'r'))
		if err != nil {
			t.failed(last(opts, 'r'), err)
			return t.end()
		}
		when = info.ModTime()
	}
	good := true
	text := last(opts, 'd') + last(opts, 't')
	switch {
	case has(opts, 't') && t.gnu:
		if when, good = digitsDate(text, brokenDown(p.Now().UTC())); len(before(text, ".")) < len("MMDDhhmm") {
			good = false
		}
	case has(opts, 'd') || has(opts, 't'):
		when, good = t.parseDate(text, p.Now())
	}
	if !good {
		return t.fail("invalid date '%s'", text)
	}
	for _, name := range names {
		if _, err := p.Stat(name); err == nil {
			if has(opts, 'a') && !has(opts, 'm') {
				continue // files have no time of access
			}
			if err := p.Chtimes(name, when); err != nil {
				t.failed(name, err)
			}
			continue
		}
		if has(opts, 'c') {
			continue
		}
		if err := p.WriteFile(name, nil, 0o666); err != nil {
			t.failed(name, err)
			continue
		}
		if has(opts, 'r') || has(opts, 'd') || has(opts, 't') {
			_ = p.Chtimes(name, when)
		}
	}
	return t.end()
}

func mkdir(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "pm:v", false, map[string]string{"parents": "p", "mode": "m:", "verbose": "v"})
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	mode, valid := ParseMode(last(opts, 'm'), 0o777, true)
	if has(opts, 'm') && !valid {
		return t.fail("invalid mode '%s'", last(opts, 'm'))
	}
	for _, name := range names {
		err := t.makeDirectory(name, has(opts, 'p'), has(opts, 'v'))
		if err == nil && has(opts, 'm') {
			err = p.Chmod(name, mode)
		}
		if err != nil {
			t.complain("can't create directory '%s': %s", name, message(err))
		}
	}
	return t.end()
}

// makeDirectory makes a directory, and those above it if asked to, and may name them.
func (t *tool) makeDirectory(name string, parents, verbose bool) error {
	made := func(name string) {
		switch {
		case verbose && t.gnu:
			fmt.Fprintf(t.out, "mkdir: created directory '%s'\n", strings.TrimSuffix(name, "/"))
		case verbose:
			fmt.Fprintf(t.out, "created directory: '%s'\n", name)
		}
	}
	if !parents {
		err := t.p.Mkdir(name, 0o777)
		if err == nil {
			made(name)
		}
		return err
	}
	if !verbose {
		return t.p.MkdirAll(name, 0o777)
	}
	for i := 1; i <= len(name); i++ {
		if i < len(name) && (name[i] != '/' || name[i-1] == '/') {
			continue
		}
		part := name[:i]
		_, err := t.p.Stat(part)
		if err == nil && i < len(name) {
			continue
		}
		if known := err == nil; !known {
			if err := t.p.MkdirAll(part, 0o777); err != nil {
				return err
			}
			made(name[:min(i+1, len(name))])
		} else if err := t.p.MkdirAll(part, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// removal says how rm removes files.
type removal struct {
	force, deep, ask, verbose bool
}

func rm(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "firRv", false, nil)
	if !ok {
		return t.end()
	}
	how := removal{deep: has(opts, 'r') || has(opts, 'R'), verbose: has(opts, 'v')}
	for _, letter := range t.given { // the last one counts
		switch letter {
		case 'f':
			how.force, how.ask = true, false
		case 'i':
			how.force, how.ask = false, true
		}
	}
	if len(names) == 0 && !how.force {
		t.misused(names, 1, -1)
		return t.end()
	}
	for _, name := range names {
		if b := path.Base(name); (b == "." || b == "..") && (how.deep || !t.gnu) {
			t.complain("can't remove '.' or '..'")
			continue
		}
		t.remove(name, how)
	}
	return t.end()
}

// remove removes a file, or a directory with everything in it. It reports whether all went well.
func (t *tool) remove(name string, how removal) bool {
	info, err := t.p.Lstat(name)
	if err != nil {
		if how.force && (files.Errno(err) == syscall.ENOENT || t.gnu && files.Errno(err) == syscall.ENOTDIR) {
			return true
		}
		t.complain("can't remove '%s': %s", name, message(err))
		return false
	}
	verb, after := t.p.Unlink, "removed"
	if info.IsDir() {
		if !how.deep {
			t.complain("'%s' is a directory", name)
			return false
		}
		if how.ask && !t.confirms("descend into directory '%s'? ", name) {
			return true
		}
		entries, err := t.p.ReadDir(name)
		if err != nil {
			t.complain("can't open '%s': %s", name, message(err))
			return false
		}
		good := true
		for _, e := range entries {
			good = t.remove(strings.TrimSuffix(name, "/")+"/"+e.Name(), how) && good
		}
		if !good {
			return false
		}
		if how.ask && !t.confirms("remove directory '%s'? ", name) {
			return true
		}
		if verb, after = t.p.Rmdir, "removed directory:"; t.gnu {
			after = "removed directory"
		}
	} else if how.ask && !t.confirms("remove '%s'? ", name) {
		return true
	}
	if err := verb(name); err != nil {
		t.complain("can't remove '%s': %s", name, message(err))
		return false
	}
	if how.verbose {
		fmt.Fprintf(t.out, "%s '%s'\n", after, name)
	}
	return true
}

func rmdir(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "pv", false, map[string]string{"ignore-fail-on-non-empty": "i", "parents": "p", "verbose": "v"})
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	for _, name := range names {
		for {
			if has(opts, 'v') {
				fmt.Fprintf(t.out, "rmdir: removing directory, '%s'\n", name)
			}
			if err := p.Rmdir(name); err != nil {
				if !has(opts, 'i') || files.Errno(err) != syscall.ENOTEMPTY {
					t.complain("'%s': %s", name, message(err))
				}
				break
			}
			if !has(opts, 'p') || path.Dir(name) == "." || path.Dir(name) == "/" {
				break
			}
			name = path.Dir(name)
		}
	}
	return t.end()
}

func unlink(p *container.Process, args []string) int {
	t := begin(p, args)
	_, names, ok := t.options(args, "", false, nil)
	if !ok || t.misused(names, 1, 1) {
		return t.end()
	}
	if err := p.Unlink(names[0]); err != nil {
		t.complain("can't remove file '%s': %s", names[0], message(err))
	}
	return t.end()
}

func chmod(p *container.Process, args []string) int {
	t := begin(p, args)
	// A mode may begin with "-", as an option does.
	given := ""
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && strings.Trim(rest[0][1:], "Rvcf") == "" {
		given += rest[0]
		rest = rest[1:]
	}
	deep := strings.Contains(given, "R")
	if len(rest) > 0 && strings.HasPrefix(rest[0], "--") {
		var ok bool
		if _, rest, ok = t.options(args, "Rvcf", true, nil); !ok {
			return t.end()
		}
		given = string(t.given)
		deep = strings.Contains(given, "R")
	}
	if t.misused(rest, 2, -1) {
		return t.end()
	}
	if _, ok := (modes{gnu: t.gnu}).parse(rest[0], 0); !ok {
		return t.fail("invalid mode '%s'", rest[0])
	}
	var change func(name string)
	change = func(name string) {
		info, err := p.Stat(name)
		if err != nil {
			if t.status = 1; !strings.Contains(given, "f") {
				t.failed(name, err)
			}
			return
		}
		old := info.Perm()
		mode, _ := modes{isDir: info.IsDir(), umask: p.Umask, gnu: t.gnu}.parse(rest[0], old)
		if err := p.Chmod(name, mode); err != nil {
			t.failed(name, err)
		} else if strings.Contains(given, "v") || strings.Contains(given, "c") && mode != old {
			t.modeChanged(name, old)
		}
		if deep && info.IsDir() {
			entries, _ := p.ReadDir(name)
			for _, e := range entries {
				if e.Kind() != files.Symlink {
					change(strings.TrimSuffix(name, "/") + "/" + e.Name())
				}
			}
		}
	}
	for _, name := range rest[1:] {
		change(name)
	}
	return t.end()
}

// modeChanged reports a mode that was set.
func (t *tool) modeChanged(name string, old uint16) {
	after, err := t.p.Stat(name)
	if err != nil {
		return
	}
	mode, now := after.Perm(), permissions(after)[1:]
	switch {
	case !t.gnu:
		fmt.Fprintf(t.out, "mode of '%s' changed to %04o (%s)\n", name, mode, now)
	case mode == old:
		fmt.Fprintf(t.out, "mode of '%s' retained as %04o (%s)\n", name, mode, now)
	default:
		fmt.Fprintf(t.out, "mode of '%s' changed from %04o (%s) to %04o (%s)\n", name, old, modeText('-', old)[1:], mode, now)
	}
}

func chown(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(args, "cfhvHLPR", false, map[string]string{"recursive": "R", "verbose": "v", "quiet": "f", "silent": "f", "changes": "c",
		"no-dereference": "h", "dereference": "~"})
	if !ok || t.misused(rest, 2, -1) {
		return t.end()
	}
	uid, gid := -1, -1
	user, group, hasGroup := strings.Cut(rest[0], ":")
	if t.name == "chgrp" {
		user, group, hasGroup = "", rest[0], true
	}
	c := p.Container()
	if user != "" {
		if id, known := c.UserID(user); known {
			uid = int(id)
		} else if n, err := strconv.Atoi(user); err == nil {
			uid = n
		} else {
			return t.fail("unknown user %s", user)
		}
	}
	if id, known := c.UserGroup(user); hasGroup && group == "" && known {
		gid = int(id)
	}
	if hasGroup && group != "" {
		if id, known := c.GroupID(group); known {
			gid = int(id)
		} else if n, err := strconv.Atoi(group); err == nil {
			gid = n
		} else {
			return t.fail("unknown group %s", group)
		}
	}
	change := func(name string, follow bool) {
		if err := p.Chown(name, uid, gid, follow); err != nil {
			if t.status = 1; !has(opts, 'f') {
				t.failed(name, err)
			}
		} else if info, err := p.Lstat(name); err == nil && (has(opts, 'v') || has(opts, 'c')) && !t.gnu {
			fmt.Fprintf(t.out, "changed ownership of '%s' to %d:%d\n", name, info.UID(), info.GID())
		}
	}
	for _, name := range rest[1:] {
		change(name, !has(opts, 'h'))
		if info, err := p.Lstat(name); has(opts, 'R') && err == nil && info.IsDir() {
			t.walk(name, func(file string, _ *files.Info) { change(file, false) })
		}
	}
	return t.end()
}

func mktemp(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "dp:qtu", false, map[string]string{"directory": "d", "quiet": "q", "dry-run": "u", "tmpdir": "p:"})
	if !ok || t.misused(names, 0, 1) {
		return t.end()
	}
	wrong := func(format string, args ...any) int {
		if has(opts, 'q') {
			t.status = 1
			return t.end()
		}
		return t.fail(format, args...)
	}
	dir := p.Getenv("TMPDIR")
	if given := last(opts, 'p'); given != "" || has(opts, 'p') && !t.gnu {
		dir = given
	}
	if dir == "" {
		dir = "/tmp"
	}
	template := "tmp.XXXXXX"
	if t.gnu {
		template = "tmp.XXXXXXXXXX"
	}
	if len(names) > 0 {
		template = names[0]
	}
	if len(names) == 0 || has(opts, 't') || has(opts, 'p') {
		template = dir + "/" + template
	}
	suffix, random := last(opts, 'S'), 6
	if t.gnu {
		if at := strings.LastIndexByte(template, 'X'); at >= 0 && !has(opts, 'S') && !strings.Contains(template[at:], "/") {
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
		if has(opts, 'd') {
			err = p.Mkdir(string(name), 0o700)
		} else {
			var fd int
			if fd, err = p.OpenFile(string(name), files.Write|files.Create|files.Exclusive, 0o600); err == nil {
				p.Close(fd)
			}
		}
		if err == nil {
			if has(opts, 'u') {
				_ = p.Remove(string(name))
			}
			t.out.WriteString(string(name) + "\n")
			return t.end()
		}
		if files.Errno(err) != syscall.EEXIST {
			return wrong("(null): %s", message(err))
		}
	}
	return t.fail("cannot make a unique name")
}

func mkfifo(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "m:", false, nil)
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	mode, valid := ParseMode(last(opts, 'm'), 0o666, false)
	for _, name := range names {
		if has(opts, 'm') && !valid {
			t.complain("%s: Invalid argument", name)
			continue
		}
		err := p.Mkfifo(name, 0o666)
		if err == nil && has(opts, 'm') {
			err = p.Chmod(name, mode)
		}
		if err != nil {
			t.failed(name, err)
		}
	}
	return t.end()
}

func truncate(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cs:", false, nil)
	if !ok {
		return t.end()
	}
	if !has(opts, 's') {
		return t.usage()
	}
	if t.misused(names, 1, -1) {
		return t.end()
	}
	size, valid := count(last(opts, 's'))
	if !valid || !t.gnu && !digit(last(opts, 's')[0]) {
		return t.fail("invalid number '%s'", last(opts, 's'))
	}
	for _, name := range names {
		flags := files.Write | files.Create
		if has(opts, 'c') {
			flags = files.Write
		}
		fd, err := p.OpenFile(name, flags, 0o666)
		if err == nil {
			if h := p.FileHandle(fd); h != nil {
				p.Allocate(size)
				err = h.Truncate(size)
				p.Allocate(-size)
			}
			p.Close(fd)
		}
		if err != nil {
			t.failed(name, err)
		}
	}
	return t.end()
}

// noDeadline is a wait without end.
var noDeadline time.Time
