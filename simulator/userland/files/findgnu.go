package files

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// gnuPrimary reads the tests and actions that only GNU's find has.
func (f *finder) gnuPrimary(op string) (test findTest, problem string, ok bool) {
	take := func() (string, bool) {
		if len(f.args) == 0 {
			return "", false
		}
		v := f.args[0]
		f.args = f.args[1:]
		return v, true
	}
	switch op {
	case "-mount", "-noleaf", "-ignore_readdir_race":
		return func(string, *files.Info, int) bool { return true }, "", true
	case "-ok":
		test, problem := f.exec()
		asked := func(name string, info *files.Info, depth int) bool {
			return confirms(f.t, "< %s > ? ", name) && test(name, info, depth)
		}
		return asked, problem, true
	case "-execdir", "-okdir":
		return f.execDir()
	case "-printf":
		format, given := take()
		if !given {
			return nil, "missing argument to '-printf'", true
		}
		f.acted = true
		return func(name string, info *files.Info, depth int) bool {
			f.t.Out.WriteString(f.format(format, name, info, depth))
			return true
		}, "", true
	case "-true":
		return func(string, *files.Info, int) bool { return true }, "", true
	case "-false":
		return func(string, *files.Info, int) bool { return false }, "", true
	case "-readable", "-writable", "-executable":
		bit := map[string]uint16{"-readable": 4, "-writable": 2, "-executable": 1}[op]
		return func(name string, _ *files.Info, _ int) bool { return f.t.P.Access(name, bit) == nil }, "", true
	case "-regextype":
		kind, given := take()
		if !given {
			return nil, "missing argument to '-regextype'", true
		}
		f.extended = strings.Contains(kind, "extended") || strings.Contains(kind, "egrep") || strings.Contains(kind, "awk")
		return func(string, *files.Info, int) bool { return true }, "", true
	}
	return nil, "", false
}

// execDir is -execdir: the command runs in the directory of the file.
func (f *finder) execDir() (findTest, string, bool) {
	f.acted = true
	var argv []string
	for len(f.args) > 0 && f.args[0] != ";" && f.args[0] != "+" {
		argv = append(argv, f.args[0])
		f.args = f.args[1:]
	}
	if len(f.args) == 0 || len(argv) == 0 {
		return nil, "missing argument to '-execdir'", true
	}
	f.args = f.args[1:]
	return func(name string, _ *files.Info, _ int) bool {
		full := make([]string, len(argv))
		for i, a := range argv {
			full[i] = strings.ReplaceAll(a, "{}", "./"+path.Base(name))
		}
		_ = f.t.Out.Flush()
		child, err := f.t.P.Spawn(container.Command{Path: full[0], Args: full, Dir: path.Dir(name)})
		if err != nil {
			f.t.Complain("'%s': %s", full[0], kit.Message(err))
			return false
		}
		st, err := f.t.P.Wait(child, kit.NoDeadline)
		return err == nil && st.Code == 0
	}, "", true
}

// emacs writes an expression of emacs, which find -regex takes, as a basic one: + and ? repeat without a backslash.
func emacs(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\' && i+1 < len(expr):
			b.WriteString(expr[i : i+2])
			i++
		case c == '[':
			end := kit.BracketEnd(expr[i:])
			if end < 0 {
				end = len(expr) - i - 1
			}
			b.WriteString(expr[i : i+end+1])
			i += end
		case (c == '+' || c == '?') && i > 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// format is what -printf prints for a file.
func (f *finder) format(format, name string, info *files.Info, depth int) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == '\\' && i+1 < len(format) {
			i++
			at := strings.IndexByte("abfnrtv\\0", format[i])
			if at < 0 {
				b.WriteByte('\\')
				b.WriteByte(format[i])
			} else {
				b.WriteByte("\a\b\f\n\r\t\v\\\x00"[at])
			}
			continue
		}
		if c != '%' || i+1 == len(format) {
			b.WriteByte(c)
			continue
		}
		i++
		width := i
		for i < len(format)-1 && strings.IndexByte("-0123456789", format[i]) >= 0 {
			i++
		}
		text := f.field(format[i], name, info, depth)
		if strings.IndexByte("ATC", format[i]) >= 0 && i+1 < len(format) {
			i++
			text = stamp(format[i], info)
		}
		n, _ := strconv.Atoi(strings.TrimLeft(format[width:min(i, len(format))], "-"))
		n = min(n, 4096)
		if format[width] == '-' {
			n = -n
		}
		fmt.Fprintf(&b, "%*s", n, text)
	}
	return b.String()
}

// stamp is the time of a file by a letter of strftime, "@" or "+".
func stamp(letter byte, info *files.Info) string {
	when := info.ModTime().UTC()
	switch letter {
	case '@':
		return fmt.Sprintf("%d.%09d0", when.Unix(), when.Nanosecond())
	case '+':
		return when.Format("2006-01-02+15:04:05.0000000000")
	case 'S':
		return when.Format("05.0000000000")
	case 'T':
		return when.Format("15:04:05.0000000000")
	}
	return dates.StrftimeGNU("%"+string(letter), when)
}

func (f *finder) field(letter byte, name string, info *files.Info, depth int) string {
	switch letter {
	case '%':
		return "%"
	case 'p':
		return name
	case 'f':
		return path.Base(name)
	case 'h':
		if !strings.Contains(name, "/") {
			return "."
		}
		return path.Dir(name)
	case 'P':
		return strings.TrimPrefix(strings.TrimPrefix(name, strings.TrimSuffix(f.root, "/")), "/")
	case 'H':
		return f.root
	case 'd':
		return strconv.Itoa(depth)
	case 's':
		return strconv.FormatInt(info.Size(), 10)
	case 'k':
		return strconv.FormatInt((info.Blocks()+1)/2, 10)
	case 'b':
		return strconv.FormatInt(info.Blocks(), 10)
	case 'm':
		return strconv.FormatUint(uint64(info.Perm()), 8)
	case 'M':
		return permissions(info)
	case 'u':
		return f.t.User(info.UID(), false)
	case 'g':
		return f.t.Group(info.GID(), false)
	case 'U':
		return strconv.FormatUint(uint64(info.UID()), 10)
	case 'G':
		return strconv.FormatUint(uint64(info.GID()), 10)
	case 'n':
		return fmt.Sprint(info.Links())
	case 'l':
		if info.Kind() == files.Symlink {
			return info.Target()
		}
		return ""
	case 'y', 'Y':
		return map[files.Kind]string{files.Regular: "f", files.Directory: "d", files.Symlink: "l", files.CharDevice: "c", files.Fifo: "p"}[info.Kind()]
	case 't':
		return info.ModTime().UTC().Format("Mon Jan _2 15:04:05.0000000000 2006")
	case 'A', 'T', 'C':
		return ""
	}
	return "%" + string(letter)
}
