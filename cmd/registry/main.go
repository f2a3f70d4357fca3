// Command registry is a registry of container images for a cluster that cannot reach any other. It speaks HTTP, and every
// client may push and pull. Images are kept in a directory, so they survive a restart.
//
//	registry -address :5000 -directory /var/lib/registry
//
// SIGINT and SIGTERM end it. The exit code is 0 then, 1 if it cannot serve, and 3 if its flags are wrong.
package main

import (
	"context"

	"github.com/plumbline-ci/plumbline/cmd/internal/program"
)

func main() { server().Main() }

func server() *program.Program {
	p := program.New("registry")
	address := p.Flags.String("address", ":5000", "where it is served")
	directory := p.Flags.String("directory", "", "where images are kept")
	p.Needed = []string{"directory"}
	p.Serve = func(ctx context.Context) error {
		handler, err := newStore(*directory)
		if err != nil {
			return err
		}
		return program.Listen(ctx, *address, handler) // clients that are cut off while they pull try again
	}
	return p
}
