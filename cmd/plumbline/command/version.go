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
			build := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				if info.Main.Version != "" && info.Main.Version != "(devel)" {
					build = info.Main.Version
				}
				for _, setting := range info.Settings {
					if setting.Key == "vcs.revision" {
						build = setting.Value
					}
				}
			}
			fmt.Fprintf(s.Out, "plumbline %s (build %s, %s, %s/%s)\n", conformance.SuiteVersion, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
