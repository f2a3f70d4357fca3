package processes

import (
	"fmt"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Kill is the utility kill.
func Kill(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	sig := container.SIGTERM
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "-l" {
		return signals(t, rest[1:])
	}
	if len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && rest[0] != "--" {
		name := rest[0][1:]
		rest = rest[1:]
		if name == "s" && len(rest) > 0 {
			name, rest = rest[0], rest[1:]
		}
		var ok bool
		if sig, ok = container.ParseSignal(name); !ok {
			return t.Fail("bad signal name '%s'", name)
		}
	}
	if len(rest) == 0 {
		return t.Fail("you need to specify whom to kill")
	}
	for _, text := range rest {
		if text == "--" {
			continue
		}
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Complain("invalid number '%s'", text)
			continue
		}
		if err := p.Kill(pid, sig); err != nil {
			t.Complain("can't kill pid %d: %s", pid, kit.Message(err))
		}
	}
	return t.End()
}

// signalName is a signal's name to kill, which calls one of them otherwise than shells do.
func signalName(n int) string {
	if s := container.Signal(n); s != container.SIGIO {
		return s.Name()
	}
	return "POLL"
}

// signals is kill -l: it lists the signals, or finds names for numbers and numbers for names.
func signals(t *kit.Tool, which []string) int {
	const most = 31
	if len(which) == 0 {
		for n := 1; n <= most; n++ {
			fmt.Fprintf(t.Out, "%2d) %s\n", n, signalName(n))
		}
	}
	for _, text := range which {
		n, err := strconv.Atoi(text)
		if err != nil {
			sig, ok := container.ParseSignal(text)
			if !ok {
				return t.Fail("unknown signal '%s'", text)
			}
			fmt.Fprintln(t.Out, int(sig))
			continue
		}
		switch n &= 0x7f; {
		case n == 0 && !t.GNU:
			fmt.Fprintln(t.Out, "EXIT")
		case n >= 1 && n <= most:
			fmt.Fprintln(t.Out, signalName(n))
		default:
			fmt.Fprintln(t.Out, n)
		}
	}
	return t.End()
}
