package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Hexdump prints data in the formats of its options, or one of -e.
func Hexdump(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "bcdoxCe:f:n:s:v", false, nil)
	if !ok {
		return t.End()
	}
	var formats []*hexFormat
	given := opts['e']
	for _, letter := range t.Given {
		switch letter {
		case 'e':
			f, problem := parseHexFormat(given[0])
			if problem != "" {
				return t.Fail("%s", problem)
			}
			formats, given = append(formats, f), given[1:]
		case 'b', 'c', 'd', 'o', 'x', 'C':
			formats = append(formats, &hexFormat{letter: letter, block: 16})
		}
	}
	if len(formats) == 0 {
		formats = []*hexFormat{{block: 16}}
	}
	skip, limit := int64(0), int64(-1)
	if kit.Has(opts, 's') {
		if skip, ok = odNumber(kit.Last(opts, 's')); !ok {
			return t.Fail("invalid number '%s'", kit.Last(opts, 's'))
		}
	}
	if kit.Has(opts, 'n') {
		if limit, ok = odNumber(kit.Last(opts, 'n')); !ok {
			return t.Fail("invalid number '%s'", kit.Last(opts, 'n'))
		}
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	var data []byte
	for _, name := range names {
		r, done, err := t.Open(name)
		if err != nil {
			if !errors.Is(err, kit.ErrDirectory) || t.GNU {
				t.Failed(name, err)
			}
			continue
		}
		if limit >= 0 {
			r = io.LimitReader(r, max(0, skip+limit-int64(len(data))))
		}
		chunk, err := t.ReadAll(r)
		if done(); err != nil {
			unreadDump(t, args, err)
		}
		data = append(data, chunk...)
	}
	hexdump(t, data[min(skip, int64(len(data))):], int(skip), formats, kit.Has(opts, 'v'))
	return t.End()
}

// unreadDump reports that standard input cannot be read, which is not a failure for hexdump and BusyBox's xxd. They mean to name the
// operand, and name the argument before it.
func unreadDump(t *kit.Tool, args []string, err error) {
	status := t.Status
	t.Complain("%s: %s", args[len(args)-1], kit.Message(err))
	t.Status = status
}

// hexdump prints blocks of data in each of the formats. Blocks like the one before are left out unless all is set.
func hexdump(t *kit.Tool, data []byte, at int, formats []*hexFormat, all bool) {
	block := 1
	for _, f := range formats {
		block = max(block, f.block)
	}
	addressed := formats[0].letter
	squeezed := false
	for i := 0; i < len(data); i += block {
		row := data[i:min(len(data), i+block)]
		if i > 0 && !all && len(row) == block && bytes.Equal(row, data[i-block:i]) {
			if !squeezed {
				t.Out.WriteString("*\n")
			}
			squeezed = true
			continue
		}
		squeezed = false
		for _, f := range formats {
			f.row(t, at+i, row)
		}
	}
	switch {
	case len(data) == 0 || formats[0].units != nil:
	case addressed == 'C':
		fmt.Fprintf(t.Out, "%08x\n", at+len(data))
	default:
		fmt.Fprintf(t.Out, "%07x\n", at+len(data))
	}
}

// hexFormat is a format: that of an option, or the units of -e.
type hexFormat struct {
	letter byte
	block  int // bytes for a line
	units  []hexUnit
}

// hexUnit is a part of a format of -e: how often, for how many bytes, and the text with a conversion.
type hexUnit struct {
	times, size int
	text        string
}

func (f *hexFormat) row(t *kit.Tool, at int, row []byte) {
	if f.units != nil {
		f.own(t, at, row)
		return
	}
	if f.letter == 'C' {
		canonical(t, at, row)
		return
	}
	fmt.Fprintf(t.Out, "%07x", at)
	size, format, missing := 2, " %04x", "     "
	switch f.letter {
	case 'b':
		size, format, missing = 1, " %03o", "    "
	case 'c':
		size, missing = 1, "    "
	case 'd':
		format, missing = "   %05d", "        "
	case 'o':
		format, missing = "  %06o", "        "
	case 'x':
		format, missing = "    %04x", "        "
	}
	for j := 0; j < f.block; j += size {
		switch {
		case j >= len(row):
			t.Out.WriteString(missing)
		case f.letter == 'c':
			fmt.Fprintf(t.Out, " %3s", character(row[j]))
		default:
			v := int(row[j])
			if size == 2 && j+1 < len(row) {
				v |= int(row[j+1]) << 8
			}
			fmt.Fprintf(t.Out, format, v)
		}
	}
	t.Out.WriteByte('\n')
}

// canonical prints bytes in hexadecimal and as text.
func canonical(t *kit.Tool, at int, row []byte) {
	fmt.Fprintf(t.Out, "%08x ", at)
	text := make([]byte, len(row))
	for j := range 16 {
		if j == 8 {
			t.Out.WriteByte(' ')
		}
		if j >= len(row) {
			t.Out.WriteString("   ")
			continue
		}
		fmt.Fprintf(t.Out, " %02x", row[j])
		text[j] = '.'
		if row[j] >= ' ' && row[j] < 127 {
			text[j] = row[j]
		}
	}
	fmt.Fprintf(t.Out, "  |%s|\n", text)
}

// parseHexFormat reads a format of -e: units of [TIMES/SIZE] "TEXT".
func parseHexFormat(text string) (f *hexFormat, problem string) {
	f = &hexFormat{}
	for {
		text = strings.TrimLeft(text, " \t\n")
		if text == "" {
			return f, ""
		}
		u := hexUnit{times: 1, size: -1}
		if run := kit.DigitRun(text); run != "" {
			u.times, text = kit.Atoi(run), strings.TrimLeft(text[len(run):], " ")
		}
		if strings.HasPrefix(text, "/") {
			run := kit.DigitRun(text[1:])
			u.size, text = kit.Atoi(run), strings.TrimLeft(text[1+len(run):], " ")
		}
		if !strings.HasPrefix(text, `"`) {
			return nil, "bad format {" + text + "}"
		}
		end := strings.IndexByte(text[1:], '"')
		if end < 0 {
			return nil, "bad format {" + text + "}"
		}
		u.text, _ = formatting.Escapes(text[1:end+1], formatting.FormatString)
		text = text[end+2:]
		verb := hexVerb(u.text)
		switch {
		case verb == "" || strings.HasPrefix(verb, "_a"):
			u.size = 0
		case u.size < 0 && (verb == "c" || verb == "_c" || verb == "_p" || verb == "_u"):
			u.size = 1
		case u.size < 0:
			u.size = 4
		}
		f.units = append(f.units, u)
		f.block += u.times * u.size
	}
}

// hexVerb returns the conversion of a text: its letter, or an underscore and its letters.
func hexVerb(text string) string {
	_, after, found := strings.Cut(text, "%")
	if !found {
		return ""
	}
	after = strings.TrimLeft(after, "-+ #0123456789.")
	if strings.HasPrefix(after, "_a") {
		return after[:min(3, len(after))]
	}
	if strings.HasPrefix(after, "_") {
		return after[:min(2, len(after))]
	}
	return after[:min(1, len(after))]
}

// own prints bytes in a format of -e. What the last bytes do not fill is blank.
func (f *hexFormat) own(t *kit.Tool, at int, row []byte) {
	for _, u := range f.units {
		for turn := range u.times {
			text := u.text
			if turn == u.times-1 && u.times > 1 { // the blanks behind the last one
				text = strings.TrimRight(text, " ")
			}
			verb := hexVerb(text)
			if verb == "" {
				t.Out.WriteString(text)
				continue
			}
			before, after, _ := strings.Cut(text, "%")
			flags := after[:strings.Index(after, verb)]
			after = after[len(flags)+len(verb):]
			var part string
			switch {
			case strings.HasPrefix(verb, "_a"):
				letter := map[string]string{"_ax": "x", "_ao": "o", "_ad": "d"}[verb]
				part = fmt.Sprintf("%"+flags+letter, at)
			case len(row) == 0:
				part = fmt.Sprintf("%"+strings.TrimLeft(flags, "0")+"s", "")
				before, after = strings.Repeat(" ", len(before)), strings.Repeat(" ", len(after))
			default:
				n := min(u.size, len(row))
				part = hexPart(flags, verb, row[:n])
				row = row[n:]
			}
			t.Out.WriteString(before + part + after)
		}
	}
}

// hexPart converts some bytes.
func hexPart(flags, verb string, part []byte) string {
	v, c := uint64(0), part[0]
	for i, b := range part {
		v |= uint64(b) << (8 * i)
	}
	switch verb {
	case "c":
		return fmt.Sprintf("%"+flags+"s", string([]byte{c}))
	case "_p":
		if c < ' ' || c > '~' {
			c = '.'
		}
		return fmt.Sprintf("%"+flags+"s", string([]byte{c}))
	case "_c":
		return fmt.Sprintf("%"+flags+"s", character(c))
	case "u", "d", "i":
		if verb != "u" {
			shift := 64 - 8*len(part)
			return fmt.Sprintf("%"+flags+"d", int64(v<<shift)>>shift)
		}
		return fmt.Sprintf("%"+flags+"d", v)
	case "x", "X", "o":
		return fmt.Sprintf("%"+flags+verb, v)
	}
	return ""
}
