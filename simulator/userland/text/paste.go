package text

import (
	"errors"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Paste is the utility paste.
func Paste(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "d:s", false, nil)
	if !ok {
		return t.End()
	}
	delimiters := []string{"\t"}
	if kit.Has(opts, 'd') {
		if delimiters = pasteDelimiters(kit.Last(opts, 'd')); len(delimiters) == 0 {
			if !t.GNU {
				return t.Fail("-d '' is not supported")
			}
			delimiters = []string{""}
		}
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	t.Nul = !t.GNU
	// Standard input may be given several times: each takes the next line.
	var input *kit.LineReader
	inputs := make([]*kit.LineReader, len(names))
	for i, name := range names {
		if name == "-" && input != nil {
			inputs[i] = input
			continue
		}
		r, _, err := t.Open(name)
		if err != nil {
			t.Failed(name, err)
			return t.End()
		}
		inputs[i] = t.LineReader(r)
		if name == "-" {
			input = inputs[i]
		}
	}
	if kit.Has(opts, 's') {
		for _, in := range inputs {
			pasteOne(t, in, delimiters)
		}
	} else {
		for pasteRow(t, inputs, delimiters) {
		}
	}
	return t.End()
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
func pasteOne(t *kit.Tool, in *kit.LineReader, delimiters []string) {
	n := 0
	for {
		line, _, err := in.Next()
		if err != nil {
			if n > 0 || t.GNU || !errors.Is(err, io.EOF) {
				t.Out.WriteByte('\n')
			}
			return
		}
		if n++; n > 1 {
			t.Out.WriteString(delimiters[(n-2)%len(delimiters)])
		}
		t.Out.WriteString(line)
	}
}

// pasteRow writes the next line of each file beside each other. It reports whether any had one. Of a file that has no
// more lines BusyBox's paste writes nothing, not even what ends the row.
func pasteRow(t *kit.Tool, inputs []*kit.LineReader, delimiters []string) bool {
	some := false
	waiting := ""
	for i, in := range inputs {
		line, _, err := in.Next()
		end := "\n"
		if i < len(inputs)-1 {
			end = delimiters[i%len(delimiters)]
		}
		switch {
		case err == nil:
			t.Out.WriteString(waiting + line + end)
			waiting, some = "", true
		case t.GNU && some:
			t.Out.WriteString(end)
		case t.GNU:
			waiting += end
		}
	}
	return some
}
