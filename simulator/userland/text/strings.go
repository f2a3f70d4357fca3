package text

import (
	"fmt"
	"io"
	"math"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// StringsTool is the utility strings.
func StringsTool(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "fon:at:", false, nil)
	if !ok {
		return t.End()
	}
	least, ok := t.Within(opts, 'n', 4, 1, math.MaxInt32)
	if !ok {
		return t.End()
	}
	format := map[string]string{"d": "%7d ", "o": "%7o ", "x": "%7x "}[kit.Last(opts, 't')]
	if kit.Has(opts, 'o') {
		format = "%7o "
	}
	t.InputsOf(names, "", func(name string, r io.Reader) bool {
		data, _ := t.ReadAll(r)
		from := 0
		for i := 0; i <= len(data); i++ {
			if i < len(data) && (data[i] >= ' ' && data[i] <= '~' || data[i] == '\t') {
				continue
			}
			if i-from >= least {
				if kit.Has(opts, 'f') {
					t.Out.WriteString(name + ": ")
				}
				if format != "" {
					fmt.Fprintf(t.Out, format, from)
				}
				t.Out.Write(data[from:i])
				t.Out.WriteByte('\n')
			}
			from = i + 1
		}
		return true
	})
	return t.End()
}
