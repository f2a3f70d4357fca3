package utility

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

func base64Tool(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "dw:i", false, nil)
	if !ok {
		return t.end()
	}
	t.inputs(names, func(_ string, r io.Reader) bool {
		data, _ := t.readAll(r)
		if has(opts, 'd') || has(opts, 'D') {
			clean := bytes.Map(func(c rune) rune {
				if c == '\n' || c == '\r' || c == ' ' {
					return -1
				}
				return c
			}, data)
			out := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
			n, err := base64.StdEncoding.Decode(out, clean)
			t.out.Write(out[:n])
			if err != nil {
				t.complain("invalid input")
			}
			return true
		}
		text := base64.StdEncoding.EncodeToString(data)
		width := 76
		if has(opts, 'w') {
			width = atoi(last(opts, 'w'))
		}
		for width > 0 && len(text) > width {
			t.out.WriteString(text[:width] + "\n")
			text = text[width:]
		}
		t.out.WriteString(text)
		if width > 0 && text != "" {
			t.out.WriteByte('\n')
		}
		return true
	})
	return t.end()
}

func newHash(name string) hash.Hash {
	switch name {
	case "md5sum":
		return md5.New()
	case "sha1sum":
		return sha1.New()
	case "sha512sum":
		return sha512.New()
	}
	return sha256.New()
}

func checksum(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cswb", false, nil)
	if !ok {
		return t.end()
	}
	sum := func(r io.Reader) (text string, err error) {
		h := newHash(t.name)
		_, err = io.Copy(h, r)
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !has(opts, 'c') {
		t.inputs(names, func(name string, r io.Reader) bool {
			if text, err := sum(r); err == nil {
				t.out.WriteString(text + "  " + name + "\n")
			}
			return true
		})
		return t.end()
	}
	bad, total := 0, 0
	t.inputsOf(names, "", func(_ string, list io.Reader) bool {
		_ = t.lines(list, func(line string, _ bool) bool {
			want, name, ok := strings.Cut(line, " ")
			if !ok {
				return true
			}
			name = strings.TrimLeft(name, " *")
			total++
			verdict := "OK"
			r, done, err := t.open(name)
			if err != nil {
				t.failed(name, err)
				verdict = "FAILED"
			} else {
				if have, _ := sum(r); !strings.EqualFold(have, want) {
					verdict = "FAILED"
				}
				done()
			}
			if verdict != "OK" {
				bad++
			}
			if !has(opts, 's') {
				t.out.WriteString(name + ": " + verdict + "\n")
			}
			return true
		})
		return true
	})
	if bad > 0 {
		t.complain("WARNING: %d of %d computed checksums did NOT match", bad, total)
	}
	return t.end()
}

func od(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "A:t:N:j:w:vcxbdo", false, nil)
	if !ok {
		return t.end()
	}
	var data []byte
	t.inputs(names, func(_ string, r io.Reader) bool {
		if has(opts, 'N') {
			n, _ := count(last(opts, 'N'))
			r = io.LimitReader(r, n)
		}
		chunk, _ := t.readAll(r)
		data = append(data, chunk...)
		return true
	})
	if has(opts, 'j') {
		n, _ := count(last(opts, 'j'))
		data = data[min(int64(len(data)), max(0, n)):]
	}
	format := last(opts, 't')
	if has(opts, 'c') {
		format = "c"
	}
	if has(opts, 'x') {
		format = "x2"
	}
	if has(opts, 'b') {
		format = "o1"
	}
	address := func(n int) {
		switch last(opts, 'A') {
		case "n":
		case "d":
			fmt.Fprintf(t.out, "%07d", n)
		case "x":
			fmt.Fprintf(t.out, "%06x", n)
		default:
			fmt.Fprintf(t.out, "%07o", n)
		}
	}
	width := 16
	if has(opts, 'w') {
		if width, ok = t.within(opts, 'w', 32, 1, math.MaxInt32); !ok {
			return t.end()
		}
	}
	for i := 0; i < len(data); i += width {
		row := data[i:min(len(data), i+width)]
		address(i)
		switch {
		case strings.HasPrefix(format, "c"):
			for _, c := range row {
				fmt.Fprintf(t.out, " %3s", character(c))
			}
		case strings.HasSuffix(format, "1"):
			for _, c := range row {
				switch format[0] {
				case 'x':
					fmt.Fprintf(t.out, " %02x", c)
				case 'u':
					fmt.Fprintf(t.out, " %3d", c)
				case 'd':
					fmt.Fprintf(t.out, " %4d", int8(c))
				default:
					fmt.Fprintf(t.out, " %03o", c)
				}
			}
		default:
			size := 2
			if strings.HasSuffix(format, "4") {
				size = 4
			}
			for j := 0; j < len(row); j += size {
				v := 0
				for k := size - 1; k >= 0; k-- {
					v <<= 8
					if j+k < len(row) {
						v |= int(row[j+k])
					}
				}
				switch {
				case strings.HasPrefix(format, "x"):
					fmt.Fprintf(t.out, " %0*x", size*2, v)
				case strings.HasPrefix(format, "u"), strings.HasPrefix(format, "d"):
					fmt.Fprintf(t.out, " %*d", size*5/2, v)
				default:
					fmt.Fprintf(t.out, " %0*o", size*3, v)
				}
			}
		}
		t.out.WriteByte('\n')
	}
	if last(opts, 'A') != "n" {
		address(len(data))
		t.out.WriteByte('\n')
	}
	return t.end()
}

func character(c byte) string {
	switch c {
	case 0:
		return `\0`
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\r':
		return `\r`
	}
	if c >= ' ' && c < 127 {
		return string(c)
	}
	return fmt.Sprintf("%03o", c)
}

func hexdump(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "Cvn:", false, nil)
	if !ok {
		return t.end()
	}
	var data []byte
	t.inputs(names, func(_ string, r io.Reader) bool {
		if has(opts, 'n') {
			n, _ := count(last(opts, 'n'))
			r = io.LimitReader(r, n)
		}
		chunk, _ := t.readAll(r)
		data = append(data, chunk...)
		return true
	})
	for i := 0; i < len(data); i += 16 {
		row := data[i:min(len(data), i+16)]
		if !has(opts, 'C') {
			fmt.Fprintf(t.out, "%07x", i)
			for j := 0; j < len(row); j += 2 {
				v := int(row[j])
				if j+1 < len(row) {
					v |= int(row[j+1]) << 8
				}
				fmt.Fprintf(t.out, " %04x", v)
			}
			t.out.WriteString(strings.Repeat("     ", 8-(len(row)+1)/2) + "\n")
			continue
		}
		fmt.Fprintf(t.out, "%08x ", i)
		text := make([]byte, len(row))
		for j := range 16 {
			if j == 8 {
				t.out.WriteByte(' ')
			}
			if j >= len(row) {
				t.out.WriteString("   ")
				continue
			}
			fmt.Fprintf(t.out, " %02x", row[j])
			text[j] = '.'
			if row[j] >= ' ' && row[j] < 127 {
				text[j] = row[j]
			}
		}
		fmt.Fprintf(t.out, "  |%s|\n", text)
	}
	if has(opts, 'C') {
		fmt.Fprintf(t.out, "%08x\n", len(data))
	} else {
		fmt.Fprintf(t.out, "%07x\n", len(data))
	}
	return t.end()
}

func cmp(p *container.Process, args []string) int {
	t := begin(p, args)
	long := map[string]string{}
	if t.gnu {
		long = map[string]string{"silent": "s", "quiet": "s", "verbose": "l", "bytes": "n:"}
	}
	opts, names, ok := t.options(args, "sln:", false, long)
	if !ok || t.misused(names, 1, 4) {
		return t.end()
	}
	if has(opts, 's') && has(opts, 'l') {
		return t.usage()
	}
	most := int64(-1)
	var skip [2]int64
	for i, text := range append(names[min(2, len(names)):len(names):len(names)], opts['n']...) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return t.fail("invalid number '%s'", text)
		}
		if i < len(names)-2 {
			skip[i] = n
		} else {
			most = n
		}
	}
	if len(names) < 2 {
		names = append(names, "-")
	}
	if names[0] == "-" && names[1] == "-" {
		return t.end()
	}
	a, b, ok := t.both(names, has(opts, 's'))
	if !ok {
		return t.end()
	}
	a, b = a[min(skip[0], int64(len(a))):], b[min(skip[1], int64(len(b))):]
	if most >= 0 {
		a, b = a[:min(most, int64(len(a)))], b[:min(most, int64(len(b)))]
	}
	many := has(opts, 'l') || has(opts, 'n') && !t.gnu // BusyBox goes on if there is any option
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		t.status = 1
		switch {
		case has(opts, 's'):
		case has(opts, 'l'):
			fmt.Fprintf(t.out, "%d %3o %3o\n", i+1, a[i], b[i])
		default:
			fmt.Fprintf(t.out, "%s %s differ: char %d, line %d\n", names[0], names[1], i+1, 1+bytes.Count(a[:i], []byte("\n")))
		}
		if !many {
			return t.end()
		}
	}
	if len(a) != len(b) {
		short := names[0]
		if len(b) < len(a) {
			short = names[1]
		}
		if !has(opts, 's') {
			t.complain("EOF on %s", short)
		}
		t.status = 1
	}
	return t.end()
}

func (t *tool) both(names []string, silent bool) (a, b []byte, ok bool) {
	for i, name := range names[:2] {
		r, done, err := t.open(name)
		if err != nil {
			if t.status = 2; !silent {
				t.failed(name, err)
			}
			t.status = 2
			return nil, nil, false
		}
		data, _ := t.readAll(r)
		done()
		if i == 0 {
			a = data
		} else {
			b = data
		}
	}
	return a, b, true
}
