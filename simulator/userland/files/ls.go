package files

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// listed is a file to be listed under a name.
type listed struct {
	name, full string
	info       *files.Info
}

// lister is an ls at work.
type lister struct {
	*kit.Tool
	opts   map[byte][]string
	format byte // how to list: '1' (a name a line), 'l' (long), 'C' (columns) or 'x' (columns, along lines)
	width  int
	color  bool
	header bool // name each directory above its entries
	widths lsWidths
}

// lsWidths are how wide the columns of a list are: as wide as the widest entry in GNU's version, and always the same in
// BusyBox's.
type lsWidths struct{ inode, blocks, links, user, group, size int }

// measure finds the widths for a list.
func (l *lister) measure(list []listed) {
	if !l.GNU {
		l.widths = lsWidths{inode: 7, blocks: 6, links: 4, user: 8, group: 8, size: 9}
		return
	}
	w := lsWidths{}
	numeric := kit.Has(l.opts, 'n')
	for _, e := range list {
		w.inode = max(w.inode, len(strconv.FormatUint(e.info.Inode(), 10)))
		w.blocks = max(w.blocks, len(l.blocks(e.info)))
		w.links = max(w.links, len(strconv.Itoa(e.info.Links())))
		w.user = max(w.user, len(l.User(e.info.UID(), numeric)))
		w.group = max(w.group, len(l.Group(e.info.GID(), numeric)))
		w.size = max(w.size, len(l.size(e.info)))
	}
	l.widths = w
}

// blocks is what a file takes, in kibibytes.
func (l *lister) blocks(info *files.Info) string {
	if kit.Has(l.opts, 'h') && l.GNU {
		return humanCeiling(info.Blocks() * 512)
	}
	return strconv.FormatInt(info.Blocks()/2, 10)
}

// size is the column of sizes, which has the numbers of devices, too.
func (l *lister) size(info *files.Info) string {
	switch {
	case info.Kind() == files.CharDevice && l.GNU:
		return fmt.Sprintf("%d, %3d", 1, 3)
	case info.Kind() == files.CharDevice:
		return fmt.Sprintf("%4d, %3d", 1, 3)
	case kit.Has(l.opts, 'h') && l.GNU:
		return humanCeiling(info.Size())
	case kit.Has(l.opts, 'h'):
		return fmt.Sprintf("%7s", human(info.Size()))
	}
	return fmt.Sprintf("%*d", l.widths.size, info.Size())
}

// Ls is the utility ls.
func Ls(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	letters := "acdghiklnprstuvw:xACFHLQRST:X1"
	if t.GNU {
		letters = "acdghiklnprstuvw:xACFHLQRSTX1"
	}
	opts, names, ok := t.Options(args, letters, false, map[string]string{"color": "K?", "full-time": "f", "group-directories-first": "D"})
	if !ok {
		return t.End()
	}
	l := lister{Tool: t, opts: opts, format: '1', header: len(names) > 1}
	if l.width, ok = t.Within(opts, 'w', 80, 0, 1<<31-1); !ok {
		return t.End()
	}
	l.color = slices.Contains([]string{"", "always", "yes", "force"}, kit.Last(opts, 'K')) && kit.Has(opts, 'K')
	for _, letter := range t.Given { // the last one counts
		switch letter {
		case 'C', 'x', 'l':
			l.format = letter
		case 'g', 'n', 'f', 'o':
			l.format = 'l'
		case '1':
			if l.format != 'l' {
				l.format = '1'
			}
		}
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	var plain, dirs []listed
	for _, name := range names {
		info, err := l.operand(name)
		if err != nil {
			if t.Failed(name, err); t.GNU {
				t.Status = kit.WrongCall(t.Name, true)
			}
			continue
		}
		if info.IsDir() && !kit.Has(opts, 'd') {
			dirs = append(dirs, listed{name, name, info})
		} else {
			plain = append(plain, listed{name, name, info})
		}
	}
	l.sort(plain)
	l.sort(dirs)
	l.show(plain)
	for i, d := range dirs {
		if i > 0 || len(plain) > 0 {
			t.Out.WriteByte('\n')
		}
		l.directory(d.name)
	}
	return t.End()
}

// operand finds what an operand names: what a link points to, unless the links themselves are described.
func (l *lister) operand(name string) (*files.Info, error) {
	opaque := l.format == 'l' || kit.Has(l.opts, 'l') || kit.Has(l.opts, 'i') || kit.Has(l.opts, 's') || kit.Has(l.opts, 'F') || l.GNU && kit.Has(l.opts, 'd')
	if opaque && !kit.Has(l.opts, 'H') && !kit.Has(l.opts, 'L') {
		return l.P.Lstat(name)
	}
	info, err := l.P.Stat(name)
	if err != nil && l.GNU {
		return l.P.Lstat(name)
	}
	return info, err
}

func (l *lister) sort(list []listed) {
	bySize, byTime := kit.Has(l.opts, 'S'), kit.Has(l.opts, 't') || kit.Has(l.opts, 'c') && l.format != 'l' || kit.Has(l.opts, 'u') && l.format != 'l'
	slices.SortStableFunc(list, func(a, b listed) int {
		c := 0
		switch {
		case kit.Has(l.opts, 'D') && l.leads(a) != l.leads(b):
			c = kit.Btoi(l.leads(b)) - kit.Btoi(l.leads(a))
		case kit.Has(l.opts, 'U'):
			return 0
		case bySize && byTime:
		case byTime:
			c = b.info.ModTime().Compare(a.info.ModTime())
		case bySize:
			c = int(b.info.Size() - a.info.Size())
		case kit.Has(l.opts, 'X'):
			c = strings.Compare(path.Ext(a.name), path.Ext(b.name))
		case kit.Has(l.opts, 'v'):
			c = kit.CompareVersions(a.name, b.name)
		}
		if c == 0 {
			c = strings.Compare(a.name, b.name)
		}
		if kit.Has(l.opts, 'r') {
			c = -c
		}
		return c
	})
}

// leads reports whether a file comes first with --group-directories-first.
func (l *lister) leads(e listed) bool {
	if e.info.Kind() != files.Symlink || !l.GNU {
		return e.info.IsDir()
	}
	to, err := l.P.Stat(e.full)
	return err == nil && to.IsDir()
}

// entries returns what of a directory is to be listed.
func (l *lister) entries(dir string) ([]listed, error) {
	found, err := l.P.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(dir, "/") + "/"
	var list []listed
	if kit.Has(l.opts, 'a') {
		for _, name := range []string{".", ".."} {
			if info, err := l.P.Lstat(prefix + name); err == nil {
				list = append(list, listed{name, prefix + name, info})
			}
		}
	}
	for _, info := range found {
		name := info.Name()
		if strings.HasPrefix(name, ".") && !kit.Has(l.opts, 'a') && !kit.Has(l.opts, 'A') {
			continue
		}
		if kit.Has(l.opts, 'L') {
			to, err := l.P.Stat(prefix + name)
			if err != nil {
				l.Failed(prefix+name, err)
				if !l.GNU {
					continue
				}
			} else {
				info = to
			}
		}
		list = append(list, listed{name, prefix + name, info})
	}
	return list, nil
}

func (l *lister) directory(dir string) {
	list, err := l.entries(dir)
	if l.header || kit.Has(l.opts, 'R') {
		l.Out.WriteString(dir + ":\n")
	}
	if err != nil {
		l.Complain("can't open '%s': %s", dir, kit.Message(err))
		return
	}
	l.sort(list)
	if l.format == 'l' || kit.Has(l.opts, 's') {
		var blocks int64
		for _, e := range list {
			blocks += e.info.Blocks()
		}
		if kib := (blocks + 1) / 2; !kit.Has(l.opts, 'h') {
			fmt.Fprintf(l.Out, "total %d\n", kib)
		} else if l.GNU {
			fmt.Fprintf(l.Out, "total %s\n", humanCeiling(kib*1024))
		} else {
			fmt.Fprintf(l.Out, "total %-7s\n", strings.Replace(human(kib*1024), ".0", "", 1))
		}
	}
	l.show(list)
	if !kit.Has(l.opts, 'R') {
		return
	}
	for _, e := range list {
		if e.info.IsDir() && e.name != "." && e.name != ".." {
			l.Out.WriteByte('\n')
			l.directory(e.full)
		}
	}
}

// show prints a list of files, in columns if that was asked for.
func (l *lister) show(list []listed) {
	l.measure(list)
	columns, width := 1, 0
	if l.format == 'C' || l.format == 'x' {
		for _, e := range list {
			width = max(width, len([]rune(e.name)))
		}
		width += 2 + 8*kit.Btoi(kit.Has(l.opts, 'i')) + 5*kit.Btoi(kit.Has(l.opts, 's'))
		columns = max(1, l.width/width)
	}
	rows := (len(list) + columns - 1) / columns
	for row := range rows {
		column, next := 0, 0
		for i := range columns {
			at := i*rows + row
			if l.format == 'x' {
				at = row*columns + i
			}
			if at >= len(list) {
				continue
			}
			if column > 0 {
				fmt.Fprintf(l.Out, "%*s", next-column, "")
				column = next
			}
			next = column + width
			column += l.one(list[at])
		}
		l.Out.WriteByte('\n')
	}
}

// one prints one file without a newline, and returns how many columns that took.
func (l *lister) one(e listed) int {
	const perEntry = 128
	l.Effort(perEntry)
	var before strings.Builder
	if kit.Has(l.opts, 'i') {
		fmt.Fprintf(&before, "%*d ", l.widths.inode, e.info.Inode())
	}
	if kit.Has(l.opts, 's') {
		fmt.Fprintf(&before, "%*s ", l.widths.blocks, l.blocks(e.info))
	}
	if l.format == 'l' {
		l.describe(&before, e.info)
	}
	l.Out.WriteString(before.String())
	name := l.name(e.name)
	l.Out.WriteString(l.painted(name, e.info))
	if l.format == 'l' && e.info.Kind() == files.Symlink {
		to, err := l.P.Stat(e.full)
		if err != nil {
			to = e.info
		}
		l.Out.WriteString(" -> " + l.painted(l.name(e.info.Target()), to))
		return 0 // nothing follows on the line
	}
	indicator := l.indicator(e.info)
	l.Out.WriteString(indicator)
	return before.Len() + len([]rune(name)) + len(indicator)
}

func (l *lister) name(name string) string {
	if kit.Has(l.opts, 'Q') {
		return `"` + strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), `"`, `\"`) + `"`
	}
	return name
}

// describe prints the columns of a long list.
func (l *lister) describe(b *strings.Builder, info *files.Info) {
	numeric := kit.Has(l.opts, 'n')
	w := l.widths
	most := 8 // of a name's characters
	if l.GNU {
		most = max(w.user, w.group)
	}
	fmt.Fprintf(b, "%s %*d ", permissions(info), w.links, info.Links())
	if !kit.Has(l.opts, 'g') {
		fmt.Fprintf(b, "%-*.*s ", w.user, most, l.User(info.UID(), numeric))
	}
	if !kit.Has(l.opts, 'o') && !(l.GNU && kit.Has(l.opts, 'G')) {
		fmt.Fprintf(b, "%-*.*s ", w.group, most, l.Group(info.GID(), numeric))
	}
	if l.GNU {
		fmt.Fprintf(b, "%*s ", w.size, l.size(info))
	} else {
		b.WriteString(l.size(info) + " ")
	}
	b.WriteString(l.stamp(info.ModTime()) + " ")
}

// indicator is what -F and -p put behind a name.
func (l *lister) indicator(info *files.Info) string {
	all := kit.Has(l.opts, 'F')
	switch {
	case !all && !kit.Has(l.opts, 'p'):
		return ""
	case info.IsDir():
		return "/"
	case !all:
		return ""
	case info.Kind() == files.Symlink:
		return "@"
	case info.Kind() == files.Fifo:
		return "|"
	case info.Kind() == files.Regular && info.Perm()&0o111 != 0:
		return "*"
	}
	return ""
}

// painted puts a name into the color of its kind, if asked to.
func (l *lister) painted(name string, info *files.Info) string {
	if !l.color {
		return name
	}
	code := "0;0"
	switch {
	case info.IsDir():
		code = "1;34"
	case info.Kind() == files.Symlink:
		code = "1;36"
	case info.Kind() == files.Fifo:
		code = "0;35"
	case info.Kind() == files.CharDevice:
		code = "1;33"
	case info.Perm()&0o111 != 0:
		code = "1;32"
	}
	return "\x1b[" + code + "m" + name + "\x1b[m"
}
