// Package program is what the servers of a cluster's tests have in common: flags, exit codes, and an end by a signal.
package program

import (
	"context"
	"crypto/tls"
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
	ExitOK      = 0
	ExitBroken  = 1 // it cannot serve
	ExitInvalid = 3 // its flags are wrong
)

// slow is how long a client may take to send a request's header.
const slow = 10 * time.Second

// Program is a server with flags.
type Program struct {
	Flags *flag.FlagSet
	// Needed are the flags that have to be given.
	Needed []string
	// Serve serves until the context ends; then it returns nil.
	Serve func(ctx context.Context) error
}

// New makes a program that takes no flags yet.
func New(name string) *Program {
	return &Program{Flags: flag.NewFlagSet(name, flag.ContinueOnError)}
}

// Main runs the program with the arguments of this process until SIGINT or SIGTERM, and exits.
func (p *Program) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := p.Run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// Run runs the program until the context ends. It says in the log what is wrong, and returns the exit code.
func (p *Program) Run(ctx context.Context, arguments []string, log io.Writer) int {
	p.Flags.SetOutput(log)
	if err := p.Flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return ExitOK
		}
		return ExitInvalid
	}
	if p.Flags.NArg() > 0 {
		fmt.Fprintf(log, "%s: takes no arguments, but %q is one\n", p.Flags.Name(), p.Flags.Arg(0))
		return ExitInvalid
	}
	for _, name := range p.Needed {
		if p.Flags.Lookup(name).Value.String() == "" {
			fmt.Fprintf(log, "%s: -%s is needed\n", p.Flags.Name(), name)
			return ExitInvalid
		}
	}
	if err := p.Serve(ctx); err != nil {
		fmt.Fprintf(log, "%s: %v\n", p.Flags.Name(), err)
		return ExitBroken
	}
	return ExitOK
}

// Listen serves HTTP at an address until the context ends. Requests that are being answered then are cut off.
func Listen(ctx context.Context, address string, handler http.Handler) error {
	server := newServer(ctx, address, handler)
	return ended(server.ListenAndServe())
}

// ListenTLS is Listen over HTTPS, with a certificate and its key in files.
func ListenTLS(ctx context.Context, address string, handler http.Handler, certificate, key string) error {
	server := newServer(ctx, address, handler)
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return ended(server.ListenAndServeTLS(certificate, key))
}

func newServer(ctx context.Context, address string, handler http.Handler) *http.Server {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: slow}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
