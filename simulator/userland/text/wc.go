package text

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// wcCounts are the lines, words, characters and bytes of a file, and the width of its longest line.
type wcCounts [5]int

// add counts a byte. A byte that cannot be printed belongs to no word, and ends none.
func (c *wcCounts) add(b byte, unicode bool, word *bool, column *int) {
	c[3]++
	if !unicode || b&0xc0 != 0x80 {
		c[2]++
	}
	switch {
	case b > ' ' && b < 127:
		*column++
		*word = true
		return
	case b == ' ':
		*column++
	case b == '\t':
		*column = *column&^7 + 8
	case b >= '\n' && b <= '\r':
		c[4] = max(c[4], *column)
		if b == '\n' {
			c[0]++
		}
		if b != '\v' {
			*column = 0
		}
	default:
		return
	}
	if *word {
		c[1]++
	}
	*word = false
}

// count counts what it reads.
func (c *wcCounts) count(r io.Reader, unicode bool) error {
	word, column := false, 0
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			c.add(b, unicode, &word, &column)
		}
		if err == nil {
			continue
		}
		if c[4] = max(c[4], column); word {
			c[1]++
		}
		if err == io.EOF {
			err = nil
		}
		return err
	}
}

// Wc is the utility wc.
func Wc(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "lwcmL", false, nil)
	if !ok {
		return t.End()
	}
	var wanted []int
	for i, l := range []byte("lwmcL") {
		if kit.Has(opts, l) || len(opts) == 0 && (l == 'l' || l == 'w' || l == 'c') {
			wanted = append(wanted, i)
		}
	}
	operands := names
	if len(names) == 0 {
		operands = []string{"-"}
	}
	var total wcCounts
	for _, name := range operands {
		var counts wcCounts
		r, done, err := t.Open(name)
		if err != nil {
			t.Failed(name, err)
			if !errors.Is(err, kit.ErrDirectory) {
				continue
			}
		} else {
			err := counts.count(r, t.Unicode())
			done()
			if len(names) == 0 {
				t.Unread("", err)
			} else {
				t.Unread(name, err)
			}
		}
		for i := range total {
			total[i] += counts[i]
		}
		total[4] = max(total[4]-counts[4], counts[4])
		if len(names) == 0 {
			name = ""
		}
		counted(t, counts, wanted, name, len(operands) > 1)
	}
	if len(operands) > 1 {
		counted(t, total, wanted, "total", true)
	}
	return t.End()
}

// counted prints the counts of a file. A single number stands without blanks.
func counted(t *kit.Tool, c wcCounts, wanted []int, name string, several bool) {
	if len(wanted) == 1 && !several {
		t.Out.WriteString(strconv.Itoa(c[wanted[0]]))
	} else {
		for i, w := range wanted {
			if i > 0 {
				t.Out.WriteByte(' ')
			}
			fmt.Fprintf(t.Out, "%9d", c[w])
		}
	}
	if name != "" {
		t.Out.WriteString(" " + name)
	}
	t.Out.WriteByte('\n')
}
