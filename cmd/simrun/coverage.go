package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/coverpage"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec/coverage"
)

func coverageCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "coverage [PATH|NAME...]",
		Short: "Say what scenarios reach, and what they do not",
		Long: `coverage runs scenarios and says what they reached: transitions of recipient
states, in one process and across a restart; cells of the verdict table, which
are met when the relay met them; kinds of faults; and pairs of a fault and where
a recipient stood whom it concerned. Without arguments it runs the library.

What cannot be reached is listed with the reason. What a run reached counts also
when the scenario does not hold. The exit status is 0, whatever is missing.`,
		Example: `  simrun coverage                      the library
  simrun coverage crash doubt          two themes
  simrun coverage --html coverage.html
  simrun coverage --missing            only what could be reached and is not`,
		ValidArgsFunction: completeNames,
	}
	choose := selectionFlags(cmd)
	page := cmd.Flags().String("html", "", "also write a page to `FILE`")
	missing := cmd.Flags().Bool("missing", false, "print only what is missing, a point a line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *page != "" {
			if err := tryFile(*page); err != nil {
				return fmt.Errorf("the html page cannot be written: %w", err)
			}
		}
		reached, runs, err := c.cover(cmd.Context(), choose(args))
		if err != nil {
			return err
		}
		if *missing {
			show.Missing(c.out, reached)
		} else {
			show.Coverage(c.out, c.colours(), reached)
			fmt.Fprintln(c.out)
			show.Covered(c.out, c.colours(), runs)
		}
		if *page == "" {
			return nil
		}
		if err := writeTo(*page, func(w io.Writer) error { return coverpage.Write(w, reached) }); err != nil {
			return fmt.Errorf("writing the html page: %w", err)
		}
		return nil
	}
	return cmd
}

// cover runs a selection and returns what it reached.
func (c console) cover(ctx context.Context, s selection) (*coverage.Coverage, []show.Run, error) {
	picks, err := pickAll(s.words)
	if err != nil {
		return nil, nil, err
	}
	runs, err := s.runs(picks)
	if err != nil {
		return nil, nil, err
	}
	jobs := make([]job, len(runs))
	for i, r := range runs {
		jobs[i] = job{scenario: r.Scenario, relay: r.Relay, brief: true, coverage: true}
	}
	if err := c.fillFrom(ctx, runs, jobs); err != nil {
		return nil, nil, err
	}
	reached := new(coverage.Coverage)
	for _, r := range runs {
		if r.Result != nil && r.Result.Coverage != nil { // none of a worker that died
			reached.Merge(r.Result.Coverage)
		}
	}
	if reached.Runs() == 0 {
		return nil, nil, ending{sim.NoVerdict}
	}
	return reached, runs, nil
}
