// Command nop does nothing: it takes the place of a sidecar that has to end. Given tekton_run_indefinitely, it does
// nothing until SIGINT or SIGTERM.
package main

import (
	"os"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

func main() {
	os.Exit(entrypoint.Nop(osadapter.New(), os.Args[1:]))
}
