// Command plumbline judges implementations of Tekton TaskRuns and runs TaskRuns without a cluster.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
