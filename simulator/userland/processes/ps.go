package processes

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// others prints where else in PATH a program is.
func others(t *kit.Tool, name, first string) {
	path, _ := t.P.LookupEnv("PATH")
	for _, dir := range strings.Split(path, ":") {
		file := strings.TrimSuffix(dir, "/") + "/" + name
		if info, err := t.P.Stat(file); file != first && err == nil && !info.IsDir() && t.P.Access(file, 1) == nil {
			t.Out.WriteString(file + "\n")
		}
	}
}

// Ps is the utility ps.
func Ps(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	t.Out.WriteString("PID   USER     TIME  COMMAND\n")
	for _, q := range p.Container().List() {
		fmt.Fprintf(t.Out, "%5d %-8s  0:00 %s\n", q.PID, t.User(q.UID, false), strings.Join(q.Args, " "))
	}
	return t.End()
}

// Pidof is the utilities pidof and pgrep.
func Pidof(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	t.Status = 1
	var pids []string
	for _, q := range p.Container().List() {
		if len(q.Args) > 0 && q.PID != p.PID() && len(args) > 1 && (kit.Base(q.Args[0]) == args[len(args)-1] || t.Name == "pgrep" && strings.Contains(kit.Base(q.Args[0]), args[len(args)-1])) {
			pids = append(pids, strconv.Itoa(q.PID))
		}
	}
	if len(pids) == 0 {
		return 1
	}
	t.Status = 0
	sep := " "
	if t.Name == "pgrep" {
		sep = "\n"
	}
	t.Out.WriteString(strings.Join(pids, sep) + "\n")
	return t.End()
}
