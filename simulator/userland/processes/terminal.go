package processes

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Pwd is the utility pwd.
func Pwd(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if _, _, ok := t.Options(args, "LP", false, map[string]string{"logical": "L", "physical": "P"}); ok {
		t.Out.WriteString(p.Dir + "\n")
	}
	return t.End()
}

// Nproc is the utility nproc.
func Nproc(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "", false, map[string]string{"all": "a", "ignore": "i:"})
	if !ok || t.GNU && t.Misused(names, 0, 0) {
		return t.End()
	}
	ignored, ok := t.Within(opts, 'i', 0, 0, 1<<31-1)
	if !ok {
		return t.End()
	}
	fmt.Fprintln(t.Out, max(1, 2-ignored))
	return t.End()
}

// Tty is the utility tty.
func Tty(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "s", false, map[string]string{"silent": "s", "quiet": "s"})
	if !ok || t.GNU && t.Misused(names, 0, 0) {
		return t.End()
	}
	if len(names) > 0 {
		t.Complain("ignoring all arguments")
	}
	if !kit.Has(opts, 's') {
		t.Out.WriteString("not a tty\n")
	}
	t.Status = 1
	return t.End()
}
