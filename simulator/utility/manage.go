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

// ParseMode reads a mode, octal or symbolic (u+x,go-w,a=rX), as a change to old.
func ParseMode(text string, old uint16, isDir bool) (uint16, bool) {
	if text != "" && strings.Trim(text, "01234567") == "" {
		n, err := strconv.ParseUint(text, 8, 16)
		return uint16(n), err == nil && n <= 0o7777
	}
	mode := old
	for _, clause := range strings.Split(text, ",") {
		i := 0
		var who uint16
		for i < len(clause) && strings.IndexByte("ugoa", clause[i]) >= 0 {
			who |= map[byte]uint16{'u': 0o4700, 'g': 0o2070, 'o': 0o1007, 'a': 0o7777}[clause[i]]
			i++
		}
		if who == 0 {
			who = 0o7777
		}
		if i >= len(clause) {
			return 0, false
		}
		for i < len(clause) {
			op := clause[i]
			if op != '+' && op != '-' && op != '=' {
				return 0, false
			}
			i++
			var bits uint16
			for i < len(clause) && strings.IndexByte("+-=", clause[i]) < 0 {
				switch clause[i] {
				case 'r':
					bits |= 0o444
				case 'w':
					bits |= 0o222
				case 'x':
					bits |= 0o111
				case 'X':
					if isDir || old&0o111 != 0 {
						bits |= 0o111
					}
				case 's':
					bits |= files.Setuid | files.Setgid
				case 't':
					bits |= files.Sticky
				case 'u':
					bits |= mode >> 6 & 7 * 0o111
				case 'g':
					bits |= mode >> 3 & 7 * 0o111
				case 'o':
					bits |= mode & 7 * 0o111
				default:
					return 0, false
				}
				i++
			}
			bits &= who | files.Sticky
			switch op {
			case '+':
				mode |= bits
			case '-':
				mode &^= bits
			default:
				mode = mode&^(who&0o777) | bits
			}
		}
	}
	return mode, true
}

func touch(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "acfmhr:d:t:", false, map[string]string{"no-create": "c", "date": "d:", "reference": "r:"})
	if !ok {
		return t.end()
	}
	if len(names) == 0 {
		return t.fail("usage: touch [-c] FILE...")
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
	if text := last(opts, 'd') + last(opts, 't'); text != "" {
		var good bool
		if when, good = t.parseDate(text, p.Now()); !good {
			return t.fail("invalid date '%s'", text)
		}
	}
	for _, name := range names {
		if _, err := p.Stat(name); err == nil {
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
	opts, names, ok := t.options(args, "pm:v", false, map[string]string{"parents": "p", "mode": "m:"})
	if !ok {
		return t.end()
	}
	if len(names) == 0 {
		return t.fail("missing operand")
	}
	for _, name := range names {
		var err error
		if has(opts, 'p') {
			err = p.MkdirAll(name, 0o777)
		} else {
			err = p.Mkdir(name, 0o777)
		}
		if err == nil && has(opts, 'm') {
			mode, valid := ParseMode(last(opts, 'm'), 0o777, true)
			if !valid {
				return t.fail("invalid mode '%s'", last(opts, 'm'))
			}
			err = p.Chmod(name, mode)
		}
		if err != nil {
			t.complain("can't create directory '%s': %s", name, message(err))
		}
	}
	return t.end()
}

func rm(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "fiRrv", false, nil)
	if !ok {
		return t.end()
	}
	force, deep := has(opts, 'f'), has(opts, 'r') || has(opts, 'R')
	if len(names) == 0 && !force {
		return t.fail("missing operand")
	}
	for _, name := range names {
		if b := path.Base(name); (b == "." || b == "..") && deep {
			t.complain("can't remove '.' or '..'")
			continue
		}
		t.remove(name, force, deep)
	}
	return t.end()
}

func (t *tool) remove(name string, force, deep bool) {
	info, err := t.p.Lstat(name)
	if err != nil {
		if !force || files.Errno(err) != syscall.ENOENT && files.Errno(err) != syscall.ENOTDIR {
			t.complain("can't remove '%s': %s", name, message(err))
		}
		return
	}
	if info.IsDir() {
		if !deep {
			t.complain("'%s' is a directory", name)
			return
		}
		entries, err := t.p.ReadDir(name)
		if err != nil {
			t.complain("can't open '%s': %s", name, message(err))
		}
		before := t.status
		t.status = 0
		for _, e := range entries {
			t.remove(path.Join(name, e.Name()), force, deep)
		}
		if t.status != 0 {
			return
		}
		t.status = before
		err = t.p.Rmdir(name)
		if err != nil {
			t.complain("can't remove '%s': %s", name, message(err))
		}
		return
	}
	if err := t.p.Unlink(name); err != nil {
		t.complain("can't remove '%s': %s", name, message(err))
	}
}

func rmdir(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "p", false, map[string]string{"ignore-fail-on-non-empty": "i"})
	if !ok {
		return t.end()
	}
	for _, name := range names {
		for {
			if err := p.Rmdir(name); err != nil {
				t.complain("'%s': %s", name, message(err))
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
	if len(args) != 2 {
		return t.fail("usage: unlink FILE")
	}
	if err := p.Unlink(args[1]); err != nil {
		t.complain("can't remove file '%s': %s", args[1], message(err))
	}
	return t.end()
}

func chmod(p *container.Process, args []string) int {
	t := begin(p, args)
	// A mode may begin with "-", as an option does.
	deep := false
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && strings.Trim(rest[0][1:], "Rvcf") == "" {
		deep = deep || strings.Contains(rest[0], "R")
		rest = rest[1:]
	}
	if len(rest) < 2 {
		return t.fail("missing operand")
	}
	if _, ok := ParseMode(rest[0], 0, false); !ok {
		return t.fail("invalid mode '%s'", rest[0])
	}
	var change func(name string)
	change = func(name string) {
		info, err := p.Stat(name)
		if err != nil {
			t.failed(name, err)
			return
		}
		old := info.Perm()
		mode, _ := ParseMode(rest[0], old, info.IsDir())
		if c := rest[0][0]; c == '+' || c == '-' || c == '=' { // without "who", the umask counts
			mode = mode&^p.Umask | old&p.Umask
		}
		if err := p.Chmod(name, mode); err != nil {
			t.failed(name, err)
		}
		if deep && info.IsDir() {
			entries, _ := p.ReadDir(name)
			for _, e := range entries {
				if e.Kind() != files.Symlink {
					change(path.Join(name, e.Name()))
				}
			}
		}
	}
	for _, name := range rest[1:] {
		change(name)
	}
	return t.end()
}

func chown(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(args, "Rhvcf", false, nil)
	if !ok {
		return t.end()
	}
	if len(rest) < 2 {
		return t.fail("missing operand")
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
			t.failed(name, err)
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
	opts, names, ok := t.options(args, "dqtup:", false, nil)
	if !ok {
		return t.end()
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
			return t.fail("too few X's in template '%s'", template)
		}
	} else if !strings.HasSuffix(template, "XXXXXX") {
		return t.fail("(null): Invalid argument")
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
			return t.fail("(null): %s", message(err))
		}
	}
	return t.fail("cannot make a unique name")
}

func mkfifo(p *container.Process, args []string) int {
	t := begin(p, args)
	_, names, ok := t.options(args, "m:", false, nil)
	if !ok {
		return t.end()
	}
	for _, name := range names {
		if err := p.Mkfifo(name, 0o666); err != nil {
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
	size, valid := count(last(opts, 's'))
	if !valid {
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

func dd(p *container.Process, args []string) int {
	t := begin(p, args)
	in, out := "-", ""
	bs, n, skip, seek := int64(512), int64(-1), int64(0), int64(0)
	quiet, noTrunc := false, false
	for _, a := range args[1:] {
		key, value, _ := strings.Cut(a, "=")
		num, good := count(value)
		switch key {
		case "if":
			in, good = value, true
		case "of":
			out, good = value, true
		case "bs", "ibs", "obs":
			bs = num
		case "count":
			n = num
		case "skip":
			skip = num
		case "seek":
			seek = num
		case "status":
			quiet, good = value == "none", true
		case "conv", "oflag", "iflag":
			noTrunc, good = noTrunc || strings.Contains(value, "notrunc"), true
		default:
			return t.fail("invalid argument '%s'", a)
		}
		if !good {
			return t.fail("invalid number '%s'", value)
		}
	}
	if bs < 1 {
		return t.fail("invalid number '%d'", bs)
	}
	r, done, err := t.open(in)
	if err != nil {
		return t.fail("can't open '%s': %s", in, message(err))
	}
	defer done()
	fd := 1
	if out != "" {
		flags := files.Write | files.Create | files.Truncate
		if noTrunc || seek > 0 {
			flags = files.Write | files.Create
		}
		if fd, err = p.OpenFile(out, flags, 0o666); err != nil {
			return t.fail("can't open '%s': %s", out, message(err))
		}
		if h := p.FileHandle(fd); h != nil && seek > 0 {
			_, _ = h.Seek(seek*bs, 0)
		}
	}
	p.Allocate(bs)
	defer p.Allocate(-bs)
	buf := make([]byte, bs)
	full, partial, total := 0, 0, int64(0)
	for i := int64(0); n < 0 || i < n+skip; i++ {
		got, err := readBlock(r, buf)
		if got == 0 && err != nil {
			break
		}
		if i < skip {
			continue
		}
		if int64(got) == bs {
			full++
		} else {
			partial++
		}
		total += int64(got)
		p.Spend(container.CommandCost)
		if _, err := p.Write(fd, buf[:got]); err != nil {
			t.complain("error writing '%s': %s", out, message(err))
			break
		}
	}
	if !quiet {
		fmt.Fprintf(p.Stderr(), "%d+%d records in\n%d+%d records out\n%d bytes copied, 0.001 seconds\n", full, partial, full, partial, total)
	}
	return t.end()
}

func readBlock(r interface{ Read([]byte) (int, error) }, buf []byte) (int, error) {
	return r.Read(buf)
}

// noDeadline is a wait without end.
var noDeadline time.Time
