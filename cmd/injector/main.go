// Command injector is a mutating webhook that adds containers to Pods, as the injector of a service mesh does. The target kind runs it for
// fixtures that say what is injected. See package injector.
//
//	injector -address :8443 -certificate tls.crt -key tls.key
//
// SIGINT and SIGTERM end it. The exit code is 0 then, 1 if it cannot serve, and 3 if its flags are wrong.
package main

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

	"github.com/plumbline-ci/plumbline/conformance/targets/kind/injector"
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
	flags := flag.NewFlagSet("injector", flag.ContinueOnError)
	flags.SetOutput(log)
	address := flags.String("address", ":8443", "where it is served")
	certificate := flags.String("certificate", "", "file of the certificate")
	key := flags.String("key", "", "file of its key")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitInvalid
	}
	if flags.NArg() > 0 || *certificate == "" || *key == "" {
		fmt.Fprintln(log, "injector: -certificate and -key are needed, and there are no arguments")
		return exitInvalid
	}
	server := &http.Server{Addr: *address, Handler: injector.Handler(), ReadHeaderTimeout: slow, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServeTLS(*certificate, *key); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(log, "injector: %v\n", err)
		return exitBroken
	}
	return exitOK
}
