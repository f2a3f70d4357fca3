package utility

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// diff compares two files and prints what differs as unified hunks, as busybox does whether asked to or not.
func diff(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "quwbBiaU:NrT", false, map[string]string{"brief": "q", "unified": "u"})
	if !ok || len(names) < 2 {
		t.status = 2
		return t.end()
	}
	a, b, ok := t.both(names)
	if !ok || bytes.Equal(a, b) {
		return t.end()
	}
	if has(opts, 'q') {
		fmt.Fprintf(t.out, "Files %s and %s differ\n", names[0], names[1])
		t.status = 1
		return t.end()
	}
	around := 3
	if has(opts, 'U') {
		around = max(0, atoi(last(opts, 'U')))
	}
	key := func(line string) string {
		if has(opts, 'w') {
			line = strings.Join(strings.Fields(line), "")
		} else if has(opts, 'b') {
			line = strings.Join(strings.Fields(line), " ")
		}
		if has(opts, 'i') {
			line = strings.ToLower(line)
		}
		return line
	}
	x, y := diffLines(a), diffLines(b)
	edits := t.edits(x, y, key)
	for i, h := range hunks(edits, around) {
		if i == 0 {
			fmt.Fprintf(t.out, "--- %s\n+++ %s\n", names[0], names[1])
			t.status = 1
		}
		first, end := edits[h[0]], edits[h[1]-1]
		fmt.Fprintf(t.out, "@@ -%s +%s @@\n", span(first.x, end.x+btoi(end.kind != '+')), span(first.y, end.y+btoi(end.kind != '-')))
		for _, e := range edits[h[0]:h[1]] {
			var line string
			if e.kind == '+' {
				line = y[e.y]
			} else {
				line = x[e.x]
			}
			t.out.WriteString(string(e.kind) + strings.TrimSuffix(line, "\n") + "\n")
			if !strings.HasSuffix(line, "\n") {
				t.out.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	return t.end()
}

func diffLines(data []byte) []string { return slices.Collect(strings.Lines(string(data))) }

// edit is one line of a comparison: kept (' '), only in the first file ('-'), or only in the second ('+').
type edit struct {
	kind byte
	x, y int // the next lines of both files
}

// edits finds the longest common part of two lists of lines and what leads from one to the other. Between what the
// beginnings and the ends have in common it takes time and room of their product; beyond a bound all of it is replaced.
func (t *tool) edits(x, y []string, key func(string) string) []edit {
	const most = 4 << 20
	from := 0
	for from < len(x) && from < len(y) && key(x[from]) == key(y[from]) {
		from++
	}
	to := 0
	for to < len(x)-from && to < len(y)-from && key(x[len(x)-1-to]) == key(y[len(y)-1-to]) {
		to++
	}
	n, m := len(x)-from-to, len(y)-from-to
	var longest [][]int32
	if n*m <= most {
		t.p.Allocate(int64(n * m * 4))
		defer t.p.Allocate(-int64(n * m * 4))
		longest = make([][]int32, n+1)
		longest[n] = make([]int32, m+1)
		for i := n - 1; i >= 0; i-- {
			longest[i] = make([]int32, m+1)
			for j := m - 1; j >= 0; j-- {
				if key(x[from+i]) == key(y[from+j]) {
					longest[i][j] = longest[i+1][j+1] + 1
				} else {
					longest[i][j] = max(longest[i+1][j], longest[i][j+1])
				}
			}
			t.p.Spend(container.CommandCost)
		}
	}
	out := make([]edit, 0, len(x)+len(y))
	for i := range from {
		out = append(out, edit{' ', i, i})
	}
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && longest != nil && key(x[from+i]) == key(y[from+j]):
			out = append(out, edit{' ', from + i, from + j})
			i, j = i+1, j+1
		case i < n && (j == m || longest == nil || longest[i+1][j] >= longest[i][j+1]):
			out = append(out, edit{'-', from + i, from + j})
			i++
		default:
			out = append(out, edit{'+', from + i, from + j})
			j++
		}
	}
	for k := range to {
		out = append(out, edit{' ', len(x) - to + k, len(y) - to + k})
	}
	return out
}

// hunks returns the parts of the edits that hold changes, with lines around them.
func hunks(edits []edit, around int) [][2]int {
	var out [][2]int
	for i, e := range edits {
		if e.kind == ' ' {
			continue
		}
		from, to := max(0, i-around), min(len(edits), i+1+around)
		if len(out) > 0 && from <= out[len(out)-1][1] {
			out[len(out)-1][1] = to
		} else {
			out = append(out, [2]int{from, to})
		}
	}
	return out
}

// span prints lines from to to as a hunk's header does.
func span(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// comm compares two sorted files line by line.
func comm(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "123", false, nil)
	if !ok || len(names) != 2 {
		return t.fail("two files are needed")
	}
	a, b, ok := t.both(names)
	if !ok {
		t.status = 1
		return t.end()
	}
	x, y := diffLines(a), diffLines(b)
	show := func(column int, line string) {
		if has(opts, byte('0'+column)) {
			return
		}
		for c := 1; c < column; c++ {
			if !has(opts, byte('0'+c)) {
				t.out.WriteByte('\t')
			}
		}
		t.out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	for len(x) > 0 || len(y) > 0 {
		var c int
		switch {
		case len(x) == 0:
			c = 1
		case len(y) == 0:
			c = -1
		default:
			c = strings.Compare(strings.TrimSuffix(x[0], "\n"), strings.TrimSuffix(y[0], "\n"))
		}
		switch {
		case c < 0:
			show(1, x[0])
			x = x[1:]
		case c > 0:
			show(2, y[0])
			y = y[1:]
		default:
			show(3, x[0])
			x, y = x[1:], y[1:]
		}
	}
	return t.end()
}
