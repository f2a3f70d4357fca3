// Command outside serves what lies outside the clusters of fixtures: git repositories, bundles, hubs, pages. It is for a
// cluster, where the target kind runs it: what is served is a file of JSON, as package fixture has it.
//
//	outside -address :8443 -world world.json -certificate tls.crt -key tls.key
//
// SIGINT and SIGTERM end it. The exit code is 0 then, 1 if it cannot serve, and 3 if its flags are wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
)

// Exit codes.
const (
	exitOK      = 0
	exitBroken  = 1
	exitInvalid = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, arguments []string, log io.Writer) int {
	flags := flag.NewFlagSet("outside", flag.ContinueOnError)
	flags.SetOutput(log)
	address := flags.String("address", ":8443", "where it is served")
	world := flags.String("world", "", "file of what is served")
	certificate := flags.String("certificate", "", "file of the certificate")
	key := flags.String("key", "", "file of its key")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitInvalid
	}
	if flags.NArg() > 0 || *world == "" || *certificate == "" || *key == "" {
		fmt.Fprintln(log, "outside: -world, -certificate and -key are needed, and there are no arguments")
		return exitInvalid
	}
	if err := serve(ctx, *address, *world, *certificate, *key); err != nil {
		fmt.Fprintf(log, "outside: %v\n", err)
		return exitBroken
	}
	return exitOK
}

func serve(ctx context.Context, address, world, certificate, key string) error {
	place := outside.Place{Address: address}
	var text []byte
	for _, f := range []struct {
		name string
		into *[]byte
	}{{world, &text}, {certificate, &place.Certificate}, {key, &place.Key}} {
		data, err := os.ReadFile(f.name)
		if err != nil {
			return err
		}
		*f.into = data
	}
	var r fixture.Remote
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s: %w", world, err)
	}
	served, err := outside.Serve(ctx, &r, place)
	if err != nil {
		return err
	}
	return served.Wait(ctx)
}
