package text

import (
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// fewestEdits is edits for long lists, which have their first from lines and their last to lines in common. It takes
// time and room of the number of the edits, after Myers's "An O(ND) Difference Algorithm and Its Variations".
func fewestEdits(t *kit.Tool, x, y []string, from, to int, key func(string) string) []edit {
	partner := partners(t, x[from:len(x)-to], y[from:len(y)-to], key)
	out := make([]edit, 0, len(x)+len(y))
	for i := range from {
		out = append(out, edit{' ', i, i})
	}
	i, j := from, from
	for i < len(x)-to || j < len(y)-to {
		switch {
		case i < len(x)-to && partner[i-from] < 0:
			out = append(out, edit{'-', i, j})
			i++
		case i == len(x)-to || j < from+partner[i-from]:
			out = append(out, edit{'+', i, j})
			j++
		default:
			out = append(out, edit{' ', i, j})
			i, j = i+1, j+1
		}
	}
	for k := range to {
		out = append(out, edit{' ', len(x) - to + k, len(y) - to + k})
	}
	return out
}

// partners finds for each line of x which line of y it is kept as; -1 is none. A line that only one list has is left out
// from the start, so that lists with nothing in common cost nothing.
func partners(t *kit.Tool, x, y []string, key func(string) string) []int {
	t.P.Allocate(int64(len(x)+len(y)) * 64)
	defer t.P.Allocate(-int64(len(x)+len(y)) * 64)
	number := map[string]int32{}
	numbers := func(lines []string) []int32 {
		out := make([]int32, len(lines))
		for i, line := range lines {
			n, known := number[key(line)]
			if !known {
				n = int32(len(number))
				number[key(line)] = n
			}
			out[i] = n
		}
		return out
	}
	a, b := numbers(x), numbers(y)
	has := make([]byte, len(number))
	for _, n := range a {
		has[n] |= 1
	}
	for _, n := range b {
		has[n] |= 2
	}
	shared := func(list []int32) (out []int32, at []int) {
		for i, n := range list {
			if has[n] == 3 {
				out, at = append(out, n), append(at, i)
			}
		}
		return out, at
	}
	a, atA := shared(a)
	b, atB := shared(b)
	partner := make([]int, len(x))
	for i := range partner {
		partner[i] = -1
	}
	for _, p := range kept(t, a, b) {
		partner[atA[p[0]]] = atB[p[1]]
	}
	return partner
}

// kept returns the pairs of positions at which both lists are kept, from the last to the first.
func kept(t *kit.Tool, a, b []int32) (pairs [][2]int) {
	// reached[d][k+d] is how far in a one comes with d edits when one is k further in a than in b.
	var reached [][]int32
	held := int64(0)
	defer func() { t.P.Allocate(-held) }()
	at := func(d, k int) int {
		if d < 0 || k < -d || k > d {
			return -1
		}
		return int(reached[d][k+d])
	}
	// before returns the diagonal that the d-th edit comes from, and how far it brings.
	before := func(d, k int) (from, i int) {
		if d == 0 {
			return 0, 0
		}
		if down, right := at(d-1, k+1), at(d-1, k-1); right >= 0 && right+1 > down {
			return k - 1, right + 1
		} else {
			return k + 1, down
		}
	}
	for d, done := 0, false; !done; d++ {
		room := int64(2*d+1) * 4
		t.P.Work(uint32(1 + d/32))
		t.P.Allocate(room)
		held += room
		reached = append(reached, make([]int32, 2*d+1))
		for k := -d; k <= d && !done; k += 2 {
			_, i := before(d, k)
			for i >= 0 && i < len(a) && i-k >= 0 && i-k < len(b) && a[i] == b[i-k] {
				i++
			}
			if i > len(a) || i-k > len(b) {
				i = -1 // outside
			}
			reached[d][k+d] = int32(i)
			done = i == len(a) && i-k == len(b)
		}
	}
	for d, k := len(reached)-1, len(a)-len(b); d >= 0; d-- {
		from, start := before(d, k)
		for i := at(d, k); i > start; i-- {
			pairs = append(pairs, [2]int{i - 1, i - 1 - k})
		}
		k = from
	}
	return pairs
}
