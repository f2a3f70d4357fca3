package text

import (
	"io"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Rev is the utility rev.
func Rev(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	_, names, ok := t.Options(args, "", false, nil)
	if !ok {
		return t.End()
	}
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.Lines(r, func(line string, ended bool) bool {
			if text, _, cut := strings.Cut(line, "\x00"); cut { // with the newline behind it
				line, ended = text, false
			}
			reversed := []byte(line)
			slices.Reverse(reversed)
			t.Out.Write(reversed)
			if ended {
				t.Out.WriteByte('\n')
			}
			return true
		})
		return true
	})
	return t.End()
}

// Tac is the utility tac.
func Tac(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	_, names, ok := t.Options(args, "", false, nil)
	if !ok {
		return t.End()
	}
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		var all []string
		_ = t.Lines(r, func(line string, ended bool) bool {
			if ended {
				line += "\n"
			}
			t.Hold(line)
			all = append(all, line)
			return true
		})
		for _, line := range slices.Backward(all) {
			t.Out.WriteString(line)
		}
		return true
	})
	return t.End()
}
