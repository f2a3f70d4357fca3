package utility

import (
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

func paste(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "d:s", false, nil)
	if !ok {
		return t.end()
	}
	delimiters := []string{"\t"}
	if has(opts, 'd') {
		if delimiters = pasteDelimiters(last(opts, 'd')); len(delimiters) == 0 {
			if !t.gnu {
				return t.fail("-d '' is not supported")
			}
			delimiters = []string{""}
		}
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	// Standard input may be given several times: each takes the next line.
	var input *lineReader
	inputs := make([]*lineReader, len(names))
	for i, name := range names {
		if name == "-" && input != nil {
			inputs[i] = input
			continue
		}
		r, _, err := t.open(name)
		if err != nil {
			t.failed(name, err)
			return t.end()
		}
		inputs[i] = t.lineReader(r)
		if name == "-" {
			input = inputs[i]
		}
	}
	if has(opts, 's') {
		for _, in := range inputs {
			t.pasteOne(in, delimiters)
		}
	} else {
		for t.pasteRow(inputs, delimiters) {
		}
	}
	return t.end()
}

// pasteDelimiters reads the list of delimiters, in which \0 is none.
func pasteDelimiters(text string) []string {
	var out []string
	for text != "" {
		if strings.HasPrefix(text, `\0`) {
			out, text = append(out, ""), text[2:]
			continue
		}
		c, size := trCharacter(text)
		if c == '\\' && size == 1 && len(text) > 1 { // an unknown escape
			c, size = text[1], 2
		}
		out, text = append(out, string([]byte{c})), text[size:]
	}
	return out
}

// pasteOne writes all lines of a file as one.
func (t *tool) pasteOne(in *lineReader, delimiters []string) {
	n := 0
	for {
		line, _, err := in.next()
		if err != nil {
			if n > 0 || t.gnu || err != io.EOF {
				t.out.WriteByte('\n')
			}
			return
		}
		if n++; n > 1 {
			t.out.WriteString(delimiters[(n-2)%len(delimiters)])
		}
		t.out.WriteString(line)
	}
}

// pasteRow writes the next line of each file beside each other. It reports whether any had one.
func (t *tool) pasteRow(inputs []*lineReader, delimiters []string) bool {
	row, some := make([]string, len(inputs)), false
	for i, in := range inputs {
		line, _, err := in.next()
		row[i], some = line, some || err == nil
	}
	if !some {
		return false
	}
	for i, line := range row {
		if i > 0 {
			t.out.WriteString(delimiters[(i-1)%len(delimiters)])
		}
		t.out.WriteString(line)
	}
	t.out.WriteByte('\n')
	return true
}
