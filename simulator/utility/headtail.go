package utility

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// count reads a number with a suffix: b, k, m, g.
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
	if err != nil || n > 1<<40 || text[0] == '+' {
		return 0, false
	}
	return n * unit, true
}

// oldStyle turns -5 into -n 5, and for tail +5 into -n +5.
func oldStyle(args []string, tail bool) []string {
	out := slices.Clone(args)
	for i, a := range out[1:] {
		switch {
		case len(a) < 2 || !digit(a[1]) || out[i] == "-n" || out[i] == "-c":
		case a[0] == '-':
			out[i+1] = "-n" + a[1:]
		case a[0] == '+' && tail && i == 0:
			out[i+1] = "-n" + a
		}
	}
	return out
}

// lastOf returns which of some options was given last, or 0.
func lastOf(given []byte, letters string) byte {
	if i := bytes.LastIndexAny(given, letters); i >= 0 {
		return given[i]
	}
	return 0
}

// amount is what head and tail are asked for, in lines or bytes.
type amount struct {
	n     int64
	bytes bool
	back  bool // head: all but the last ones. tail: from the n-th on
}

// amount reads how much head or tail is to print: ten lines unless told otherwise. mark is what may stand before the
// number.
func (t *tool) amount(opts map[byte][]string, mark string) (a amount, ok bool) {
	a.n = 10
	last := lastOf(t.given, "nc")
	if last == 0 {
		return a, true
	}
	a.bytes = last == 'c'
	if mark == "+" && !t.gnu && has(opts, 'c') && has(opts, 'n') { // BusyBox's tail takes the number of -n for bytes
		last, a.bytes = 'n', true
	}
	text := opts[last][len(opts[last])-1]
	number := text
	if strings.HasPrefix(text, mark) {
		a.back, number = true, text[1:]
	} else if mark == "+" {
		number = strings.TrimPrefix(text, "-")
	}
	if len(number) > 0 && strings.IndexByte("KMGg", number[len(number)-1]) >= 0 && !t.gnu {
		ok = false
	} else {
		a.n, ok = count(number)
	}
	if !ok || a.n < 0 {
		t.complain("invalid number '%s'", number)
		return a, false
	}
	return a, true
}

func head(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(oldStyle(args, false), "n:c:qv", false, nil)
	if !ok {
		return t.end()
	}
	much, ok := t.amount(opts, "-")
	if !ok {
		return t.end()
	}
	titled := t.titled(len(names) > 1, lastOf(t.given, "qv") == 'v')
	if len(names) == 0 {
		names = []string{"-"}
	}
	for i, name := range names {
		r, done, err := t.open(name)
		if err != nil && !errors.Is(err, errDirectory) {
			if t.gnu {
				t.complain("cannot open '%s' for reading: %s", name, message(err))
			} else {
				t.failed(name, err)
			}
			continue
		}
		if titled {
			if name == "-" {
				name = "standard input"
			}
			t.title(name, i == 0)
		}
		if err == nil {
			in := &checked{Reader: r}
			t.headOf(in, much)
			done()
			t.unread(name, in.err)
			continue
		}
		if t.gnu {
			t.complain("error reading '%s': Is a directory", name)
		} else if much.n > 0 || much.back {
			t.complain("%s: Input/output error", name)
		}
	}
	return t.end()
}

// headOf prints the beginning of a file.
func (t *tool) headOf(r io.Reader, much amount) {
	switch {
	case much.back:
		data, _ := t.readAll(r)
		if much.bytes {
			t.out.Write(data[:max(0, int64(len(data))-much.n)])
			return
		}
		all := linesOf(data)
		for _, line := range all[:max(0, int64(len(all))-much.n)] {
			t.out.Write(line)
		}
	case much.bytes:
		_, _ = io.Copy(t.out, io.LimitReader(r, much.n))
	case much.n > 0:
		left := much.n
		_ = t.lines(r, func(line string, ended bool) bool {
			t.out.WriteString(line)
			if ended {
				t.out.WriteByte('\n')
			}
			left--
			return left > 0
		})
	}
}

// linesOf splits data behind its newlines.
func linesOf(data []byte) [][]byte {
	all := bytes.SplitAfter(data, []byte("\n"))
	if len(all[len(all)-1]) == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// titled reports whether files are printed with their names: several are, unless -q says otherwise, and with -v all.
func (t *tool) titled(several, verbose bool) bool {
	return verbose || several && bytes.IndexByte(t.given, 'q') < 0
}

// title prints the name of a file.
func (t *tool) title(name string, first bool) {
	if !first {
		t.out.WriteByte('\n')
	}
	fmt.Fprintf(t.out, "==> %s <==\n", name)
}

func tail(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(oldStyle(args, true), "n:c:qvfFs:", false, nil)
	if !ok {
		return t.end()
	}
	much, ok := t.amount(opts, "+")
	if !ok {
		return t.end()
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	var open []string
	var inputs []io.Reader
	for _, name := range names {
		r, _, err := t.open(name)
		switch {
		case errors.Is(err, errDirectory):
			r = nil
		case err != nil && t.gnu:
			t.complain("cannot open '%s' for reading: %s", name, message(err))
			continue
		case err != nil:
			t.complain("can't open '%s': %s", name, message(err))
			continue
		}
		open, inputs = append(open, name), append(inputs, r)
	}
	several := len(open) > 1
	if t.gnu {
		several = len(names) > 1
	}
	titled := t.titled(several, has(opts, 'v'))
	for i, name := range open {
		if titled {
			if name == "-" && t.gnu {
				name = "standard input"
			}
			t.title(name, i == 0)
		}
		switch {
		case inputs[i] != nil:
			in := &checked{Reader: inputs[i]}
			t.tailOf(in, much)
			t.unread(name, in.err)
		case t.gnu:
			t.complain("error reading '%s': Is a directory", name)
		default:
			t.complain("read error: Is a directory")
		}
	}
	if !has(opts, 'f') && !has(opts, 'F') {
		return t.end()
	}
	if len(open) == 0 {
		return t.fail("no files")
	}
	_ = t.out.Flush()
	t.follow(open[len(open)-1])
	return t.end()
}

// tailOf prints the end of a file.
func (t *tool) tailOf(r io.Reader, much amount) {
	data, _ := t.readAll(r)
	skip := max(0, much.n-1)
	if much.bytes {
		if !much.back {
			skip = max(0, int64(len(data))-much.n)
		}
		t.out.Write(data[min(int64(len(data)), skip):])
		return
	}
	all := linesOf(data)
	if !much.back {
		skip = max(0, int64(len(all))-much.n)
	}
	for _, line := range all[min(int64(len(all)), skip):] {
		t.out.Write(line)
	}
}
