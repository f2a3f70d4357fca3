// Command injector is a mutating webhook that adds containers to Pods, as the injector of a service mesh does. The target kind runs it for
// fixtures that say what is injected. See package injector.
//
//	injector -address :8443 -certificate tls.crt -key tls.key
//
// SIGINT and SIGTERM end it. The exit code is 0 then, 1 if it cannot serve, and 3 if its flags are wrong.
package main

import (
	"context"

	"github.com/plumbline-ci/plumbline/cmd/internal/program"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind/injector"
)

func main() {
	p := program.New("injector")
	address := p.Flags.String("address", ":8443", "where it is served")
	certificate := p.Flags.String("certificate", "", "file of the certificate")
	key := p.Flags.String("key", "", "file of its key")
	p.Needed = []string{"certificate", "key"}
	p.Serve = func(ctx context.Context) error {
		return program.ListenTLS(ctx, *address, injector.Handler(), *certificate, *key)
	}
	p.Main()
}
