package text

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Shuf puts lines into an order of the container's entropy.
func Shuf(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "en:i:o:z", false, nil)
	if !ok {
		return t.End()
	}
	if !kit.Has(opts, 'e') && t.Misused(names, 0, 1) {
		return t.End()
	}
	var all []string
	switch {
	case kit.Has(opts, 'e'):
		all = names
	case kit.Has(opts, 'i'):
		low, high, _ := strings.Cut(kit.Last(opts, 'i'), "-")
		from, to := kit.Atoi(low), kit.Atoi(high)
		if to < from {
			return t.Fail("bad range '%s'", kit.Last(opts, 'i'))
		}
		t.P.Allocate(int64(min(to-from+1, math.MaxInt32)) * 32)
		for n := from; n <= to; n++ {
			all = append(all, strconv.Itoa(n))
		}
	default:
		t.Nul = !t.GNU && !t.Zero
		t.Inputs(names, func(_ string, r io.Reader) bool {
			_ = t.Lines(r, func(line string, _ bool) bool {
				t.Hold(line)
				all = append(all, line)
				return true
			})
			return true
		})
	}
	all = slices.Clone(all)
	random := p.Random()
	for i := len(all) - 1; i > 0; i-- {
		j := random.IntN(i + 1)
		all[i], all[j] = all[j], all[i]
	}
	if kit.Has(opts, 'n') {
		all = all[:min(len(all), max(0, kit.Atoi(kit.Last(opts, 'n'))))]
	}
	for _, line := range all {
		t.Out.WriteString(line + "\n")
	}
	return t.End()
}
