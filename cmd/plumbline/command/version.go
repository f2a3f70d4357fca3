package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance"
)

func newVersion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the tool and of the suite in it",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(s.Out, "plumbline %s (%s%s, %s/%s)\n", conformance.SuiteVersion, build(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// build is what the binary knows of its source: nothing, if it was made by go run.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "build " + setting.Value + ", "
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return "build " + v + ", "
	}
	return ""
}
