package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/page"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

func traceCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace PATH|NAME|SEED|TRACE",
		Short: "Make a web page of one run, drawn in lanes",
		Long: `trace runs one scenario and writes a page of it: what the relay decided, the way
of every recipient, the sessions at every server, DNS and disk, side by side over
virtual time, with the empty hours folded. Click a mark to read it in words, a
session to read its SMTP dialogue, a violation to see the facts that make it; press
? for the keys. The page is one file, asks for nothing else, and prints.

TRACE is a file that simrun replay -v wrote, or a log of facts, or - for standard
input. It is judged by the policy of the scenario that its first line names, if
that is in the library, or that --scenario names; else by the default policy.

The exit status is that of the run, as with replay.`,
		Example: `  simrun trace crash/after-acceptance-report
  simrun trace citadel/slow-scanner --relay citadel-later-hurries -o hurries.html
  simrun trace 17 -o seed17.html
  simrun replay doubt/retry -v > retry.trace; simrun trace retry.trace`,
		Args:              exactlyOne("of what? Name a scenario, such as simrun trace doubt/report, or a file with a trace"),
		ValidArgsFunction: completeNames,
	}
	choose := selectionFlags(cmd)
	out := cmd.Flags().StringP("output", "o", "trace.html", "write the page to `FILE`")
	policy := cmd.Flags().String("scenario", "", "judge a TRACE by the policy of this `PATH|NAME`")
	_ = cmd.RegisterFlagCompletionFunc("scenario", completeNames)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t, err := c.traced(cmd, choose(args), *policy)
		if err != nil {
			return err
		}
		if err := writeTo(*out, func(w io.Writer) error { return page.Trace(w, t.run, t.command) }); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
		fmt.Fprintln(c.out, *out)
		fmt.Fprintf(c.out, "  %s\n", show.Caption(t.run))
		return end(t.run.Status())
	}
	return cmd
}

// A traced is a run that has taken place, with the command that shows it again.
type traced struct {
	run     show.Run
	command string
}

// traced runs what was asked for, or reads the trace of it.
func (c console) traced(cmd *cobra.Command, s selection, policy string) (traced, error) {
	word := s.words[0]
	if isTrace(word) {
		for _, flag := range []string{"relay", "seed"} {
			if cmd.Flags().Changed(flag) {
				return traced{}, fmt.Errorf("--%s is for a run; %s is the trace of one that is over", flag, word)
			}
		}
		r, err := c.readRun(word, policy)
		return traced{r, show.Command + " check " + r.Replay}, err
	}
	if policy != "" {
		return traced{}, fmt.Errorf("--scenario is for a file with a trace; %s is a scenario itself", word)
	}
	p, err := pickOne(word)
	if err != nil {
		return traced{}, err
	}
	runs, err := s.runs([]pick{p})
	if err != nil {
		return traced{}, err
	}
	err = c.one(cmd.Context(), &runs[0])
	return traced{runs[0], show.Command + " replay " + runs[0].Replay + " -v"}, err
}

// isTrace reports whether a word names a trace rather than a scenario.
func isTrace(word string) bool {
	info, err := os.Stat(word)
	return word == "-" || (err == nil && info.Mode().IsRegular() && !strings.HasSuffix(word, scenarios.Ending))
}

// readRun makes a run of a trace: what simrun check finds, as a result. What
// follows "simrun check" to judge it again is in Replay.
func (c console) readRun(path, policy string) (show.Run, error) {
	text, err := c.textOf(path)
	if err != nil {
		return show.Run{}, err
	}
	facts, err := readFacts(path, bytes.NewReader(text))
	if err != nil {
		return show.Run{}, err
	}
	r := show.Run{File: path, Replay: quoted(path), Scenario: &scenarios.Scenario{
		Name: path, Title: "A trace.", Prose: "A trace, judged by the default policy.", Policy: spec.DefaultPolicy(scenarios.DefaultHostname),
	}}
	name, relay, seed, said := headingOf(text)
	if policy != "" {
		p, err := pickOne(policy)
		if err != nil {
			return r, err
		}
		r.Scenario = p.scenario
	} else if s, err := scenarios.Load(name); said && err == nil {
		policy, r.Scenario = name, s
	}
	if policy != "" {
		r.Replay += " --scenario " + quoted(policy)
	}
	if said {
		r.Relay = relay
		seeded := *r.Scenario
		seeded.Seed = seed
		r.Scenario = &seeded
	}
	r.Result = judged(r.Scenario, facts)
	return r, nil
}

// headingOf reads the first line of what simrun replay -v has written.
func headingOf(text []byte) (name, relay string, seed uint64, ok bool) {
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.ReplaceAll(line, " · ", " ")
	n, err := fmt.Sscanf(line, "# %s seed %d relay %s", &name, &seed, &relay)
	return name, relay, seed, err == nil && n == 3
}

// judged is the result of a run whose facts are known.
func judged(s *scenarios.Scenario, facts []spec.Fact) *sim.Result {
	checker := spec.NewChecker(s.Policy)
	r := &sim.Result{Scenario: s.Name, Began: facts[0].At, Facts: facts, Lines: len(facts)}
	for _, f := range facts {
		r.Violations = append(r.Violations, checker.Observe(f)...)
	}
	r.Violations = append(r.Violations, checker.Finish()...)
	r.Licences, r.Status = checker.Licences(), verdictOn(r.Violations)
	r.Virtual = facts[len(facts)-1].At.Sub(r.Began)
	sum := sha256.Sum256(r.Trace())
	r.Hash = hex.EncodeToString(sum[:])
	return r
}

// textOf reads a file, or standard input for "-".
func (c console) textOf(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(c.in)
	}
	return os.ReadFile(path)
}
