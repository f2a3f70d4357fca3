// Command workingdirinit creates the working directories of a Task's steps that are relative or below /workspace.
package main

import (
	"os"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

func main() {
	os.Exit(entrypoint.WorkingDirInit(osadapter.New(), os.Args[1:]))
}
