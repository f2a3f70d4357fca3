// Command broken shows that a gate on kind can fail: it builds the controller with faults of the table of mutants, puts it
// into a cluster of kind, runs the fixtures that are to notice a fault on a real kubelet, and has the gate compare the
// report with that of the sound controller. Each fault has to be named, by the fixtures that its entry says.
//
// All faults are in one binary. An image of it is made for each, which differs in one variable of its environment that
// switches the fault on. In the end the sound controller is put back.
//
//	main.go    the command line
//	broken.go  the demonstration
//	wiring.go  what it is made with: the go command, the cluster, plumbline
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/internal/mutants"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
)

// chosen are the faults that are put in if none are named. They concern what only a real kubelet does: ending a Pod that
// works, restarting a container with another image, and giving up on an image that no registry has.
func chosen() []string {
	return []string{
		"timeout and cancellation leave the Pod running",
		"sidecars keep their image when the steps are over",
		"an image that cannot be pulled never ends the run",
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "broken:", err)
		os.Exit(1)
	}
}

// names is a flag that may be repeated.
type names []string

func (n *names) String() string { return strings.Join(*n, ", ") }

func (n *names) Set(name string) error {
	*n = append(*n, name)
	return nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) (err error) {
	var (
		faults       names
		cluster, dir string
	)
	f := flag.NewFlagSet("broken", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Var(&faults, "fault", "name of a mutant; may be repeated; default: "+strings.Join(chosen(), "; "))
	f.StringVar(&cluster, "cluster", kindcluster.DefaultName, "name of the cluster of kind; it is made if it does not exist")
	f.StringVar(&dir, "reports", "", "folder to keep the reports in; default none")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("no arguments, got %q", f.Args())
	}
	if len(faults) == 0 {
		faults = chosen()
	}
	all, err := mutants.Table()
	if err != nil {
		return err
	}
	picked, err := pick(all, faults)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "plumbline-broken-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	if dir == "" {
		dir = temporary
	}
	w := wiring{cluster: cluster, dir: temporary, errs: errs}
	d := demonstration{faults: picked, reports: dir, out: out, build: w.build, install: w.install, plumbline: w.plumbline}
	return d.run(ctx)
}

// pick finds faults by their names.
func pick(all []mutants.Mutant, wanted []string) ([]mutants.Mutant, error) {
	var out []mutants.Mutant
	for _, name := range wanted {
		at := -1
		for i, m := range all {
			if m.Name == name {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("there is no mutant %q in mutants.yaml", name)
		}
		out = append(out, all[at])
	}
	return out, nil
}
