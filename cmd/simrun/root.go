package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
)

// A console is what a command has of the process it runs in.
type console struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	run      runner
	search   searcher
	// paint is true when out takes colours, live when err can show progress.
	paint, live bool
	// asks is true when a person answers on in.
	asks bool
	// program is how a person starts this program; empty is show.Command.
	program string
}

// A runner runs worlds and returns their results in the order of the jobs. It
// calls done after each, one call at a time. When ctx is done before all ran,
// the results of the others are nil; that is no error.
type runner func(ctx context.Context, jobs []job, done func()) ([]*sim.Result, error)

// A searcher has workers do jobs of package search, as doJobs does.
type searcher func(ctx context.Context, jobs iter.Seq[search.Job], use func(search.Job, search.Answer) bool) error

// A job is one world to run.
type job struct {
	scenario *scenarios.Scenario
	// relay is the name of a relay: honest, or that of a mutant.
	relay string
	// brief asks for no facts of a run that holds.
	brief bool
	// coverage asks what the run reached.
	coverage bool
}

// colours returns the paint for out.
func (c console) colours() show.Paint { return show.Paint{On: c.paint} }

// An ending is a status that a command ends with after it said why.
type ending struct{ status sim.Status }

// Error names the status.
func (e ending) Error() string { return "ends with " + e.status.String() }

// end returns nil for OK, else an ending.
func end(s sim.Status) error {
	if s == sim.OK {
		return nil
	}
	return ending{s}
}

// execute runs a command line and returns the exit status.
func execute(ctx context.Context, c console, args []string) sim.Status {
	out := &checkedWriter{out: c.out}
	c.out = out
	root := rootCommand(c)
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	return c.finished(err, out.err)
}

func rootCommand(c console) *cobra.Command {
	root := &cobra.Command{
		Use:   "simrun",
		Short: "Run relays in the simulator, and judge them",
		Long: `simrun runs a mail relay in a simulated world: DNS, SMTP servers that misbehave,
a disk that loses what was not synced, crashes; days in milliseconds, and the
same run every time. Without a command it runs the whole library of scenarios
and says which hold.

Exit status: 0 all holds, 1 wrong command line or file, 2 a rule is broken or an
expectation did not come true, 3 something does not finish, 4 a run is not
deterministic, 5 the relay crashed, 6 no verdict. Of several, the gravest:
2, then 5, 3, 4, 1, 6.`,
		Example: `  simrun                                  run the whole library
  simrun run doubt mx/null                run a theme and a scenario
  simrun run my-bug.txtar                 run a file
  simrun replay doubt/report              tell one run as a story
  simrun replay doubt/report -v           print its trace, fact by fact
  simrun trace doubt/report               make a web page of it: trace.html
  simrun mutants                          is the harness awake?
  simrun sweep crash doubt                crash it at every moment of a theme
  simrun explore --for 1m                 random worlds, as long as you like
  simrun exhaust                          the core, in all orders of a small world
  simrun help scenario                    how a scenario file is written`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noScenario,
		Version:       version(),
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	write := reportFlag(root)
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.runAndShow(cmd.Context(), selection{relay: honest}, write)
	}
	root.AddCommand(
		runCommand(c), replayCommand(c), traceCommand(c), listCommand(c), formatCommand(c), mutantsCommand(c),
		sweepCommand(c), exploreCommand(c), exhaustCommand(c), coverageCommand(c), hashesCommand(c), determinismCommand(c), checkCommand(c),
		recordCommand(c), newCommand(c),
		&cobra.Command{Use: "scenario", Short: "The language of scenario files", Long: scenarios.Language()},
	)
	teach(root)
	return root
}

// noScenario refuses arguments that are no command, and says what was meant if
// it was a scenario.
func noScenario(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := find(args[0]); err == nil {
		return fmt.Errorf("%q is no command, but it can be run: simrun run %s", args[0], args[0])
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return seeHelp(cmd, fmt.Errorf("there is no command %q%s", args[0], meant(args[0], append(names, themesAndNames()...))))
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return seeHelp(cmd, fmt.Errorf("%s takes no arguments: %q was given", cmd.Name(), args[0]))
}
