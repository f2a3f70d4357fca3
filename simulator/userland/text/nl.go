package text

import (
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Nl is the utility nl.
func Nl(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "pb:i:s:v:w:", false, map[string]string{"body-numbering": "b:", "line-increment": "i:", "number-separator": "s:",
		"starting-line-number": "v:", "number-width": "w:", "no-renumber": "p"})
	if !ok {
		return t.End()
	}
	width, okWidth := t.Within(opts, 'w', 6, 0, math.MaxInt32)
	step, okStep := t.Within(opts, 'i', 1, 0, math.MaxInt32)
	n, okStart := t.Within(opts, 'v', 1, 0, math.MaxInt32)
	if !okWidth || !okStep || !okStart {
		return t.End()
	}
	separator := "\t"
	if kit.Has(opts, 's') {
		separator = kit.Last(opts, 's')
	}
	style := "t"
	if kit.Has(opts, 'b') {
		style = kit.Last(opts, 'b')
	}
	t.Passing(width)
	blank := strings.Repeat(" ", width+len(separator))
	t.Nul = !t.GNU
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.Lines(r, func(line string, _ bool) bool {
			if style[:min(1, len(style))] != "a" && (style[:min(1, len(style))] != "t" || line == "") {
				t.Out.WriteString(blank + line + "\n")
				return true
			}
			number := strconv.Itoa(n)
			t.Out.WriteString(blank[:max(0, width-len(number))])
			t.Out.WriteString(number + separator + line + "\n")
			n += step
			return true
		})
		return true
	})
	return t.End()
}
