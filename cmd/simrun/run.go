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
	// rewrite asks for golden traces to be renewed.
	rewrite bool
}

func runCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [PATH|NAME...]",
		Short: "Run scenarios: files, directories, or names and themes of the library",
		Long: `run runs scenarios and says which hold. What does not hold is told as a story,
with the command that replays it. Without arguments it runs the library. A story
that needs what the relay does not have yet is checked, counted apart, and not run.

A file that has a trace section must have that very trace; the first line that
differs is shown. With --rewrite the traces of files are filled in or renewed.`,
		Example: `  simrun run crash                            all of a theme
  simrun run crash/after-250 my-bug.txtar     a scenario and a file
  simrun run --seed 7 retry                   with other latencies
  simrun run --relay citadel-later-hurries citadel   with a relay that is wrong on purpose
  simrun run --rewrite my-bug.txtar           fill in the trace section
  simrun run --report html=out.html           and a page of all runs, to be read in a browser
  simrun run --report json=out.json,junit=out.xml`,
		ValidArgsFunction: completeNames,
	}
	choose := selectionFlags(cmd)
	write := reportFlag(cmd)
	rewrite := cmd.Flags().Bool("rewrite", false, "write the trace of each run into the trace section of its file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s := choose(args)
		s.rewrite = *rewrite
		return c.runAndShow(cmd.Context(), s, write)
	}
	return cmd
}

// selectionFlags gives a command the flags --relay and --seed, and returns what
// makes a selection of them and of the arguments.
func selectionFlags(cmd *cobra.Command) func(words []string) selection {
	relay := relayFlag(cmd)
	var seed uint64
	seedFlag(cmd, &seed, "seed", "run with seed `N` instead of the scenario's own")
	return func(words []string) selection {
		return selection{words: words, relay: *relay, seed: seed, reseed: cmd.Flags().Changed("seed")}
	}
}

// runs makes the runs of a selection, still without results.
func (s selection) runs(picks []pick) ([]show.Run, error) {
	if err := knownRelay(s.relay); err != nil {
		return nil, err
	}
	runs := make([]show.Run, len(picks))
	for i, p := range picks {
		runs[i] = show.Run{Scenario: p.scenario, File: p.file, Relay: s.relay, Replay: quoted(p.word), Broken: p.broken}
		if s.reseed || s.relay != honest {
			other := *p.scenario
			other.Trace = nil // the golden one is that of the honest relay and the file's own seed
			runs[i].Scenario = &other
		}
		if s.reseed {
			runs[i].Scenario.Seed = s.seed
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
// A broken file does not keep the others from running.
func (c console) runAndShow(ctx context.Context, s selection, write reports) error {
	picks, err := gather(s.words)
	if err != nil {
		return err
	}
	if good, err := whole(picks, nil); len(good) == 0 && !write.any() {
		return err
	}
	if s.rewrite {
		if err := rewritable(s, picks); err != nil {
			return err
		}
	}
	runs, err := s.runs(picks)
	if err != nil {
		return err
	}
	if err := write.try(); err != nil {
		return err
	}
	began := c.now()
	if err := c.fill(ctx, runs, false); err != nil {
		return err
	}
	real := c.now().Sub(began)
	out, p := c.out, c.colours()
	if write.takesOutput() {
		out, p = c.err, show.Paint{}
	}
	show.List(out, p, runs)
	show.Failures(out, p, runs)
	fmt.Fprintln(out)
	show.Summary(out, p, runs, real)
	if err := write.write(runs, real); err != nil {
		return err
	}
	if err := c.rewrite(picks, runs); err != nil {
		return err
	}
	return end(show.Worst(runs))
}

// fill runs worlds and puts the results in their places; none of a broken file,
// nor of a scenario that needs what the relay does not have yet.
func (c console) fill(ctx context.Context, runs []show.Run, brief bool) error {
	var good []show.Run
	var place []int
	var jobs []job
	for i, r := range runs {
		if r.Broken == nil && !r.Waits() {
			good, place = append(good, r), append(place, i)
			jobs = append(jobs, job{scenario: r.Scenario, relay: r.Relay, brief: brief})
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	if err := c.fillFrom(ctx, good, jobs); err != nil {
		return err
	}
	for i, r := range good {
		runs[place[i]] = r
	}
	return nil
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
		runs[i].Result, runs[i].Program = result, c.program
	}
	return nil
}

// one runs a single world.
func (c console) one(ctx context.Context, r *show.Run) error {
	if r.Waits() {
		fmt.Fprintf(c.err, "simrun: %s is not run: the relay does not have this yet: %s\n", r.Scenario.Name, show.NotYet(r.Scenario))
		return ending{sim.NoVerdict}
	}
	runs := []show.Run{*r}
	if err := c.fill(ctx, runs, false); err != nil {
		return err
	}
	if *r = runs[0]; r.Result == nil {
		return ending{sim.NoVerdict}
	}
	return nil
}
