package formatting

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Echo is echo as BusyBox and bash have it: options -n, -e and -E.
func Echo(p *container.Process, args []string) int {
	args, newline, escapes := EchoOptions(args[1:], false)
	size := 1
	for _, a := range args {
		size += len(a) + 1
	}
	out := make([]byte, 0, size)
	for i, a := range args {
		if i > 0 {
			out = append(out, ' ')
		}
		if escapes {
			text, stop := Escapes(a, EchoArgument)
			out = append(out, text...)
			if stop {
				newline = false
				break
			}
			continue
		}
		out = append(out, a...)
	}
	if newline {
		out = append(out, '\n')
	}
	if _, err := p.Write(1, out); err != nil {
		t := kit.Begin(p, []string{"echo"})
		t.Complain("write error: %s", kit.Message(err))
		return 1
	}
	return 0
}

// EchoOptions takes the options -n, -e and -E from the front of echo's arguments. A word with any other letter is text.
func EchoOptions(args []string, escape bool) (words []string, newline, escapes bool) {
	newline, escapes = true, escape
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, l := range args[0][1:] {
			switch l {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	return args, newline, escapes
}
