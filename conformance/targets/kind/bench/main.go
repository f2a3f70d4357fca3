// Command bench measures TaskRuns on a cluster that is there, with whatever controller is installed: the wall time of
// TaskRuns of 1, 5 and 10 steps that do nothing, the hand-off from one step to the next, and how many TaskRuns it gets
// through when many are created at once.
//
// Wall time is the client's: from the request that creates a TaskRun to the watch event that says that it is over. Each
// step prints its time, to the nanosecond, and does nothing else; a hand-off is what lies between what two steps print: the
// end of a process, the launchers' signal, the start of the next one. Standard output is for benchstat, standard error has
// the medians for people.
//
//	main.go     the command line
//	cluster.go  what is asked of the cluster
//	watcher.go  what is seen of TaskRuns
//	measure.go  the measurements
//	figures.go  what is printed
//
// Limits: a controller that watches only some namespaces has to watch the one that is made here. Where the reference
// implementation is installed for tenants, the namespace is made one. Steps print nothing to tell hand-offs by where the
// image's date knows no nanoseconds; those are left out then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// cleaningTimeout is how long the end may take.
const cleaningTimeout = 2 * time.Minute

func run(ctx context.Context, args []string, out, errs io.Writer) (err error) {
	var (
		kubeconfig, kubecontext string
		keep                    bool
		o                       options
	)
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&kubeconfig, "kubeconfig", "", "of the cluster; default as kubectl")
	f.StringVar(&kubecontext, "context", "", "of the kubeconfig; default the current one")
	f.StringVar(&o.image, "image", "debian", "image of the steps, which has a date that knows nanoseconds")
	f.IntVar(&o.count, "count", 10, "how many TaskRuns of each length")
	f.IntVar(&o.atOnce, "at-once", 50, "how many TaskRuns are created at once; 0 for none")
	f.IntVar(&o.rounds, "rounds", 1, "how many times that many are")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long a single measurement may take")
	f.BoolVar(&keep, "keep", false, "keep the namespace")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.count < 1 || o.atOnce < 0 || o.rounds < 1 || o.timeout <= 0 {
		return fmt.Errorf("no arguments, and counts of at least 1; see -help")
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: kubecontext}).ClientConfig()
	if err != nil {
		return err
	}
	c, err := connect(config)
	if err != nil {
		return err
	}
	about, err := c.about(ctx)
	if err != nil {
		return err
	}
	about = append(about, fact{"image", o.image})
	if err := c.open(ctx); err != nil {
		return err
	}
	if !keep {
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaningTimeout)
			defer cancel()
			err = errors.Join(err, c.close(ctx))
		}()
	}
	b, err := newBench(ctx, c, o)
	if err != nil {
		return err
	}
	defer b.stop()
	b.tell = func(text string) { fmt.Fprintln(errs, text) }
	printFacts(out, about)
	b.print = func(f figure) { fmt.Fprintln(out, f) }
	all, err := b.all(ctx)
	overview(errs, all)
	return err
}
