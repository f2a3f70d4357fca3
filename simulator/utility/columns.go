package utility

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// ranges reads a list of ranges: 1,3-5,7-.
func ranges(text string) ([][2]int, bool) {
	var out [][2]int
	for _, part := range strings.Split(text, ",") {
		from, to, dash := strings.Cut(part, "-")
		r := [2]int{1, 1 << 30}
		var err error
		if from != "" {
			if r[0], err = strconv.Atoi(from); err != nil || r[0] < 1 {
				return nil, false
			}
		}
		if !dash {
			r[1] = r[0]
		} else if to != "" {
			if r[1], err = strconv.Atoi(to); err != nil {
				return nil, false
			}
		}
		if from == "" && to == "" {
			return nil, false
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b [2]int) int { return a[0] - b[0] })
	return out, true
}

func cut(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "b:c:f:d:sn", false, nil)
	if !ok {
		return t.end()
	}
	list := last(opts, 'f') + last(opts, 'c') + last(opts, 'b')
	rs, valid := ranges(list)
	if !valid {
		return t.fail("expected a list of bytes, characters, or fields")
	}
	in := func(i int) bool {
		return slices.ContainsFunc(rs, func(r [2]int) bool { return i >= r[0] && i <= r[1] })
	}
	delim := "\t"
	if has(opts, 'd') {
		delim = last(opts, 'd')
	}
	outDelim := delim
	if has(opts, 'O') {
		outDelim = last(opts, 'O')
	}
	t.inputs(names, func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
			if !has(opts, 'f') {
				i := 0
				if has(opts, 'b') {
					for i < len(line) {
						if in(i + 1) {
							t.out.WriteByte(line[i])
						}
						i++
					}
				} else {
					for _, c := range line {
						i++
						if in(i) {
							t.out.WriteRune(c)
						}
					}
				}
				t.out.WriteByte('\n')
				return true
			}
			if !strings.Contains(line, delim) {
				if !has(opts, 's') {
					t.out.WriteString(line + "\n")
				}
				return true
			}
			first := true
			for i, field := range strings.Split(line, delim) {
				if in(i + 1) {
					if !first {
						t.out.WriteString(outDelim)
					}
					first = false
					t.out.WriteString(field)
				}
			}
			t.out.WriteByte('\n')
			return true
		})
		return true
	})
	return t.end()
}

func uniq(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "cduif:s:w:", false, nil)
	if !ok {
		return t.end()
	}
	// key is the part of a line that counts.
	key := func(line string) string {
		for range atoi(last(opts, 'f')) {
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
		line = line[min(len(line), max(0, atoi(last(opts, 's')))):]
		if has(opts, 'w') {
			line = line[:min(len(line), max(0, atoi(last(opts, 'w'))))]
		}
		if has(opts, 'i') {
			line = strings.ToLower(line)
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
		t.out.WriteString(previous + "\n")
	}
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
	t.inputs(args[1:], func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
			runes := []rune(line)
			slices.Reverse(runes)
			t.out.WriteString(string(runes) + "\n")
			return true
		})
		return true
	})
	return t.end()
}

func tac(p *container.Process, args []string) int {
	t := begin(p, args)
	t.inputs(args[1:], func(_ string, r io.Reader) bool {
		var all []string
		_ = t.lines(r, func(line string, _ bool) bool {
			t.hold(line)
			all = append(all, line)
			return true
		})
		for _, line := range slices.Backward(all) {
			t.out.WriteString(line + "\n")
		}
		return true
	})
	return t.end()
}

func nl(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "b:i:s:v:w:", false, nil)
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
	t.passing(width)
	blank := strings.Repeat(" ", width+len(separator)) + "\n"
	t.inputs(names, func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
			if line == "" && last(opts, 'b') != "a" {
				t.out.WriteString(blank)
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

func fold(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "w:bs", false, nil)
	if !ok {
		return t.end()
	}
	width, ok := t.within(opts, 'w', 80, 1, 10000)
	if !ok {
		return t.end()
	}
	t.inputs(names, func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, ended bool) bool {
			runes := []rune(line)
			for len(runes) > width {
				end := width
				if has(opts, 's') {
					for i := width; i > 0; i-- {
						if runes[i-1] == ' ' {
							end = i
							break
						}
					}
				}
				t.out.WriteString(string(runes[:end]) + "\n")
				runes = runes[end:]
			}
			t.out.WriteString(string(runes))
			if ended {
				t.out.WriteByte('\n')
			}
			return true
		})
		return true
	})
	return t.end()
}

func paste(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "d:s", false, nil)
	if !ok {
		return t.end()
	}
	delim := "\t"
	if has(opts, 'd') {
		delim, _ = Escapes(last(opts, 'd'), FormatString)
	}
	if !has(opts, 's') && len(names) > 1 && slices.Contains(names, "-") {
		return t.pasteLines(names, delim)
	}
	var columns [][]string
	t.inputs(names, func(_ string, r io.Reader) bool {
		var all []string
		_ = t.lines(r, func(line string, _ bool) bool {
			t.hold(line)
			all = append(all, line)
			return true
		})
		columns = append(columns, all)
		return true
	})
	if has(opts, 's') {
		for _, c := range columns {
			t.out.WriteString(strings.Join(c, delim) + "\n")
		}
		return t.end()
	}
	for i := 0; ; i++ {
		row, any := make([]string, len(columns)), false
		for j, c := range columns {
			if i < len(c) {
				row[j], any = c[i], true
			}
		}
		if !any {
			return t.end()
		}
		for j, text := range row {
			if j > 0 && delim != "" {
				t.out.WriteByte(delim[(j-1)%len(delim)])
			}
			t.out.WriteString(text)
		}
		t.out.WriteByte('\n')
	}
}

// pasteLines pastes where standard input is one of the files, or several: each takes the next line of it.
func (t *tool) pasteLines(names []string, delim string) int {
	var rows [][]string
	for i, name := range names {
		if slices.Contains(names[:i], name) && name == "-" {
			rows = append(rows, nil)
			continue
		}
		var all []string
		t.inputs([]string{name}, func(_ string, r io.Reader) bool {
			_ = t.lines(r, func(line string, _ bool) bool {
				t.hold(line)
				all = append(all, line)
				return true
			})
			return true
		})
		rows = append(rows, all)
	}
	input := slices.Index(names, "-")
	for {
		row, any := make([]string, len(names)), false
		for i, name := range names {
			at := i
			if name == "-" {
				at = input
			}
			if len(rows[at]) > 0 {
				row[i], rows[at], any = rows[at][0], rows[at][1:], true
			}
		}
		if !any {
			return t.end()
		}
		for i, text := range row {
			if i > 0 && delim != "" {
				t.out.WriteByte(delim[(i-1)%len(delim)])
			}
			t.out.WriteString(text)
		}
		t.out.WriteByte('\n')
	}
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
