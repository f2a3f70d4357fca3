package utility

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// become runs another program in place of this one: nohup, nice, setsid.
func become(p *container.Process, args []string) int {
	t := begin(p, args)
	letters := map[string]string{"nice": "n:", "ionice": "c:n:p:t", "setsid": "c"}[t.name]
	if t.gnu {
		letters = map[string]string{"nice": "n:", "ionice": "c:n:p:t", "setsid": "cfw"}[t.name]
	}
	opts, rest, ok := t.options(args, letters, true, map[string]string{})
	if !ok {
		return t.end()
	}
	switch t.name {
	case "nohup":
		p.Ignore(container.SIGHUP)
	case "nice":
		if n := last(opts, 'n'); has(opts, 'n') && strings.Trim(n, "+-0123456789") != "" {
			t.complain("invalid number '%s'", n)
			t.status = wrongCall(t.name, t.gnu)
			return t.end()
		}
		if len(rest) == 0 {
			t.out.WriteString("0\n")
			return t.end()
		}
	case "ionice":
		if _, ok := t.within(opts, 'n', 0, 0, 1<<31-1); !ok {
			return t.end()
		}
		if _, ok := t.within(opts, 'c', 0, 0, 3); !ok && !t.gnu {
			return t.end()
		}
		switch asks := !has(opts, 'c') && !has(opts, 'n') && !t.gnu; {
		case asks && len(rest) > 0 && !has(opts, 'p') && strings.Trim(rest[0], "0123456789") != "":
			return t.fail("invalid number '%s'", rest[0]) // it names a process
		case asks || t.gnu && len(rest) == 0:
			t.out.WriteString("none: prio 0\n")
			return t.end()
		case len(rest) == 0:
			return t.end()
		}
	case "setsid":
		p.NewGroup()
	}
	if t.misused(rest, 1, -1) {
		return t.end()
	}
	err := p.Exec(rest, p.Env) // returns only if that cannot be executed
	t.complain("can't execute '%s': %s", rest[0], message(err))
	if t.status = 126; message(err) == "No such file or directory" {
		t.status = 127
	}
	return t.end()
}

func expand(p *container.Process, args []string) int {
	t := begin(p, args)
	letters, long := "it:", map[string]string{"tabs": "t:", "initial": "i"}
	if t.name == "unexpand" {
		letters, long = "fat:", map[string]string{"tabs": "t:", "first-only": "f", "all": "a"}
	}
	opts, names, ok := t.options(args, letters, false, long)
	if !ok {
		return t.end()
	}
	width, ok := t.within(opts, 't', 8, 1, math.MaxUint32)
	if !ok {
		return t.end()
	}
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, ended bool) bool {
			if !t.gnu { // NULs are lost
				line = strings.ReplaceAll(line, "\x00", "")
			}
			if !t.unicode() {
				line = eachByte(line)
			}
			if t.name == "expand" {
				line = t.expanded(line, width, has(opts, 'i'))
			} else {
				line = unexpanded(line, width, (has(opts, 'a') || has(opts, 't')) && !has(opts, 'f'))
			}
			if !t.unicode() {
				line = fromEachByte(line)
			}
			t.out.WriteString(line)
			if ended {
				t.out.WriteByte('\n')
			}
			return true
		})
		return true
	})
	return t.end()
}

// eachByte makes each byte of a text a character, and fromEachByte makes the characters bytes again.
func eachByte(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

func fromEachByte(text string) string {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		out = append(out, byte(c))
	}
	return string(out)
}

func (t *tool) expanded(line string, width int, initial bool) string {
	var b strings.Builder
	column := 0
	for i, c := range line {
		if c != '\t' || initial && strings.TrimLeft(line[:i], " \t") != "" {
			b.WriteRune(c)
			column++
			continue
		}
		n := width - column%width
		t.passing(2*b.Len() + n)
		b.WriteString(strings.Repeat(" ", n))
		column += n
	}
	return b.String()
}

func unexpanded(line string, width int, all bool) string {
	var b strings.Builder
	column, spaces := 0, 0
	flush := func() {
		b.WriteString(strings.Repeat(" ", spaces))
		spaces = 0
	}
	leading := true
	for _, c := range line {
		if c == ' ' && (leading || all) {
			spaces++
			if column++; column%width == 0 {
				b.WriteByte('\t')
				spaces = 0
			}
			continue
		}
		if c == '\t' {
			spaces = 0
			column += width - column%width
			b.WriteByte('\t')
			continue
		}
		flush()
		leading = false
		b.WriteRune(c)
		column++
	}
	flush()
	return b.String()
}

func stringsTool(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "fon:at:", false, nil)
	if !ok {
		return t.end()
	}
	least, ok := t.within(opts, 'n', 4, 1, math.MaxInt32)
	if !ok {
		return t.end()
	}
	format := map[string]string{"d": "%7d ", "o": "%7o ", "x": "%7x "}[last(opts, 't')]
	if has(opts, 'o') {
		format = "%7o "
	}
	t.inputsOf(names, "", func(name string, r io.Reader) bool {
		data, _ := t.readAll(r)
		from := 0
		for i := 0; i <= len(data); i++ {
			if i < len(data) && (data[i] >= ' ' && data[i] <= '~' || data[i] == '\t') {
				continue
			}
			if i-from >= least {
				if has(opts, 'f') {
					t.out.WriteString(name + ": ")
				}
				if format != "" {
					fmt.Fprintf(t.out, format, from)
				}
				t.out.Write(data[from:i])
				t.out.WriteByte('\n')
			}
			from = i + 1
		}
		return true
	})
	return t.end()
}

// unix is dos2unix and unix2dos.
func unix(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "ud", false, nil)
	if !ok {
		return t.end()
	}
	dos := t.name == "unix2dos" && !has(opts, 'u') || has(opts, 'd')
	convert := func(data []byte) []byte {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		if dos {
			data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		}
		return data
	}
	if len(names) == 0 {
		data, _ := t.readAll(p.Stdin())
		t.out.Write(convert(data))
	}
	for _, name := range names {
		data, err := p.ReadFile(name)
		if err == nil {
			err = p.WriteFile(name, convert(data), 0o644)
		}
		if err != nil {
			t.failed(name, err)
		}
	}
	return t.end()
}

// longestName is the most bytes that a name of a file has.
const longestName = 255

func split(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "l:b:a:d", false, map[string]string{"lines": "l:", "bytes": "b:", "suffix-length": "a:"})
	if !ok {
		return t.end()
	}
	prefix, length := "x", 2
	if length, ok = t.within(opts, 'a', length, 1, math.MaxUint32); !ok {
		return t.end()
	}
	if len(names) > 1 {
		prefix = names[1]
	}
	if length > longestName-len(base(prefix)) {
		return t.fail("suffix too long")
	}
	size := int64(1000)
	for _, l := range []byte("lb") {
		if has(opts, l) {
			if size, ok = count(last(opts, l)); !ok || size < 1 {
				return t.fail("invalid number '%s'", last(opts, l))
			}
		}
	}
	n := 0
	write := func(chunk []byte) {
		name := ""
		for i, x := 0, n; i < length; i++ {
			name = string(rune('a'+x%26)) + name
			x /= 26
		}
		n++
		if err := p.WriteFile(prefix+name, chunk, 0o666); err != nil {
			t.failed(prefix+name, err)
		}
	}
	t.inputs(names[:min(1, len(names))], func(_ string, r io.Reader) bool {
		data, _ := t.readAll(r)
		for len(data) > 0 {
			end := int(min(size, int64(len(data))))
			if !has(opts, 'b') {
				end = 0
				for i := int64(0); i < size && end < len(data); i++ {
					next := bytes.IndexByte(data[end:], '\n')
					if next < 0 {
						end = len(data)
						break
					}
					end += next + 1
				}
			}
			write(bytes.Clone(data[:end]))
			data = data[end:]
		}
		return true
	})
	return t.end()
}

// shuf puts lines into an order of the container's entropy.
func shuf(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "en:i:o:z", false, nil)
	if !ok {
		return t.end()
	}
	if !has(opts, 'e') && t.misused(names, 0, 1) {
		return t.end()
	}
	var all []string
	switch {
	case has(opts, 'e'):
		all = names
	case has(opts, 'i'):
		low, high, _ := strings.Cut(last(opts, 'i'), "-")
		from, to := atoi(low), atoi(high)
		if to < from {
			return t.fail("bad range '%s'", last(opts, 'i'))
		}
		t.p.Allocate(int64(min(to-from+1, math.MaxInt32)) * 32)
		for n := from; n <= to; n++ {
			all = append(all, strconv.Itoa(n))
		}
	default:
		t.nul = !t.gnu && !t.zero
		t.inputs(names, func(_ string, r io.Reader) bool {
			_ = t.lines(r, func(line string, _ bool) bool {
				t.hold(line)
				all = append(all, line)
				return true
			})
			return true
		})
	}
	all = slices.Clone(all)
	random := p.Random()
	for i := len(all) - 1; i > 0; i-- {
		j := random.IntN(i + 1)
		all[i], all[j] = all[j], all[i]
	}
	if has(opts, 'n') {
		all = all[:min(len(all), max(0, atoi(last(opts, 'n'))))]
	}
	for _, line := range all {
		t.out.WriteString(line + "\n")
	}
	return t.end()
}

// install copies files and sets their mode, or makes directories.
func install(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cdDpsm:o:g:t:", false, nil)
	if !ok {
		return t.end()
	}
	mode := uint64(0o755)
	if has(opts, 'm') {
		var err error
		if mode, err = strconv.ParseUint(last(opts, 'm'), 8, 16); err != nil {
			return t.fail("invalid mode '%s'", last(opts, 'm'))
		}
	}
	if has(opts, 'd') {
		for _, name := range names {
			if err := p.MkdirAll(name, 0o755); err != nil {
				t.failed(name, err)
			} else if err := p.Chmod(name, uint16(mode)); err != nil {
				t.failed(name, err)
			}
		}
		return t.end()
	}
	target := last(opts, 't')
	if target == "" && len(names) > 1 {
		target, names = names[len(names)-1], names[:len(names)-1]
	}
	if target == "" || len(names) == 0 {
		return t.usage()
	}
	for _, name := range names {
		to := target
		if info, err := p.Stat(target); err == nil && info.IsDir() || has(opts, 't') {
			to = path.Join(target, path.Base(name))
		}
		if has(opts, 'D') {
			if err := p.MkdirAll(path.Dir(to), 0o755); err != nil {
				t.failed(to, err)
			}
		}
		data, err := p.ReadFile(name)
		if err == nil {
			_ = p.Unlink(to)
			err = p.WriteFile(to, data, 0o600)
		}
		if err == nil {
			err = p.Chmod(to, uint16(mode))
		}
		if err != nil {
			t.failed(name, err)
		}
	}
	return t.end()
}

// cksum prints checksums as POSIX defines them.
func cksum(p *container.Process, args []string) int {
	t := begin(p, args)
	t.inputs(args[1:], func(name string, r io.Reader) bool {
		data, _ := t.readAll(r)
		crc := uint32(0)
		feed := func(b byte) {
			crc ^= uint32(b) << 24
			for range 8 {
				if crc&(1<<31) != 0 {
					crc = crc<<1 ^ 0x04c11db7
				} else {
					crc <<= 1
				}
			}
		}
		for _, b := range data {
			feed(b)
		}
		for n := len(data); n > 0; n >>= 8 {
			feed(byte(n))
		}
		if name == "-" {
			name = ""
		} else {
			name = " " + name
		}
		fmt.Fprintf(t.out, "%d %d%s\n", ^crc, len(data), name)
		return true
	})
	return t.end()
}

func mountpoint(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "qdnx", false, nil)
	if !ok || t.misused(names, 1, 1) {
		return t.end()
	}
	clean, err := p.RealPath(names[0])
	if err != nil {
		t.failed(names[0], err)
		return t.end()
	}
	is := slices.ContainsFunc(p.View.Mounts(), func(m files.Mount) bool { return m.Path == clean })
	t.status = btoi(!is)
	if !has(opts, 'q') {
		if is {
			t.out.WriteString(names[0] + " is a mountpoint\n")
		} else {
			t.out.WriteString(names[0] + " is not a mountpoint\n")
		}
	}
	return t.end()
}
