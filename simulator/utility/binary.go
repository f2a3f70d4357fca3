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
	if !ok || t.misused(names, 0, 1) {
		return t.end()
	}
	width, ok := t.within(opts, 'w', 76, 0, math.MaxInt32)
	if !ok {
		return t.end()
	}
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		data, _ := t.readAll(r)
		if has(opts, 'd') || has(opts, 'D') {
			t.decode64(data)
			return true
		}
		text := base64.StdEncoding.EncodeToString(data)
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

// decode64 decodes base64. Other characters are left out; it ends behind the first group with padding.
func (t *tool) decode64(data []byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
	var group []byte
	end := false
	for i, c := range data {
		switch {
		case strings.IndexByte(alphabet, c) < 0:
			if t.gnu && c != '\n' && c != '\r' {
				t.complain("invalid input")
				return
			}
			continue
		case end && t.gnu:
			t.complain("invalid input")
			return
		}
		if group = append(group, c); len(group) < 4 {
			continue
		}
		out, err := base64.StdEncoding.DecodeString(string(group))
		if err != nil {
			break
		}
		t.out.Write(out)
		group = group[:0]
		if end = c == '='; end && !t.gnu {
			if rest := bytes.TrimLeft(data[i+1:], "\n\r \t"); len(rest) > 0 {
				t.complain("truncated input")
			}
			return
		}
	}
	if len(group) > 0 {
		if t.gnu {
			t.complain("invalid input")
		} else {
			t.complain("truncated input")
		}
	}
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
	opts, names, ok := t.options(args, "cswbt", false, nil)
	if !ok {
		return t.end()
	}
	if !has(opts, 'c') && (has(opts, 's') || has(opts, 'w')) && !t.gnu {
		return t.usage()
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
	c := sumCheck{t: t, sum: sum, silent: has(opts, 's'), quiet: has(opts, 'q'), warn: has(opts, 'w')}
	t.inputsOf(names, "", c.file)
	return t.end()
}

// sumCheck is a check of files against a list of checksums.
type sumCheck struct {
	t                   *tool
	sum                 func(r io.Reader) (string, error)
	silent, quiet, warn bool
}

// file checks the files of a list.
func (c *sumCheck) file(list string, r io.Reader) bool {
	bad, total := 0, 0
	_ = c.t.lines(r, func(line string, _ bool) bool {
		total++
		want, name, ok := strings.Cut(line, "  ")
		if !ok {
			want, name, ok = strings.Cut(line, " *")
		}
		if !ok {
			bad++
			if c.warn {
				c.t.complain("invalid format")
			}
			return true
		}
		verdict := "OK"
		if have, ok := c.of(name); !ok || !strings.EqualFold(have, want) {
			verdict = "FAILED"
			bad++
		}
		if !c.silent && !(c.quiet && verdict == "OK") {
			c.t.out.WriteString(name + ": " + verdict + "\n")
		}
		return true
	})
	switch {
	case bad > 0 && !c.silent:
		c.t.complain("WARNING: %d of %d computed checksums did NOT match", bad, total)
	case bad > 0:
		c.t.status = 1
	case total == 0:
		c.t.complain("%s: no checksum lines found", list)
	}
	return true
}

// of returns the checksum of a file.
func (c *sumCheck) of(name string) (sum string, ok bool) {
	r, done, err := c.t.open(name)
	if err != nil {
		c.t.complain("can't open '%s': %s", name, message(err))
		return "", false
	}
	defer done()
	sum, err = c.sum(r)
	return sum, err == nil
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
