package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
)

func mutantsCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mutants [NAME...]",
		Short: "Hunt the relays that are wrong on purpose",
		Long: `mutants runs relays that are wrong on purpose, each on the scenario that should
catch it, and on the whole library when that does not. The exit status is 0 only
if every one was caught by the rule that it breaks: a harness that lets one pass
proves nothing about the relay that it is for. How the two algorithms of Citadel
were caught is told in full; with -v, all.

With --search none of that is used: explore, then sweep, have to find what is
wrong by themselves within a budget of worlds, and what they find is shrunk.`,
		Example: `  simrun mutants
  simrun mutants citadel-later-hurries
  simrun mutants --search                is every mutant found by searching, too?`,
		ValidArgsFunction: cobra.FixedCompletions(relayNames()[2:], cobra.ShellCompDirectiveNoFileComp),
	}
	verbose := cmd.Flags().BoolP("verbose", "v", false, "tell how every mutant was caught")
	search := cmd.Flags().Bool("search", false, "find them by searching, not in the library")
	var budget int
	numberFlag(cmd, &budget, "budget", 4000, "with --search: how many random worlds each may take")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !*search && cmd.Flags().Changed("budget") {
			return fmt.Errorf("--budget is for searching: write simrun mutants --search --budget %d", budget)
		}
		chosen, err := chooseMutants(args)
		if err != nil {
			return err
		}
		if *search {
			return c.seekAll(cmd.Context(), chosen, budget)
		}
		hunts, err := c.hunt(cmd.Context(), chosen)
		if err != nil {
			return err
		}
		p := c.colours()
		show.Mutants(c.out, p, hunts)
		worst := sim.OK
		for _, h := range hunts {
			worst = show.Worse(worst, h.Status())
			told := h.Status() != sim.NoVerdict && strings.HasPrefix(h.Name, "citadel")
			if *verbose || len(args) > 0 || h.Status() == sim.Safety || told {
				show.MutantStory(c.out, p, h)
			}
		}
		return end(worst)
	}
	return cmd
}

// chooseMutants returns the mutants with these names; all without a name.
func chooseMutants(names []string) ([]mutants.Mutant, error) {
	all := mutants.All()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []mutants.Mutant
	for _, name := range names {
		i := slices.IndexFunc(all, func(m mutants.Mutant) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no mutant %q%s\n\tsimrun mutants lists them all", name, meant(name, relayNames()[2:]))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// hunt runs every mutant on its scenario, then those that survived on the
// whole library.
func (c console) hunt(ctx context.Context, chosen []mutants.Mutant) ([]show.Hunt, error) {
	hunts := make([]show.Hunt, len(chosen))
	for i, m := range chosen {
		hunts[i] = show.Hunt{Name: m.Name, Wrong: m.Wrong, Rule: m.Rule, Scenario: m.Scenario}
	}
	err := c.chase(ctx, hunts, func(i int) ([]pick, error) { return find(chosen[i].Scenario) })
	if err != nil {
		return nil, err
	}
	return hunts, c.chase(ctx, hunts, func(int) ([]pick, error) { return pickAll(nil) })
}

// chase runs the mutants that are not caught yet, each on the scenarios that
// where names, all in one go.
func (c console) chase(ctx context.Context, hunts []show.Hunt, where func(i int) ([]pick, error)) error {
	var runs []show.Run
	var owner []int
	for i, h := range hunts {
		if h.Status() == sim.OK {
			continue
		}
		picks, err := where(i)
		if err != nil {
			return fmt.Errorf("the scenario of mutant %s: %w", h.Name, err)
		}
		more, err := selection{relay: h.Name}.runs(picks)
		if err != nil {
			return err
		}
		for _, r := range more {
			runs = append(runs, r)
			owner = append(owner, i)
		}
	}
	if ctx.Err() != nil {
		for _, i := range owner {
			hunts[i].Cut = true
		}
		return nil
	}
	if len(runs) == 0 {
		return nil
	}
	if err := c.fill(ctx, runs, true); err != nil {
		return err
	}
	for i, r := range runs {
		hunts[owner[i]].Runs = append(hunts[owner[i]].Runs, r)
	}
	return nil
}
