package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
)

func replayCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay PATH|NAME|SEED",
		Short: "Run one scenario and tell what happened",
		Long: `replay runs one scenario and tells it as a story: what happened when, what became
of each recipient, what is wrong. A number is a seed of simrun hashes.

With -v it prints the whole trace instead, a line per fact, the same bytes every
time; what is not a fact stands in comments, so that simrun check can judge it.`,
		Example: `  simrun replay crash/after-250
  simrun replay crash/after-250 -v | grep 'server mx1'
  simrun replay my-bug.txtar --relay citadel-later-hurries
  simrun replay 17`,
		Args:              exactlyOne("which scenario? Name one: simrun replay doubt/report; simrun list shows them"),
		ValidArgsFunction: completeNames,
	}
	choose := selectionFlags(cmd)
	verbose := cmd.Flags().BoolP("verbose", "v", false, "print the whole trace")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := pickOne(args[0])
		if err != nil {
			return err
		}
		runs, err := choose(args).runs([]pick{p})
		if err != nil {
			return err
		}
		r := &runs[0]
		if err := c.one(cmd.Context(), r); err != nil {
			return err
		}
		if *verbose {
			err = show.Trace(c.out, *r)
		} else {
			show.Story(c.out, c.colours(), *r)
		}
		if err != nil {
			return err
		}
		return end(r.Status())
	}
	return cmd
}

// pickOne returns the one scenario that a word asks for; a number is a seed.
func pickOne(word string) (pick, error) {
	if seed, err := strconv.ParseUint(word, 10, 64); err == nil {
		library, err := scenarios.Ready()
		if err != nil {
			return pick{}, err
		}
		return seeded(library, seed), nil
	}
	if word == "" {
		return pick{}, errors.New("an empty name names nothing: simrun list shows the library")
	}
	picks, err := find(word)
	if err != nil {
		return pick{}, err
	}
	if len(picks) > 1 {
		return pick{}, fmt.Errorf("%s holds %d scenarios: name one at a time, such as %s; simrun run %s runs all",
			word, len(picks), picks[0].word, word)
	}
	return picks[0], nil
}

// exactlyOne demands one argument; otherwise it asks for it.
func exactlyOne(question string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s", question)
		case len(args) > 1:
			return fmt.Errorf("one at a time: %q and %q were given", args[0], args[1])
		}
		return nil
	}
}

// completeNames completes names of the library, and files, in a shell.
func completeNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}
