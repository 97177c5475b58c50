package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
)

func listCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [THEME|NAME...]",
		Short: "List the scenarios of the library",
		Example: `  simrun list                   by theme
  simrun list doubt mx/null     a theme and a scenario
  simrun list --by rule         which scenarios are about a rule or section?
  simrun list --by source       where was each bug of the field seen?
  simrun list --by bug          which bugs of the field are in the library?`,
		ValidArgsFunction: completeNames,
	}
	by := cmd.Flags().String("by", "theme", "group by `theme|rule|source|bug`")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		group, ok := show.Groupings()[*by]
		if !ok {
			return fmt.Errorf("scenarios cannot be listed by %q: write --by theme, --by rule, --by source or --by bug", *by)
		}
		all, err := scenarios.All()
		if err != nil {
			return err
		}
		if all, err = only(all, args); err != nil {
			return err
		}
		show.Catalogue(c.out, c.colours(), all, group)
		return nil
	}
	return cmd
}

// only returns the scenarios that words ask for, by theme or name, in the order
// of the library; all without words.
func only(all []*scenarios.Scenario, words []string) ([]*scenarios.Scenario, error) {
	if len(words) == 0 {
		return all, nil
	}
	asked := map[string]bool{}
	for _, word := range words {
		names := namesOf(word)
		if word == "" || len(names) == 0 {
			return nil, fmt.Errorf("the library has no theme or scenario %q%s\n\tsimrun list shows all", word, meant(word, themesAndNames()))
		}
		for _, name := range names {
			asked[name] = true
		}
	}
	return slices.DeleteFunc(all, func(s *scenarios.Scenario) bool { return !asked[s.Name] }), nil
}
