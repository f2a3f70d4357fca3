// Command registry is a registry of container images for a cluster that cannot reach any other. It speaks HTTP, and every
// client may push and pull. Images are kept in a directory, so they survive a restart.
//
//	registry -address :5000 -directory /var/lib/registry
//
// SIGINT and SIGTERM end it. The exit code is 0 then, 1 if it cannot serve, and 3 if its flags are wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitOK      = 0
	exitBroken  = 1
	exitInvalid = 3
)

// slow is how long a client may take to send a request's header.
const slow = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, arguments []string, log io.Writer) int {
	flags := flag.NewFlagSet("registry", flag.ContinueOnError)
	flags.SetOutput(log)
	address := flags.String("address", ":5000", "where it is served")
	directory := flags.String("directory", "", "where images are kept")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitInvalid
	}
	if flags.NArg() > 0 || *directory == "" {
		fmt.Fprintln(log, "registry: -directory is needed, and there are no arguments")
		return exitInvalid
	}
	handler, err := newStore(*directory)
	if err != nil {
		fmt.Fprintf(log, "registry: %v\n", err)
		return exitBroken
	}
	server := &http.Server{Addr: *address, Handler: handler, ReadHeaderTimeout: slow}
	context.AfterFunc(ctx, func() {
		_ = server.Close() // clients that are pulling will try again
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(log, "registry: %v\n", err)
		return exitBroken
	}
	return exitOK
}
