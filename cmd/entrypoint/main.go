// Command entrypoint is the step launcher: PID 1 of every step's container. See package entrypoint.
package main

import (
	"os"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

func main() {
	os.Exit(entrypoint.Main(osadapter.New(), os.Args[1:]))
}
