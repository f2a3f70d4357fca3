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

// permissions is the first column of ls -l.
func permissions(info *files.Info) string {
	kind := map[files.Kind]byte{files.Regular: '-', files.Directory: 'd', files.Symlink: 'l', files.CharDevice: 'c', files.Fifo: 'p'}[info.Kind()]
	out := []byte{kind}
	mode := info.Perm()
	for i := 8; i >= 0; i-- {
		c := "xwr"[i%3]
		if mode&(1<<i) == 0 {
			c = '-'
		}
		out = append(out, c)
	}
	special := func(bit uint16, at int, letter byte) {
		if mode&bit != 0 {
			if out[at] == '-' {
				letter &^= 0x20
			}
			out[at] = letter
		}
	}
	special(files.Setuid, 3, 's')
	special(files.Setgid, 6, 's')
	special(files.Sticky, 9, 't')
	return string(out)
}

func (t *tool) user(uid uint32, numeric bool) string {
	if name, ok := t.p.Container().UserName(uid); ok && !numeric {
		return name
	}
	return strconv.FormatUint(uint64(uid), 10)
}

func (t *tool) group(gid uint32, numeric bool) string {
	if name, ok := t.p.Container().GroupName(gid); ok && !numeric {
		return name
	}
	return strconv.FormatUint(uint64(gid), 10)
}

// stamp is the time of a file in the style that was asked for.
func (l *lister) stamp(when time.Time) string {
	switch style := last(l.opts, '^'); {
	case has(l.opts, 'f') && !l.gnu:
		return when.Format("2006-01-02 15:04:05 -0700")
	case style == "full-iso" || has(l.opts, 'f'):
		return when.Format("2006-01-02 15:04:05.000000000 -0700")
	case style == "long-iso":
		return when.Format("2006-01-02 15:04")
	case style == "iso" && l.p.Now().Sub(when) > 182*24*time.Hour:
		return when.Format("2006-01-02 ")
	case style == "iso":
		return when.Format("01-02 15:04")
	case strings.HasPrefix(style, "+"):
		return strftimeGNU(style[1:], when.UTC())
	}
	return listTime(when, l.p.Now())
}

// listTime is the time as ls shows it: with the hour if it is within half a year, and not far in the future.
func listTime(when, now time.Time) string {
	if age := now.Sub(when); age >= 365*12*time.Hour || age <= -15*time.Minute {
		return when.Format("Jan _2  2006")
	}
	return when.Format("Jan _2 15:04")
}

func human(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range "KMGT" {
		if f /= 1024; f < 1024 {
			return fmt.Sprintf("%.1f%c", f, unit)
		}
	}
	return fmt.Sprintf("%.1fP", f/1024)
}

func stat(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "c:Ltf", false, nil)
	if !ok {
		return t.end()
	}
	for _, name := range names {
		info, err := p.Lstat(name)
		if has(opts, 'L') {
			info, err = p.Stat(name)
		}
		if err != nil {
			t.complain("can't stat '%s': %s", name, message(err))
			continue
		}
		if has(opts, 'c') {
			t.out.WriteString(t.statFormat(last(opts, 'c'), name, info) + "\n")
			continue
		}
		if has(opts, 'p') { // --printf: with escapes, without a newline
			format, _ := Escapes(last(opts, 'p'), FormatString)
			t.out.WriteString(t.statFormat(format, name, info))
			continue
		}
		shown := name
		if info.Kind() == files.Symlink {
			shown = "'" + name + "' -> '" + info.Target() + "'"
		}
		fmt.Fprintf(t.out, "  File: %s\n  Size: %-10d\tBlocks: %-10d IO Block: 4096   %s\n", shown, info.Size(), info.Blocks(), kindName(info))
		fmt.Fprintf(t.out, "Access: (%04o/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", info.Perm(), permissions(info), info.UID(), t.user(info.UID(), false), info.GID(), t.group(info.GID(), false))
		stamp := info.ModTime().Format("2006-01-02 15:04:05.000000000 -0700")
		fmt.Fprintf(t.out, "Access: %s\nModify: %s\nChange: %s\n", stamp, stamp, stamp)
	}
	return t.end()
}

func kindName(info *files.Info) string {
	switch info.Kind() {
	case files.Directory:
		return "directory"
	case files.Symlink:
		return "symbolic link"
	case files.CharDevice:
		return "character special file"
	case files.Fifo:
		return "fifo"
	}
	if info.Size() == 0 {
		return "regular empty file"
	}
	return "regular file"
}

func (t *tool) statFormat(format, name string, info *files.Info) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 >= len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch format[i] {
		case 'n':
			b.WriteString(name)
		case 'N':
			b.WriteString("'" + name + "'")
		case 's':
			b.WriteString(strconv.FormatInt(info.Size(), 10))
		case 'a':
			b.WriteString(strconv.FormatUint(uint64(info.Perm()), 8))
		case 'A':
			b.WriteString(permissions(info))
		case 'u':
			b.WriteString(strconv.FormatUint(uint64(info.UID()), 10))
		case 'U':
			b.WriteString(t.user(info.UID(), false))
		case 'g':
			b.WriteString(strconv.FormatUint(uint64(info.GID()), 10))
		case 'G':
			b.WriteString(t.group(info.GID(), false))
		case 'F':
			b.WriteString(kindName(info))
		case 'h':
			b.WriteString(strconv.Itoa(info.Links()))
		case 'b':
			b.WriteString(strconv.FormatInt(info.Blocks(), 10))
		case 'B':
			b.WriteString("512")
		case 'Y', 'X', 'Z':
			b.WriteString(strconv.FormatInt(info.ModTime().Unix(), 10))
		case 'y', 'x', 'z':
			b.WriteString(info.ModTime().Format("2006-01-02 15:04:05.000000000 -0700"))
		case '%':
			b.WriteByte('%')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

func readlink(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "fnv", false, nil)
	if !ok {
		return t.end()
	}
	for _, name := range names {
		var out string
		var err error
		if t.gnu && has(opts, 'e') {
			out, err = t.canonical(name, allExist)
		} else if has(opts, 'm') {
			out, err = t.canonical(name, anyMayMiss)
		} else if t.gnu && has(opts, 'f') {
			out, err = t.canonical(name, lastMayMiss)
		} else if has(opts, 'f') {
			out, err = p.RealPath(name)
		} else {
			out, err = p.Readlink(name)
		}
		if err != nil {
			t.status = 1
			continue
		}
		t.out.WriteString(out)
		if !has(opts, 'n') {
			t.out.WriteByte('\n')
		}
	}
	return t.end()
}

func realpath(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names := map[byte][]string(nil), args[1:]
	if t.gnu {
		var ok bool
		if opts, names, ok = t.options(args, "", false, nil); !ok {
			return t.end()
		}
	}
	mode := lastMayMiss
	switch {
	case has(opts, 'e'):
		mode = allExist
	case has(opts, 'm'):
		mode = anyMayMiss
	}
	end := "\n"
	if has(opts, 'z') {
		end = "\x00"
	}
	for _, name := range names {
		out, err := t.canonical(name, mode)
		if err == nil && has(opts, 'r') {
			var from string
			if from, err = t.canonical(last(opts, 'r'), mode); err == nil {
				out = relative(from, out)
			}
		}
		if err == nil && has(opts, 'b') {
			var below string
			if below, err = t.canonical(last(opts, 'b'), mode); err == nil && (out == below || strings.HasPrefix(out, strings.TrimSuffix(below, "/")+"/")) {
				out = relative(below, out)
			}
		}
		if err != nil {
			if has(opts, 'q') {
				t.status = 1
			} else {
				t.failed(name, err)
			}
			continue
		}
		t.out.WriteString(out + end)
	}
	return t.end()
}

// What a canonical path may lack.
const (
	allExist = iota
	lastMayMiss
	anyMayMiss
)

// canonical returns the path without links, dots and double slashes.
func (t *tool) canonical(name string, mode int) (string, error) {
	out, err := t.p.RealPath(name)
	if err == nil && mode != anyMayMiss {
		needed := out
		if mode == lastMayMiss {
			needed = path.Dir(out)
		}
		_, err = t.p.Stat(needed)
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
	dir, err := t.canonical(parent, mode)
	return path.Join(dir, base(trimmed)), err
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

func basename(p *container.Process, args []string) int {
	t := begin(p, args)
	rest := args[1:]
	many, suffix, end := false, "", "\n"
	if t.gnu && len(rest) > 0 && rest[0] != "--" {
		opts, operands, ok := t.options(args, "as:z", true, map[string]string{"multiple": "a", "suffix": "s:", "zero": "z"})
		if !ok {
			return t.end()
		}
		many, suffix, rest = has(opts, 'a') || has(opts, 's'), last(opts, 's'), operands
		if has(opts, 'z') {
			end = "\x00"
		}
	} else if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 || len(rest) > 2 && !many {
		return t.fail("usage: basename FILE [SUFFIX]")
	}
	if len(rest) == 2 && !many {
		rest, suffix = rest[:1], rest[1]
	}
	for _, name := range rest {
		if trimmed := strings.TrimRight(name, "/"); trimmed != "" {
			name = base(trimmed)
		} else if name != "" {
			name = "/"
		}
		if name != suffix {
			name = strings.TrimSuffix(name, suffix)
		}
		t.out.WriteString(name + end)
	}
	return t.end()
}

func dirname(p *container.Process, args []string) int {
	t := begin(p, args)
	if len(args) < 2 {
		return t.fail("usage: dirname FILE")
	}
	name := strings.TrimRight(args[len(args)-1], "/")
	switch i := strings.LastIndexByte(name, '/'); {
	case name == "":
		name = "/"
		if args[len(args)-1] == "" {
			name = "."
		}
	case i < 0:
		name = "."
	default:
		if name = strings.TrimRight(name[:i], "/"); name == "" {
			name = "/"
		}
	}
	t.out.WriteString(name + "\n")
	return t.end()
}
