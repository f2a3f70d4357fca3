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
	"fmt"
	"os"

	"github.com/plumbline-ci/plumbline/cmd/internal/program"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
)

func main() { server().Main() }

func server() *program.Program {
	p := program.New("outside")
	address := p.Flags.String("address", ":8443", "where it is served")
	world := p.Flags.String("world", "", "file of what is served")
	certificate := p.Flags.String("certificate", "", "file of the certificate")
	key := p.Flags.String("key", "", "file of its key")
	p.Needed = []string{"world", "certificate", "key"}
	p.Serve = func(ctx context.Context) error { return serve(ctx, *address, *world, *certificate, *key) }
	return p
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
