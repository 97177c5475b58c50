package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
)

func listCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the library",
		Example: `  simrun list                by theme
  simrun list --by rule      which scenarios are about a rule or section?
  simrun list --by source    which bugs of the field are in the library?`,
		Args: cobra.NoArgs,
	}
	by := cmd.Flags().String("by", "theme", "group by `theme|rule|source`")
	cmd.RunE = func(*cobra.Command, []string) error {
		group, ok := show.Groupings()[*by]
		if !ok {
			return fmt.Errorf("scenarios cannot be listed by %q: write --by theme, --by rule or --by source", *by)
		}
		all, err := scenarios.All()
		if err != nil {
			return err
		}
		show.Catalogue(c.out, c.colours(), all, group)
		return nil
	}
	return cmd
}
