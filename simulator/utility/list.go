package utility

import (
	"fmt"
	"math"
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
	return modeText(kind, info.Perm())
}

// modeText is a kind and a mode as ls prints them.
func modeText(kind byte, mode uint16) string {
	out := []byte{kind}
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

// humanCeiling is human as GNU's utilities have it: rounded up, and with a decimal below ten only.
func humanCeiling(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range "KMGTPE" {
		f /= 1024
		if tenths := math.Ceil(f * 10); tenths < 100 {
			return fmt.Sprintf("%.1f%c", tenths/10, unit)
		}
		if whole := math.Ceil(f); whole < 1024 {
			return fmt.Sprintf("%.0f%c", whole, unit)
		}
	}
	return fmt.Sprintf("%.0fE", math.Ceil(f))
}

// human is a number of bytes for people, as this version of the utility writes it.
func (t *tool) human(n int64) string {
	if t.gnu {
		return humanCeiling(n)
	}
	return human(n)
}

func readlink(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "fnqsv", false, nil)
	if !ok || !t.gnu && t.misused(names, 1, 1) || t.misused(names, 1, -1) {
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
			out, err = t.canonicalOperand(name)
		} else {
			out, err = p.Readlink(name)
		}
		if err != nil {
			if t.status = 1; has(opts, 'v') {
				if files.Errno(err) == syscall.EINVAL && !t.gnu {
					t.complain("%s: cannot read link: not a symlink", name)
				} else {
					t.complain("%s: cannot read link: %s", name, message(err))
				}
			}
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
	if len(names) > 0 && names[0] == "--" && !t.gnu {
		names = names[1:]
	}
	if t.gnu {
		var ok bool
		if opts, names, ok = t.options(args, "", false, nil); !ok {
			return t.end()
		}
	}
	if t.misused(names, 1, -1) {
		return t.end()
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
		out, err := t.canonicalOperand(name)
		if t.gnu {
			out, err = t.canonical(name, mode)
		}
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

// canonicalOperand is canonical for what may not exist yet, as BusyBox finds it: it does not take the name alone of a
// file that does not exist.
func (t *tool) canonicalOperand(name string) (string, error) {
	if _, err := t.p.Lstat(name); err != nil && !strings.Contains(strings.TrimRight(name, "/"), "/") {
		return "", err
	}
	return t.canonical(name, lastMayMiss)
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
	opts, names, ok := t.options(args, "as:", true, nil)
	if !ok || t.misused(names, 1, -1) {
		return t.end()
	}
	suffix, end := last(opts, 's'), "\n"
	if has(opts, 'z') {
		end = "\x00"
	}
	if !has(opts, 'a') && !has(opts, 's') {
		if t.misused(names, 1, 2) {
			return t.end()
		}
		if len(names) == 2 {
			names, suffix = names[:1], names[1]
		}
	}
	for _, name := range names {
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
	names, end := args[1:], "\n"
	if t.gnu {
		opts, operands, ok := t.options(args, "", false, nil)
		if !ok {
			return t.end()
		}
		if names = operands; has(opts, 'z') {
			end = "\x00"
		}
	} else if len(names) > 0 && names[0] == "--" {
		names = names[1:]
	}
	if t.misused(names, 1, -1) || !t.gnu && t.misused(names, 1, 1) {
		return t.end()
	}
	for _, name := range names {
		t.out.WriteString(parentOf(name, t.gnu) + end)
	}
	return t.end()
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
