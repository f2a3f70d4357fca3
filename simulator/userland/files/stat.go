package files

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// terse is the format of stat -t.
const terse = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o"

// Stat is the utility stat.
func Stat(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "c:ftL", false, nil)
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	for _, name := range names {
		if kit.Has(opts, 'f') {
			fileSystem(t, opts, name)
			continue
		}
		info, err := p.Lstat(name)
		if kit.Has(opts, 'L') {
			info, err = p.Stat(name)
		}
		if err != nil {
			t.Complain("can't stat '%s': %s", name, kit.Message(err))
			continue
		}
		switch {
		case kit.Has(opts, 'c'):
			t.Out.WriteString(statFormat(t, kit.Last(opts, 'c'), name, info) + "\n")
		case kit.Has(opts, 'p'): // --printf: with escapes, without a newline
			format, _ := formatting.Escapes(kit.Last(opts, 'p'), formatting.FormatString)
			t.Out.WriteString(statFormat(t, format, name, info))
		case kit.Has(opts, 't'):
			t.Out.WriteString(statFormat(t, terse, name, info) + "\n")
		default:
			describeFile(t, name, info)
		}
	}
	return t.End()
}

// describeFile prints everything about a file.
func describeFile(t *kit.Tool, name string, info *files.Info) {
	shown := name
	if info.Kind() == files.Symlink {
		if shown = "'" + name + "' -> '" + info.Target() + "'"; t.GNU {
			shown = name + " -> " + info.Target()
		}
	}
	fmt.Fprintf(t.Out, "  File: %s\n  Size: %-10d\tBlocks: %-10d IO Block: 4096   %s\n", shown, info.Size(), info.Blocks(), kindName(info))
	fmt.Fprintf(t.Out, "Device: %xh/%dd\tInode: %-10d  Links: %d\n", device, device, info.Inode(), info.Links())
	fmt.Fprintf(t.Out, "Access: (%04o/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", info.Perm(), permissions(info), info.UID(), t.User(info.UID(), false), info.GID(), t.Group(info.GID(), false))
	stamp := info.ModTime().UTC().Format("2006-01-02 15:04:05.000000000 -0700")
	fmt.Fprintf(t.Out, "Access: %s\nModify: %s\nChange: %s\n", stamp, stamp, stamp)
}

// device is the number of the device that all files are on.
const device = 0xfe00

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

// mode is what C's st_mode holds: the kind and the permissions.
func mode(info *files.Info) uint32 {
	kind := map[files.Kind]uint32{files.Regular: 0o100000, files.Directory: 0o040000, files.Symlink: 0o120000, files.CharDevice: 0o020000, files.Fifo: 0o010000}
	return kind[info.Kind()] | uint32(info.Perm())
}

// statFormat prints a file by the format of -c.
func statFormat(t *kit.Tool, format, name string, info *files.Info) string {
	t.Passing(strings.Count(format, "%") * kit.MostPadded)
	return formatFields(format, func(letter byte) (string, bool) {
		switch letter {
		case 'n':
			return name, true
		case 'N':
			switch {
			case info.Kind() == files.Symlink:
				return "'" + name + "' -> '" + info.Target() + "'", true
			case t.GNU:
				return "'" + name + "'", true
			}
			return name, true
		case 'A':
			return permissions(info), true
		case 'U':
			return t.User(info.UID(), false), true
		case 'G':
			return t.Group(info.GID(), false), true
		case 'F':
			return kindName(info), true
		case 'y', 'x', 'z':
			return info.ModTime().UTC().Format("2006-01-02 15:04:05.000000000 -0700"), true
		case 's':
			return strconv.FormatInt(info.Size(), 10), true
		case 'a':
			return strconv.FormatUint(uint64(info.Perm()), 8), true
		case 'f':
			return strconv.FormatUint(uint64(mode(info)), 16), true
		case 'u':
			return strconv.FormatUint(uint64(info.UID()), 10), true
		case 'g':
			return strconv.FormatUint(uint64(info.GID()), 10), true
		case 'h':
			return strconv.Itoa(info.Links()), true
		case 'i':
			return strconv.FormatUint(info.Inode(), 10), true
		case 'b':
			return strconv.FormatInt(info.Blocks(), 10), true
		case 'B':
			return "512", true
		case 'o':
			return "4096", true
		case 'd':
			return strconv.Itoa(device), true
		case 'D':
			return strconv.FormatInt(device, 16), true
		case 't', 'T':
			return "0", true
		case 'Y', 'X', 'Z', 'W':
			return strconv.FormatInt(info.ModTime().Unix(), 10), true
		}
		return string(letter), !t.GNU
	})
}

// formatFields replaces the letters behind % in a format, with the flags and width of printf. An unknown letter becomes
// a question mark.
func formatFields(format string, field func(letter byte) (text string, known bool)) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 >= len(format) {
			b.WriteByte(format[i])
			continue
		}
		start := i + 1
		for i++; i < len(format)-1 && strings.IndexByte("#-+.I 0123456789", format[i]) >= 0; i++ {
		}
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		text, known := field(format[i])
		if !known {
			text = "?"
		}
		flags := format[start:i]
		width, _, _ := strings.Cut(strings.TrimLeft(flags, "#-+I 0"), ".")
		n, _ := strconv.Atoi(width)
		n = min(n, kit.MostPadded)
		fill := " "
		if lead := flags[:len(flags)-len(strings.TrimLeft(flags, "#-+I 0"))]; strings.Contains(lead, "-") {
			b.WriteString(text + strings.Repeat(" ", max(0, n-len(text))))
			continue
		} else if strings.Contains(lead, "0") {
			fill = "0"
		}
		b.WriteString(strings.Repeat(fill, max(0, n-len(text))) + text)
	}
	return b.String()
}

// fileSystem describes the file system that a file is on: stat -f.
func fileSystem(t *kit.Tool, opts map[byte][]string, name string) {
	used, limit, at, err := t.P.SpaceOf(name)
	if err != nil {
		t.Complain("can't read file system information for '%s': %s", name, kit.Message(err))
		return
	}
	kind, magic := "ext2/ext3", "ef53"
	for _, m := range t.P.Container().View().Mounts() {
		if m.Path == at && (m.Type == "tmpfs" || m.Volume != nil && m.Volume.Memory()) {
			kind, magic = "tmpfs", "1021994"
		}
	}
	if place, err := t.P.RealPath(name); err == nil { // what is not a volume here
		switch top, _, _ := strings.Cut(strings.TrimPrefix(place, "/"), "/"); top {
		case "proc":
			kind, magic = "proc", "9fa0"
		case "sys":
			kind, magic = "sysfs", "62656572"
		case "dev":
			kind, magic = "tmpfs", "1021994"
		}
	}
	const block, most = 4096, 1 << 40
	if limit <= 0 {
		limit = most
	}
	total, free := limit/block, (limit-used)/block
	format := "  File: \"%n\"\n    ID: %i Namelen: %l     Type: %T\nBlock size: %s\nBlocks: Total: %b   Free: %f   Available: %a\nInodes: Total: %c   Free: %d"
	switch {
	case kit.Has(opts, 'c'):
		format = kit.Last(opts, 'c')
	case kit.Has(opts, 't'):
		format = "%n %i %l %t %s %b %f %a %c %d"
	}
	t.Out.WriteString(formatFields(format, func(letter byte) (string, bool) {
		switch letter {
		case 'n':
			return name, true
		case 'i':
			return "0", true
		case 'l':
			return "255", true
		case 't':
			return magic, true
		case 'T':
			return kind, true
		case 's', 'S':
			return strconv.Itoa(block), true
		case 'b', 'c':
			return strconv.FormatInt(total, 10), true
		case 'f', 'a', 'd':
			return strconv.FormatInt(free, 10), true
		}
		return string(letter), !t.GNU
	}) + "\n")
}
