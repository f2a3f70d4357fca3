package text

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Uniq is the utility uniq.
func Uniq(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "cduif:s:w:z", false, nil)
	if !ok || t.Misused(names, 0, 2) {
		return t.End()
	}
	high := math.MaxUint32
	if t.GNU {
		high = math.MaxInt
	}
	fields, okFields := t.Within(opts, 'f', 0, 0, high)
	skipped, okSkipped := t.Within(opts, 's', 0, 0, high)
	most, okMost := t.Within(opts, 'w', high, 0, high)
	if !okFields || !okSkipped || !okMost {
		return t.End()
	}
	end := "\n"
	if kit.Has(opts, 'z') {
		end, t.Zero = "\x00", t.GNU // BusyBox's uniq still reads lines
	}
	// key is the part of a line that counts.
	key := func(line string) string {
		for range fields {
			if line == "" {
				break
			}
			line = strings.TrimLeft(line, " \t")
			if i := strings.IndexAny(line, " \t"); i >= 0 {
				line = line[i:]
			} else {
				line = ""
			}
		}
		line = line[min(len(line), skipped):]
		line = line[:min(len(line), most)]
		if kit.Has(opts, 'i') {
			line = lower(line)
		}
		return line
	}
	previous, n, any := "", 0, false
	flush := func() {
		if !any || kit.Has(opts, 'd') && n < 2 || kit.Has(opts, 'u') && n > 1 {
			return
		}
		if kit.Has(opts, 'c') {
			fmt.Fprintf(t.Out, "%7d ", n)
		}
		t.Out.WriteString(previous + end)
	}
	if len(names) > 1 && names[1] != "-" {
		fd, err := p.OpenFile(names[1], files.Write|files.Create|files.Truncate, 0o666)
		if err != nil {
			return t.Fail("can't open '%s': %s", names[1], kit.Message(err))
		}
		t.Out.Reset(p.Descriptor(fd))
	}
	t.Nul = !t.GNU
	t.Inputs(names[:min(1, len(names))], func(_ string, r io.Reader) bool {
		_ = t.Lines(r, func(line string, _ bool) bool {
			if any && key(line) == key(previous) {
				n++
				return true
			}
			flush()
			previous, n, any = line, 1, true
			return true
		})
		return true
	})
	flush()
	return t.End()
}
