package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
)

// A selection is what was asked to be run, and how.
type selection struct {
	words []string
	relay string
	// seed takes the place of the scenarios' own, if reseed.
	seed   uint64
	reseed bool
}

func runCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [PATH|NAME...]",
		Short: "Run scenarios: files, directories, or names and themes of the library",
		Long: `run runs scenarios and says which hold. What does not hold is told as a story,
with the command that replays it. Without arguments it runs the library.`,
		Example: `  simrun run crash                            all of a theme
  simrun run crash/after-250 my-bug.txtar     a scenario and a file
  simrun run --seed 7 retry                   with other latencies
  simrun run --relay citadel-later citadel    with a relay that is wrong on purpose
  simrun run --report html=out.html           and a page of all runs, to be read in a browser
  simrun run --report json=out.json,junit=out.xml`,
		ValidArgsFunction: completeNames,
	}
	choose := selectionFlags(cmd)
	write := reportFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.runAndShow(cmd.Context(), choose(args), write)
	}
	return cmd
}

// selectionFlags gives a command the flags --relay and --seed, and returns what
// makes a selection of them and of the arguments.
func selectionFlags(cmd *cobra.Command) func(words []string) selection {
	relay := relayFlag(cmd)
	seed := cmd.Flags().Uint64("seed", 0, "run with seed `N` instead of the scenario's own")
	return func(words []string) selection {
		return selection{words: words, relay: *relay, seed: *seed, reseed: cmd.Flags().Changed("seed")}
	}
}

// runs makes the runs of a selection, still without results.
func (s selection) runs(picks []pick) ([]show.Run, error) {
	if err := knownRelay(s.relay); err != nil {
		return nil, err
	}
	runs := make([]show.Run, len(picks))
	for i, p := range picks {
		runs[i] = show.Run{Scenario: p.scenario, File: p.file, Relay: s.relay, Replay: quoted(p.word)}
		if s.reseed {
			seeded := *p.scenario
			seeded.Seed = s.seed
			runs[i].Scenario = &seeded
			runs[i].Replay += fmt.Sprintf(" --seed %d", s.seed)
		}
		if s.relay != honest {
			runs[i].Replay += " --relay " + s.relay
		}
	}
	return runs, nil
}

// quoted quotes a word for the shell where it has to be.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\"'`$&|;<>()*?[]#~\\!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// runAndShow runs a selection, shows what came of it, and writes the reports.
func (c console) runAndShow(ctx context.Context, s selection, write reports) error {
	picks, err := pickAll(s.words)
	if err != nil {
		return err
	}
	runs, err := s.runs(picks)
	if err != nil {
		return err
	}
	began := c.now()
	if err := c.fill(ctx, runs, false); err != nil {
		return err
	}
	real := c.now().Sub(began)
	p := c.colours()
	show.List(c.out, p, runs)
	show.Failures(c.out, p, runs)
	fmt.Fprintln(c.out)
	show.Summary(c.out, p, runs, real)
	if err := write.write(runs, real); err != nil {
		return err
	}
	return end(show.Worst(runs))
}

// fill runs worlds and puts the results in their places.
func (c console) fill(ctx context.Context, runs []show.Run, brief bool) error {
	jobs := make([]job, len(runs))
	for i, r := range runs {
		jobs[i] = job{scenario: r.Scenario, relay: r.Relay, brief: brief}
	}
	return c.fillFrom(ctx, runs, jobs)
}

// fillFrom runs jobs and puts the results in their places.
func (c console) fillFrom(ctx context.Context, runs []show.Run, jobs []job) error {
	bar := c.newProgress(len(jobs))
	defer bar.close()
	results, err := c.run(ctx, jobs, bar.add)
	if err != nil {
		return err
	}
	for i, result := range results {
		runs[i].Result = result
	}
	return nil
}

// one runs a single world.
func (c console) one(ctx context.Context, r *show.Run) error {
	runs := []show.Run{*r}
	if err := c.fill(ctx, runs, false); err != nil {
		return err
	}
	if *r = runs[0]; r.Result == nil {
		return ending{sim.NoVerdict}
	}
	return nil
}
