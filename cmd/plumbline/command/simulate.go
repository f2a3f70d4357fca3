package command

import "github.com/spf13/cobra"

func newSimulate(s Streams) *cobra.Command { return &cobra.Command{Use: "simulate"} }
