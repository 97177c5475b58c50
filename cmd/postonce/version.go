package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			fmt.Fprintln(c.out, version(info, ok))
			return nil
		},
	}
}

// version describes the build: its version, the revision when it was built
// from a repository, and the Go that built it.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "postonce, of an unknown build"
	}
	name := "postonce " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			name += " " + s.Value
		}
		if s.Key == "vcs.modified" && s.Value == "true" {
			name += " (modified)"
		}
	}
	return name + " " + info.GoVersion
}
