package utility

import (
	"errors"
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
	t.nul = !t.gnu
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
			if n > 0 || t.gnu || !errors.Is(err, io.EOF) {
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

// pasteRow writes the next line of each file beside each other. It reports whether any had one. Of a file that has no
// more lines BusyBox's paste writes nothing, not even what ends the row.
func (t *tool) pasteRow(inputs []*lineReader, delimiters []string) bool {
	some := false
	waiting := ""
	for i, in := range inputs {
		line, _, err := in.next()
		end := "\n"
		if i < len(inputs)-1 {
			end = delimiters[i%len(delimiters)]
		}
		switch {
		case err == nil:
			t.out.WriteString(waiting + line + end)
			waiting, some = "", true
		case t.gnu && some:
			t.out.WriteString(end)
		case t.gnu:
			waiting += end
		}
	}
	return some
}
