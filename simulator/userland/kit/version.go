package kit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// release returns the package that a GNU utility belongs to in Debian 12, with its version, and whether it is one.
func release(name string) (text string, ok bool) {
	switch name {
	case "find", "xargs":
		return "GNU findutils) 4.9.0", true
	case "grep", "egrep", "fgrep":
		return "GNU grep) 3.8", true
	case "sed":
		return "GNU sed) 4.9", true
	case "diff", "cmp":
		return "GNU diffutils) 3.8", true
	case "tar":
		return "GNU tar) 1.34", true
	case "awk", "jq", "xxd", "strings", "dos2unix", "unix2dos", "getopt", "hexdump", "mount", "mountpoint", "rev", "setsid", "ionice", "hostname", "ps", "pgrep", "pidof",
		"kill", "usleep", "which", "gzip", "gunzip", "zcat":
		return "", false
	}
	return "GNU coreutils) 9.1", true
}

// helpOfGNU prints how a GNU utility is called: the first lines of what the real one prints. Most call themselves as they
// were called.
func (t *Tool) helpOfGNU(called string) {
	if release, _ := release(t.Name); strings.HasPrefix(release, "GNU grep") || t.Name == "tar" {
		called = strings.TrimLeft(t.Name, "ef")
	}
	before := "Usage: "
	for line := range strings.Lines(synopsis(synopsesOfGNU, t.Name)) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		t.Out.WriteString(strings.TrimSuffix(before+called+" "+rest, " ") + "\n")
		before = "  or:  "
	}
}

// WithVersion makes a GNU utility answer --version with the line that names it, and --help with how it is called. Those
// that print or test their arguments take them for such.
func WithVersion(name string, u Utility) Utility {
	text, ok := release(name)
	if !ok || slices.Contains([]string{"[", "[[", "test"}, name) {
		return u
	}
	return func(p *container.Process, args []string) int {
		asked := len(args) == 2 || len(args) > 2 && name != "echo" && name != "printf" && name != "true" && name != "false" && name != "expr"
		if asked && (args[1] == "--version" || args[1] == "--help") {
			t := Begin(p, args)
			if t.Status = Btoi(name == "false"); args[1] == "--help" {
				t.helpOfGNU(args[0])
			} else {
				fmt.Fprintf(t.Out, "%s (%s\n", name, text)
			}
			return t.End()
		}
		return u(p, args)
	}
}
