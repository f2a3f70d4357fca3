package command

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance"
)

func newVersion(s Streams) *cobra.Command {
	output := "text"
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the tool and of its suite",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			if output == "text" {
				fmt.Fprintln(s.Out, versionText())
				return nil
			}
			e := json.NewEncoder(s.Out)
			e.SetIndent("", "  ")
			return e.Encode(map[string]string{"version": conformance.SuiteVersion, "build": build(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "text or json")
	return cmd
}

// versionText is the line that says which tool this is.
func versionText() string {
	from := build()
	if from != "" {
		from = "build " + from + ", "
	}
	return fmt.Sprintf("plumbline %s (%s%s, %s/%s)", conformance.SuiteVersion, from, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// build is what the binary knows of its source: nothing, if it was made by go run.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return ""
}
