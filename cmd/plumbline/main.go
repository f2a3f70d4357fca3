// Command plumbline judges implementations of Tekton TaskRuns and runs TaskRuns without a cluster.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/wall"
)

// gcPercent keeps the suite below 150 MB of memory: it takes 135 MB, and would take 160 MB and a twentieth less time with 130. GOGC wins.
const gcPercent = 65

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if code, done := wall.Guard(os.Args); done {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: wall.Stderr(), Turns: wall.Turns})
	stop()
	wall.Done()
	os.Exit(code)
}
