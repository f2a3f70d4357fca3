// Command sidecarlogresults prints the results of a TaskRun's steps, where results come from the log of a sidecar.
package main

import (
	"os"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

func main() {
	os.Exit(entrypoint.SidecarLogResults(osadapter.New(), os.Args[1:]))
}
