package utility

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

func uniq(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cduif:s:w:z", false, nil)
	if !ok || t.misused(names, 0, 2) {
		return t.end()
	}
	high := math.MaxUint32
	if t.gnu {
		high = math.MaxInt
	}
	fields, okFields := t.within(opts, 'f', 0, 0, high)
	skipped, okSkipped := t.within(opts, 's', 0, 0, high)
	most, okMost := t.within(opts, 'w', high, 0, high)
	if !okFields || !okSkipped || !okMost {
		return t.end()
	}
	end := "\n"
	if has(opts, 'z') {
		end, t.zero = "\x00", t.gnu // BusyBox's uniq still reads lines
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
		if has(opts, 'i') {
			line = lower(line)
		}
		return line
	}
	previous, n, any := "", 0, false
	flush := func() {
		if !any || has(opts, 'd') && n < 2 || has(opts, 'u') && n > 1 {
			return
		}
		if has(opts, 'c') {
			fmt.Fprintf(t.out, "%7d ", n)
		}
		t.out.WriteString(previous + end)
	}
	if len(names) > 1 && names[1] != "-" {
		fd, err := p.OpenFile(names[1], files.Write|files.Create|files.Truncate, 0o666)
		if err != nil {
			return t.fail("can't open '%s': %s", names[1], message(err))
		}
		t.out.Reset(p.Descriptor(fd))
	}
	t.nul = !t.gnu
	t.inputs(names[:min(1, len(names))], func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
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
	return t.end()
}

func rev(p *container.Process, args []string) int {
	t := begin(p, args)
	_, names, ok := t.options(args, "", false, nil)
	if !ok {
		return t.end()
	}
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, ended bool) bool {
			if text, _, cut := strings.Cut(line, "\x00"); cut { // with the newline behind it
				line, ended = text, false
			}
			reversed := []byte(line)
			slices.Reverse(reversed)
			t.out.Write(reversed)
			if ended {
				t.out.WriteByte('\n')
			}
			return true
		})
		return true
	})
	return t.end()
}

func tac(p *container.Process, args []string) int {
	t := begin(p, args)
	_, names, ok := t.options(args, "", false, nil)
	if !ok {
		return t.end()
	}
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		var all []string
		_ = t.lines(r, func(line string, ended bool) bool {
			if ended {
				line += "\n"
			}
			t.hold(line)
			all = append(all, line)
			return true
		})
		for _, line := range slices.Backward(all) {
			t.out.WriteString(line)
		}
		return true
	})
	return t.end()
}

func nl(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "pb:i:s:v:w:", false, map[string]string{"body-numbering": "b:", "line-increment": "i:", "number-separator": "s:",
		"starting-line-number": "v:", "number-width": "w:", "no-renumber": "p"})
	if !ok {
		return t.end()
	}
	width, okWidth := t.within(opts, 'w', 6, 0, math.MaxInt32)
	step, okStep := t.within(opts, 'i', 1, 0, math.MaxInt32)
	n, okStart := t.within(opts, 'v', 1, 0, math.MaxInt32)
	if !okWidth || !okStep || !okStart {
		return t.end()
	}
	separator := "\t"
	if has(opts, 's') {
		separator = last(opts, 's')
	}
	style := "t"
	if has(opts, 'b') {
		style = last(opts, 'b')
	}
	t.passing(width)
	blank := strings.Repeat(" ", width+len(separator))
	t.nul = !t.gnu
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
			if style[:min(1, len(style))] != "a" && (style[:min(1, len(style))] != "t" || line == "") {
				t.out.WriteString(blank + line + "\n")
				return true
			}
			number := strconv.Itoa(n)
			t.out.WriteString(blank[:max(0, width-len(number))])
			t.out.WriteString(number + separator + line + "\n")
			n += step
			return true
		})
		return true
	})
	return t.end()
}

func yes(p *container.Process, args []string) int {
	text := "y\n"
	if len(args) > 1 {
		text = strings.Join(args[1:], " ") + "\n"
	}
	block := []byte(strings.Repeat(text, max(1, 1024/len(text))))
	for {
		if _, err := p.Write(1, block); err != nil {
			return 1
		}
		p.Spend(container.CommandCost)
	}
}
