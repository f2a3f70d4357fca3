package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// oldStyle turns -5 into -n 5, and for tail +5 into -n +5.
func oldStyle(args []string, tail bool) []string {
	out := slices.Clone(args)
	for i, a := range out[1:] {
		switch {
		case len(a) < 2 || !kit.Digit(a[1]) || out[i] == "-n" || out[i] == "-c":
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

// amountOf reads how much head or tail is to print: ten lines unless told otherwise. mark is what may stand before the
// number.
func amountOf(t *kit.Tool, opts map[byte][]string, mark string) (a amount, ok bool) {
	a.n = 10
	last := lastOf(t.Given, "nc")
	if last == 0 {
		return a, true
	}
	a.bytes = last == 'c'
	if mark == "+" && !t.GNU && kit.Has(opts, 'c') && kit.Has(opts, 'n') { // BusyBox's tail takes the number of -n for bytes
		last, a.bytes = 'n', true
	}
	text := opts[last][len(opts[last])-1]
	number := text
	if strings.HasPrefix(text, mark) {
		a.back, number = true, text[1:]
	} else if mark == "+" {
		number = strings.TrimPrefix(text, "-")
	}
	if len(number) > 0 && strings.IndexByte("KMGg", number[len(number)-1]) >= 0 && !t.GNU {
		ok = false
	} else {
		a.n, ok = kit.Count(number)
	}
	if !ok || a.n < 0 {
		t.Complain("invalid number '%s'", number)
		return a, false
	}
	return a, true
}

// Head is the utility head.
func Head(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(oldStyle(args, false), "n:c:qv", false, nil)
	if !ok {
		return t.End()
	}
	much, ok := amountOf(t, opts, "-")
	if !ok {
		return t.End()
	}
	titled := showsTitles(t, len(names) > 1, lastOf(t.Given, "qv") == 'v')
	if len(names) == 0 {
		names = []string{"-"}
	}
	for i, name := range names {
		r, done, err := t.Open(name)
		if err != nil && !errors.Is(err, kit.ErrDirectory) {
			if t.GNU {
				t.Complain("cannot open '%s' for reading: %s", name, kit.Message(err))
			} else {
				t.Failed(name, err)
			}
			continue
		}
		if titled {
			if name == "-" {
				name = "standard input"
			}
			title(t, name, i == 0)
		}
		if err == nil {
			in := &kit.Checked{Reader: r}
			headOf(t, in, much)
			done()
			t.Unread(name, in.Err)
			continue
		}
		if t.GNU {
			t.Complain("error reading '%s': Is a directory", name)
		} else if much.n > 0 || much.back {
			t.Complain("%s: Input/output error", name)
		}
	}
	return t.End()
}

// headOf prints the beginning of a file.
func headOf(t *kit.Tool, r io.Reader, much amount) {
	switch {
	case much.back:
		data, _ := t.ReadAll(r)
		if much.bytes {
			t.Out.Write(data[:max(0, int64(len(data))-much.n)])
			return
		}
		t.Out.Write(data[:lastLines(data, much.n)])
	case much.bytes:
		_, _ = io.Copy(t.Out, io.LimitReader(r, much.n))
	case much.n > 0:
		left := much.n
		_ = t.Lines(r, func(line string, ended bool) bool {
			t.Out.WriteString(line)
			if ended {
				t.Out.WriteByte('\n')
			}
			left--
			return left > 0
		})
	}
}

// lastLines returns where the last n lines of data begin.
func lastLines(data []byte, n int64) int {
	if n <= 0 {
		return len(data)
	}
	at := len(data)
	if at > 0 && data[at-1] == '\n' {
		at--
	}
	for ; n > 1; n-- {
		if at = bytes.LastIndexByte(data[:at], '\n'); at < 0 {
			return 0
		}
	}
	return bytes.LastIndexByte(data[:at], '\n') + 1
}

// behindLines returns where the lines behind the first n begin.
func behindLines(data []byte, n int64) int {
	at := 0
	for ; n > 0 && at < len(data); n-- {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return len(data)
		}
		at += i + 1
	}
	return at
}

// showsTitles reports whether files are printed with their names: several are, unless -q says otherwise, and with -v all.
func showsTitles(t *kit.Tool, several, verbose bool) bool {
	return verbose || several && bytes.IndexByte(t.Given, 'q') < 0
}

// title prints the name of a file.
func title(t *kit.Tool, name string, first bool) {
	if !first {
		t.Out.WriteByte('\n')
	}
	fmt.Fprintf(t.Out, "==> %s <==\n", name)
}
