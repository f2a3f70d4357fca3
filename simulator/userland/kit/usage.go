package kit

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Banner is the first line of what BusyBox says about itself and its applets.
const Banner = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."

// synopses holds how each applet of BusyBox is called, a line each: its name and its arguments. A line that begins with
// white space or "or:" continues the one before. The descriptions of options that BusyBox prints below are left out.
//
//go:embed synopses.txt
var synopses string

// synopsesOfGNU holds the same for GNU's utilities of Debian 12.
//
//go:embed synopsesgnu.txt
var synopsesOfGNU string

// synopsis returns the lines of a name in a list, or "" if it has none.
func synopsis(list, name string) string {
	var out strings.Builder
	for line := range strings.Lines(list) {
		first, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		continued := strings.HasPrefix(line, "or:") || strings.HasPrefix(line, "\t")
		switch {
		case out.Len() > 0 && !continued:
			return out.String()
		case out.Len() > 0 || first == name && !continued:
			out.WriteString(line)
		}
	}
	return out.String()
}

// Usage says on standard error how the utility is called, and returns the exit code of a wrong call.
func (t *Tool) Usage() int {
	_ = t.Out.Flush()
	if t.GNU {
		fmt.Fprintf(t.P.Stderr(), "Try '%s --help' for more information.\n", t.Name)
	} else {
		t.help()
	}
	t.Status = WrongCall(t.Name, t.GNU)
	return t.End()
}

func (t *Tool) help() {
	text := "\nNo help available\n"
	if s := synopsis(synopses, t.Name); s != "" {
		text = "\nUsage: " + s
	}
	fmt.Fprint(t.P.Stderr(), Banner+"\n"+text)
}

// Misused is usage if a utility has fewer operands than least or more than most; most is ignored if negative.
func (t *Tool) Misused(operands []string, least, most int) bool {
	switch n := len(operands); {
	case n < least && t.GNU:
		t.Complain("missing operand")
	case n < least:
	case most >= 0 && n > most && t.GNU:
		t.Complain("extra operand '%s'", operands[most])
	case most >= 0 && n > most:
	default:
		return false
	}
	t.Usage()
	return true
}

// WrongCall is the exit code of a utility whose options or operands are wrong.
func WrongCall(name string, gnu bool) int {
	if !gnu {
		if slices.Contains([]string{"grep", "egrep", "fgrep", "sort", "tty", "test", "[", "[["}, name) {
			return 2
		}
		return 1
	}
	switch name {
	case "grep", "egrep", "fgrep", "sort", "ls", "diff", "cmp", "tty", "expr", "printenv", "test", "[", "awk":
		return 2
	case "env", "timeout", "nohup", "nice":
		return 125
	case "tar":
		return 64
	}
	return 1
}

// WithHelp makes an applet answer --help, if it is its only argument, with how it is called. The applets that print or
// test their arguments do not.
func WithHelp(u Utility) Utility {
	return func(p *container.Process, args []string) int {
		if len(args) == 2 && args[1] == "--help" && !slices.Contains([]string{"echo", "true", "false", "test", "[", "[["}, Base(args[0])) {
			Begin(p, args).help()
			return 0
		}
		return u(p, args)
	}
}
