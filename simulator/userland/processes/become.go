package processes

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Become runs another program in place of this one: nohup, nice, setsid.
func Become(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	letters := map[string]string{"nice": "n:", "ionice": "c:n:p:t", "setsid": "c"}[t.Name]
	if t.GNU {
		letters = map[string]string{"nice": "n:", "ionice": "c:n:p:t", "setsid": "cfw"}[t.Name]
	}
	opts, rest, ok := t.Options(args, letters, true, map[string]string{})
	if !ok {
		return t.End()
	}
	switch t.Name {
	case "nohup":
		p.Ignore(container.SIGHUP)
	case "nice":
		if n := kit.Last(opts, 'n'); kit.Has(opts, 'n') && strings.Trim(n, "+-0123456789") != "" {
			t.Complain("invalid number '%s'", n)
			t.Status = kit.WrongCall(t.Name, t.GNU)
			return t.End()
		}
		if len(rest) == 0 {
			t.Out.WriteString("0\n")
			return t.End()
		}
	case "ionice":
		if _, ok := t.Within(opts, 'n', 0, 0, 1<<31-1); !ok {
			return t.End()
		}
		if _, ok := t.Within(opts, 'c', 0, 0, 3); !ok && !t.GNU {
			return t.End()
		}
		switch asks := !kit.Has(opts, 'c') && !kit.Has(opts, 'n') && !t.GNU; {
		case asks && len(rest) > 0 && !kit.Has(opts, 'p') && strings.Trim(rest[0], "0123456789") != "":
			return t.Fail("invalid number '%s'", rest[0]) // it names a process
		case asks || t.GNU && len(rest) == 0:
			t.Out.WriteString("none: prio 0\n")
			return t.End()
		case len(rest) == 0:
			return t.End()
		}
	case "setsid":
		p.NewGroup()
	}
	if t.Misused(rest, 1, -1) {
		return t.End()
	}
	err := p.Exec(rest, p.Env) // returns only if that cannot be executed
	t.Complain("can't execute '%s': %s", rest[0], kit.Message(err))
	if t.Status = 126; kit.Message(err) == "No such file or directory" {
		t.Status = 127
	}
	return t.End()
}
