package text

import (
	"io"
	"math"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Expand is the utilities expand and unexpand.
func Expand(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	letters, long := "it:", map[string]string{"tabs": "t:", "initial": "i"}
	if t.Name == "unexpand" {
		letters, long = "fat:", map[string]string{"tabs": "t:", "first-only": "f", "all": "a"}
	}
	opts, names, ok := t.Options(args, letters, false, long)
	if !ok {
		return t.End()
	}
	width, ok := t.Within(opts, 't', 8, 1, math.MaxUint32)
	if !ok {
		return t.End()
	}
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.Lines(r, func(line string, ended bool) bool {
			if !t.GNU { // NULs are lost
				line = strings.ReplaceAll(line, "\x00", "")
			}
			if !t.Unicode() {
				line = eachByte(line)
			}
			if t.Name == "expand" {
				line = expanded(t, line, width, kit.Has(opts, 'i'))
			} else {
				t.Effort(16 * len(line))
				line = unexpanded(line, width, (kit.Has(opts, 'a') || kit.Has(opts, 't')) && !kit.Has(opts, 'f'))
			}
			if !t.Unicode() {
				line = fromEachByte(line)
			}
			t.Out.WriteString(line)
			if ended {
				t.Out.WriteByte('\n')
			}
			return true
		})
		return true
	})
	return t.End()
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

func expanded(t *kit.Tool, line string, width int, initial bool) string {
	var b strings.Builder
	column := 0
	for i, c := range line {
		if c != '\t' || initial && strings.TrimLeft(line[:i], " \t") != "" {
			b.WriteRune(c)
			column++
			continue
		}
		n := width - column%width
		t.Passing(n)
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
