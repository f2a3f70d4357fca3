package utility

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// errDirectory is what reading a directory gives.
const errDirectory = syscall.EISDIR

func message(err error) string { return files.Message(err) }

func cat(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "nuevbstAET", false, nil)
	if !ok {
		return t.end()
	}
	number := 0
	t.inputs(names, func(name string, r io.Reader) bool {
		visible := has(opts, 'v') || has(opts, 'e') || has(opts, 't') || has(opts, 'A')
		ends := has(opts, 'E') || has(opts, 'e') || has(opts, 'A')
		tabs := has(opts, 'T') || has(opts, 't') || has(opts, 'A')
		if visible || ends || tabs || has(opts, 'n') || has(opts, 'b') || has(opts, 's') {
			blank := false
			_ = t.lines(r, func(line string, ended bool) bool {
				if has(opts, 's') && line == "" && blank {
					return true
				}
				blank = line == ""
				if has(opts, 'n') && !has(opts, 'b') || has(opts, 'b') && line != "" {
					number++
					fmt.Fprintf(t.out, "%6d\t", number)
				}
				for _, c := range []byte(line) {
					switch {
					case c == '\t' && tabs:
						t.out.WriteString("^I")
					case c == '\t' || !visible:
						t.out.WriteByte(c)
					default:
						t.out.WriteString(shown(c))
					}
				}
				if ends {
					t.out.WriteByte('$')
				}
				if ended {
					t.out.WriteByte('\n')
				}
				return true
			})
			return true
		}
		if err := t.copy(r); err != nil {
			t.failed(name, err)
			return t.status == 1
		}
		return true
	})
	return t.end()
}

// shown is a byte as cat -v shows it.
func shown(c byte) string {
	prefix := ""
	if c >= 128 {
		prefix, c = "M-", c-128
	}
	switch {
	case c < ' ':
		return prefix + "^" + string(c+'@')
	case c == 127:
		return prefix + "^?"
	}
	return prefix + string(c)
}

// copy copies input to output as it comes: nothing waits in a buffer.
func (t *tool) copy(r io.Reader) error {
	buf := make([]byte, 1024)
	if t.out.Buffered() > 0 {
		_ = t.out.Flush()
	}
	for {
		n, err := r.Read(buf)

		if n > 0 {
			if _, werr := t.p.Write(1, buf[:n]); werr != nil {
				return werr
			}
			t.p.Spend(0)
			if n == len(buf) && n < 32<<10 {
				buf = make([]byte, 32<<10)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// count reads a number with a suffix: k, m, g, b.
func count(text string) (int64, bool) {
	unit := int64(1)
	if text != "" {
		switch text[len(text)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		case 'b':
			unit = 512
		}
		if unit > 1 {
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > 1<<40 {
		return 0, false
	}
	return n * unit, true
}

// oldStyle turns -5 into -n 5.
func oldStyle(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out[1:] {
		if len(a) > 1 && a[0] == '-' && a[1] >= '0' && a[1] <= '9' && out[i] != "-n" && out[i] != "-c" {
			out[i+1] = "-n" + a[1:]
		}
	}
	return out
}

// amount is what head and tail are asked for, in lines or bytes: ten lines unless told otherwise.
func amount(opts map[byte][]string) string {
	switch {
	case has(opts, 'c'):
		return last(opts, 'c')
	case has(opts, 'n'):
		return last(opts, 'n')
	}
	return "10"
}

func head(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(oldStyle(args), "n:c:qv", false, nil)
	if !ok {
		return t.end()
	}
	text := amount(opts)
	butLast := strings.HasPrefix(text, "-")
	n, valid := count(strings.TrimPrefix(text, "-"))
	if !valid {
		return t.fail("invalid number '%s'", text)
	}
	first := true
	t.inputsOf(names, "", func(name string, r io.Reader) bool {
		t.header(name, len(names) > 1 && !has(opts, 'q') || has(opts, 'v'), &first)
		switch {
		case butLast:
			data, _ := t.readAll(r)
			if has(opts, 'c') {
				t.out.Write(data[:max(0, int64(len(data))-n)])
				break
			}
			all := bytes.SplitAfter(data, []byte("\n"))
			if len(all) > 0 && len(all[len(all)-1]) == 0 {
				all = all[:len(all)-1]
			}
			for _, line := range all[:max(0, int64(len(all))-n)] {
				t.out.Write(line)
			}
		case has(opts, 'c'):
			_, _ = io.Copy(t.out, io.LimitReader(r, n))
		default:
			left := n
			if left == 0 {
				break
			}
			_ = t.lines(r, func(line string, ended bool) bool {
				t.out.WriteString(line)
				if ended {
					t.out.WriteByte('\n')
				}
				left--
				return left > 0
			})
		}
		return true
	})
	return t.end()
}

func (t *tool) header(name string, show bool, first *bool) {
	if !show {
		return
	}
	if !*first {
		t.out.WriteByte('\n')
	}
	*first = false
	if name == "-" {
		name = "standard input"
	}
	fmt.Fprintf(t.out, "==> %s <==\n", name)
}

func tail(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(oldStyle(args), "n:c:qvfFs:", false, nil)
	if !ok {
		return t.end()
	}
	text := amount(opts)
	from := strings.HasPrefix(text, "+")
	n, valid := count(strings.TrimLeft(text, "+-"))
	if !valid {
		return t.fail("invalid number '%s'", text)
	}
	first := true
	t.inputs(names, func(name string, r io.Reader) bool {
		t.header(name, len(names) > 1 && !has(opts, 'q') || has(opts, 'v'), &first)
		data, _ := t.readAll(r)
		switch {
		case has(opts, 'c') && from:
			t.out.Write(data[min(int64(len(data)), max(0, n-1)):])
		case has(opts, 'c'):
			t.out.Write(data[max(0, int64(len(data))-n):])
		default:
			all := bytes.SplitAfter(data, []byte("\n"))
			if len(all) > 0 && len(all[len(all)-1]) == 0 {
				all = all[:len(all)-1]
			}
			start := max(0, int64(len(all))-n)
			if from {
				start = min(int64(len(all)), max(0, n-1))
			}
			for _, line := range all[start:] {
				t.out.Write(line)
			}
		}
		return true
	})
	if (has(opts, 'f') || has(opts, 'F')) && len(names) > 0 && t.status == 0 {
		_ = t.out.Flush()
		t.follow(names[len(names)-1])
	}
	return t.end()
}

// follow prints what is appended to a file, for ever.
func (t *tool) follow(name string) {
	info, err := t.p.Stat(name)
	if err != nil {
		return
	}
	off := info.Size()
	changed := true
	sub := t.p.Watch(func() { changed = true }, name)
	defer sub.Close()
	for {
		data, err := t.p.ReadFile(name)
		if err == nil {
			if int64(len(data)) < off {
				off = 0
			}
			if int64(len(data)) > off {
				t.p.Write(1, data[off:])
				off = int64(len(data))
			}
		}
		changed = false
		if t.p.Block(noDeadline, func() bool { return changed }) != nil {
			return
		}
	}
}

func tee(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "ai", false, nil)
	if !ok {
		return t.end()
	}
	flags := files.Write | files.Create | files.Truncate
	if has(opts, 'a') {
		flags = files.Append | files.Create
	}
	fds := []int{1}
	for _, name := range names {
		fd, err := p.OpenFile(name, flags, 0o666)
		if err != nil {
			t.failed(name, err)
			continue
		}
		fds = append(fds, fd)
	}
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(0, buf)
		for _, fd := range fds {
			if n > 0 {
				if _, werr := p.Write(fd, buf[:n]); werr != nil && t.status == 0 && (fd != 1 || t.gnu) { // BusyBox does not look at standard output
					t.complain("write error: %s", message(werr))
				}
			}
		}
		if err != nil {
			if err != io.EOF && t.status == 0 {
				t.status = 1
			}
			return t.end()
		}
	}
}

// trSet expands a set of tr.
func trSet(text string) []byte {
	var out []byte
	text, _ = Escapes(text, FormatString)
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "[:") {
			if end := strings.Index(text[i:], ":]"); end > 0 {
				for c := 0; c < 256; c++ {
					if byteClass(text[i+2:i+end], byte(c)) {
						out = append(out, byte(c))
					}
				}
				i += end + 1
				continue
			}
		}
		if i+2 < len(text) && text[i+1] == '-' && text[i+2] >= text[i] {
			for c := int(text[i]); c <= int(text[i+2]); c++ {
				out = append(out, byte(c))
			}
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return out
}

func byteClass(name string, c byte) bool {
	upper, lower, digit := c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9'
	switch name {
	case "alpha":
		return upper || lower
	case "digit":
		return digit
	case "alnum":
		return upper || lower || digit
	case "upper":
		return upper
	case "lower":
		return lower
	case "space":
		return c == ' ' || c >= '\t' && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return c > ' ' && c < 127 && !upper && !lower && !digit
	case "cntrl":
		return c < ' ' || c == 127
	case "print":
		return c >= ' ' && c < 127
	case "graph":
		return c > ' ' && c < 127
	case "xdigit":
		return digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	}
	return false
}

func tr(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, sets, ok := t.options(args, "cCdst", true, nil)
	if !ok {
		return t.end()
	}
	if len(sets) == 0 || len(sets) == 1 && !has(opts, 'd') && !has(opts, 's') {
		return t.fail("usage: tr [-cds] STRING1 [STRING2]")
	}
	first := trSet(sets[0])
	if has(opts, 'c') || has(opts, 'C') {
		var inverse []byte
		for c := range 256 {
			if bytes.IndexByte(first, byte(c)) < 0 {
				inverse = append(inverse, byte(c))
			}
		}
		first = inverse
	}
	var to [256]int16
	for i := range to {
		to[i] = int16(i)
	}
	squeeze := [256]bool{}
	var second []byte
	if len(sets) > 1 {
		second = trSet(sets[1])
	}
	switch {
	case has(opts, 'd'):
		for _, c := range first {
			to[c] = -1
		}
		if has(opts, 's') {
			for _, c := range second {
				squeeze[c] = true
			}
		}
	case len(second) > 0:
		for i := len(first) - 1; i >= 0; i-- {
			to[first[i]] = int16(second[min(i, len(second)-1)])
		}
		if has(opts, 's') {
			for _, c := range second {
				squeeze[c] = true
			}
		}
	default:
		for _, c := range first {
			squeeze[c] = true
		}
	}
	buf := make([]byte, 4096)
	previous := int16(-1)
	for {
		n, err := p.Read(0, buf)
		out := make([]byte, 0, n)
		for _, c := range buf[:n] {
			d := to[c]
			if d < 0 || d == previous && squeeze[byte(d)] {
				continue
			}
			previous = d
			out = append(out, byte(d))
		}
		if len(out) > 0 {
			if _, werr := p.Write(1, out); werr != nil {
				return t.fail("write error: %s", message(werr))
			}
		}
		if err == io.EOF {
			return t.end()
		}
		if err != nil {
			return t.fail("read error: %s", message(err))
		}
	}
}

func wc(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "lwcmL", false, nil)
	if !ok {
		return t.end()
	}
	show := func(counts [4]int, name string) {
		var cols []string
		for i, l := range []byte("lwcL") {
			if has(opts, l) || l == 'c' && has(opts, 'm') || len(opts) == 0 && l != 'L' {
				cols = append(cols, strconv.Itoa(counts[i]))
			}
		}
		if len(cols) == 1 && len(names) < 2 {
			t.out.WriteString(cols[0])
		} else {
			for i, c := range cols {
				if i > 0 {
					t.out.WriteByte(' ')
				}
				fmt.Fprintf(t.out, "%9s", c)
			}
		}
		if name != "" {
			t.out.WriteString(" " + name)
		}
		t.out.WriteByte('\n')
	}
	var total [4]int
	n := 0
	t.inputsOf(names, "", func(name string, r io.Reader) bool {
		data, _ := t.readAll(r)
		counts := [4]int{bytes.Count(data, []byte("\n")), len(bytes.Fields(data)), len(data), 0}
		if has(opts, 'm') {
			counts[2] = len([]rune(string(data)))
		}
		for line := range bytes.Lines(data) {
			counts[3] = max(counts[3], len(bytes.TrimRight(line, "\n")))
		}
		for i := range total {
			total[i] += counts[i]
		}
		n++
		if len(names) == 0 {
			name = ""
		}
		show(counts, name)
		return true
	})
	if n > 1 {
		show(total, "total")
	}
	return t.end()
}
