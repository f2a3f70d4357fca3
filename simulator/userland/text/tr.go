package text

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// trSet expands a set of tr. BusyBox takes an unknown class, and what only looks like one, for its characters.
func trSet(text string) []byte {
	var out []byte
	for i := 0; i < len(text); {
		if rest := text[i:]; strings.HasPrefix(rest, "[:") {
			if end := strings.Index(rest, ":]"); end > 0 {
				if members := classMembers(rest[2:end]); members != nil {
					out = append(out, members...)
					i += end + 2
					continue
				}
			}
		} else if len(rest) > 4 && rest[:2] == "[=" && rest[3:5] == "=]" {
			out = append(out, rest[2])
			i += 5
			continue
		}
		c, size := trCharacter(text[i:])
		if after := text[i+size:]; len(after) > 1 && after[0] == '-' {
			to, more := trCharacter(after[1:])
			for c := int(c); c <= int(to); c++ {
				out = append(out, byte(c))
			}
			i += size + 1 + more
			continue
		}
		out = append(out, c)
		i += size
	}
	return out
}

// classMembers returns the bytes of a class, or nil if there is no such class.
func classMembers(name string) []byte {
	var out []byte
	for c := range 256 {
		if in, _ := posix.Class(name, byte(c)); in {
			out = append(out, byte(c))
		}
	}
	return out
}

// trCharacter reads a character that may be written as an escape. A backslash that begins none stands for itself.
func trCharacter(text string) (c byte, size int) {
	if text[0] != '\\' || len(text) < 2 {
		return text[0], 1
	}
	if at := strings.IndexByte("abfnrtv\\", text[1]); at >= 0 {
		return "\a\b\f\n\r\t\v\\"[at], 2
	}
	if n, used := formatting.DigitsOf(text[1:], 3, 8); used > 0 {
		if n > 255 {
			n, used = formatting.DigitsOf(text[1:], 2, 8)
		}
		return byte(n), 1 + used
	}
	if text[1] == 'x' {
		if n, used := formatting.DigitsOf(text[2:], 2, 16); used > 0 {
			return byte(n), 2 + used
		}
	}
	return '\\', 1
}

// Tr is the utility tr.
func Tr(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, sets, ok := t.Options(args, "cCds", true, nil)
	if !ok {
		return t.End()
	}
	remove, squeeze := kit.Has(opts, 'd'), kit.Has(opts, 's')
	if t.GNU && !enough(t, sets, remove, squeeze) || t.Misused(sets, 1, -1) {
		return t.End()
	}
	first := trSet(sets[0])
	if kit.Has(opts, 'c') || kit.Has(opts, 'C') {
		var inverse []byte
		for c := range 256 {
			if bytes.IndexByte(first, byte(c)) < 0 {
				inverse = append(inverse, byte(c))
			}
		}
		first = inverse
	}
	var second []byte
	if len(sets) > 1 {
		second = trSet(sets[1])
	}
	if kit.Has(opts, 't') {
		first = first[:min(len(first), len(second))]
	}
	return translate(t, first, second, remove, squeeze)
}

// enough checks the number of operands as GNU's tr does.
func enough(t *kit.Tool, sets []string, remove, squeeze bool) bool {
	switch {
	case len(sets) == 0:
		t.Complain("missing operand")
	case len(sets) == 1 && remove == squeeze:
		t.Complain("missing operand after '%s'", sets[0])
	case len(sets) == 2 && remove && !squeeze:
		t.Complain("extra operand '%s'", sets[1])
	case len(sets) > 2:
		t.Complain("extra operand '%s'", sets[2])
	default:
		return true
	}
	t.Usage()
	return false
}

// translate reads the input and writes it with the bytes of the first set removed or replaced by those of the second.
func translate(t *kit.Tool, first, second []byte, remove, squeeze bool) int {
	var to [256]int16
	for i := range to {
		to[i] = int16(i)
	}
	var once [256]bool
	squeezed := first
	if len(second) > 0 {
		squeezed = second
	}
	for _, c := range squeezed {
		once[c] = squeeze
	}
	for i, c := range first {
		switch {
		case remove:
			to[c] = -1
		case len(second) > 0:
			to[c] = int16(second[min(i, len(second)-1)])
		}
	}
	buf := make([]byte, 4096)
	previous := int16(-1)
	for {
		n, err := t.P.Read(0, buf)
		out := make([]byte, 0, n)
		for _, c := range buf[:n] {
			d := to[c]
			if d < 0 || d == previous && once[byte(d)] {
				continue
			}
			previous = d
			out = append(out, byte(d))
		}
		if len(out) > 0 {
			if _, werr := t.P.Write(1, out); werr != nil {
				return t.Fail("write error: %s", kit.Message(werr))
			}
		}
		if errors.Is(err, io.EOF) {
			return t.End()
		}
		if err != nil {
			return t.Fail("read error: %s", kit.Message(err))
		}
	}
}
