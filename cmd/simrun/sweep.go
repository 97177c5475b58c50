package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
)

func sweepCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sweep [PATH|NAME...]",
		Short: "Crash the relay at every moment of scenarios, and let every operation fail",
		Long: `sweep runs each scenario again and again. Each time one thing more goes wrong: the
relay is crashed at another moment, before or after an operation of its disk, its
network or its DNS, or a line of the trace, and the disk loses, keeps, or keeps
some of what it had not acknowledged; or an operation of its machine fails, once
or for minutes. Moments within a second between which nothing has changed
outside of the relay are one. The rules are judged, not what the scenario expects of the calm
run. With --depth 2 every crash is followed by one at every moment of the
recovery.

What breaks a rule is shrunk, saved as a scenario file, and told.`,
		Example: `  simrun sweep                      the whole library
  simrun sweep crash doubt          two themes
  simrun sweep --depth 2 doubt/report`,
		ValidArgsFunction: completeNames,
	}
	relay := relayFlag(cmd)
	var depth int
	numberFlag(cmd, &depth, "depth", 1, "how many crashes come one after another")
	save := cmd.Flags().String("save", "found", "where scenario files are saved of what is found: `DIR`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if depth < 1 || depth > 3 {
			return fmt.Errorf("--depth %d: write 1, 2 or 3", depth)
		}
		if err := knownRelay(*relay); err != nil {
			return err
		}
		picks, err := pickAll(args)
		if err != nil {
			return err
		}
		return c.sweep(cmd.Context(), picks, depth, &hoard{c: c, relay: *relay, dir: *save})
	}
	return cmd
}

// sweepParts is into how many jobs one scenario is cut: small ones let all
// workers end together.
const sweepParts = 8

func (c console) sweep(ctx context.Context, picks []pick, depth int, h *hoard) error {
	if err := h.try(); err != nil {
		return err
	}
	var jobs []search.Job
	for part := range sweepParts {
		for _, p := range picks {
			jobs = append(jobs, search.Job{
				Relay: h.relay, Scenario: p.scenario, Sweep: &search.Sweep{Depth: depth, Part: part, Parts: sweepParts},
			})
		}
	}
	began := c.now()
	bar := c.newProgressOf(len(jobs), "parts")
	total := show.Sweep{Scenarios: len(picks)}
	err := c.search(ctx, slices.Values(jobs), func(j search.Job, a search.Answer) bool {
		bar.add()
		s := a.Swept
		if s == nil {
			h.add([]search.Found{{Scenario: j.Scenario, Result: a.Run}}, 1)
			return true
		}
		if j.Sweep.Part == 0 {
			total.Points += s.Points
		}
		total.Done++
		total.Runs += s.Runs
		total.Crashes += s.Crashes
		total.Faults += s.Faults
		h.add(s.Found, s.Broken)
		return true
	})
	bar.close()
	if err != nil {
		return err
	}
	total.Real, total.Broken, total.Jobs = c.now().Sub(began), h.broken, len(jobs)
	told := h.tell(ctx)
	show.SweepSummary(c.out, c.colours(), total)
	switch {
	case h.broken > 0:
		return errors.Join(told, end(sim.Safety))
	case ctx.Err() != nil || total.Done < len(jobs):
		return errors.Join(told, end(sim.NoVerdict))
	}
	return told
}
