package processes

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Which is the utility which.
func Which(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "a", false, nil)
	if !ok || t.Misused(names, 1, -1) {
		return t.End()
	}
	for _, name := range names {
		found, err := p.LookPath(name)
		if err != nil {
			t.Status = 1
			continue
		}
		t.Out.WriteString(found + "\n")
		if kit.Has(opts, 'a') && !strings.Contains(name, "/") {
			others(t, name, found)
		}
	}
	return t.End()
}
