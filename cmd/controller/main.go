// Command controller is the reference implementation as a program: the reconcilers, and the webhooks that an API server
// asks about what they reconcile. See package manager, and docs/install.md.
//
// SIGINT and SIGTERM end it when what it is doing is done; a second one ends it at once. The exit code is then 0. It is 1
// if the controller cannot go on and has to be restarted, and 3 if its flags are wrong.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/plumbline-ci/plumbline/reconciler/manager"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal gives signals their ordinary meaning back.
	context.AfterFunc(ctx, stop)
	code := manager.Main(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}
