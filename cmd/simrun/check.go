package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

func checkCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Judge a trace of facts by the rules",
		Long: `check reads facts, one a line in the order of time, as simrun replay -v prints
them, and judges them by the rules. Blank lines and lines that begin with # are
passed over. FILE - is standard input.

The checker does not know who made the facts: those of a simulation, of a test
with real servers, of another program that writes them in this form. A history
that ends in the middle is judged for what it shows; one that ends in the middle
of a line is refused.

The relay is taken to have the default policy, unless --scenario names a scenario
whose relay section says otherwise.`,
		Example: `  simrun replay doubt/retry -v > trace
  simrun check trace --scenario doubt/retry
  simrun replay mx/null -v | simrun check -`,
		Args: exactlyOne("which file? Write simrun check FILE, or simrun check - for standard input"),
	}
	name := cmd.Flags().String("scenario", "", "judge by the policy of this `PATH|NAME`")
	hostname := cmd.Flags().String("hostname", scenarios.DefaultHostname, "the relay's own `name`")
	_ = cmd.RegisterFlagCompletionFunc("scenario", completeNames)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		policy := spec.DefaultPolicy(*hostname)
		if *name != "" {
			p, err := pickOne(*name)
			if err != nil {
				return err
			}
			policy = p.scenario.Policy
		}
		facts, err := c.factsOf(args[0])
		if err != nil {
			return err
		}
		return c.judge(policy, facts)
	}
	return cmd
}

// factsOf reads the facts of a file, or of standard input for "-".
func (c console) factsOf(path string) ([]spec.Fact, error) {
	if path == "-" {
		return readFacts("standard input", c.in)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFacts(path, f)
}

// mostLine caps a line of a trace; what is longer is no fact.
const mostLine = 1 << 20

// readFacts reads a trace called name.
func readFacts(name string, r io.Reader) ([]spec.Fact, error) {
	var facts []spec.Fact
	in := bufio.NewScanner(r)
	in.Buffer(nil, mostLine)
	in.Split(wholeLines)
	for number := 1; in.Scan(); number++ {
		text := in.Text()
		line, whole := strings.CutSuffix(text, "\n")
		refuse := func(err error) error {
			return fmt.Errorf("%s:%d: %s\n\t%s", name, number, shown(err.Error()), shown(line))
		}
		switch {
		case !isText(line):
			return nil, fmt.Errorf("%s:%d: this is no text, so it is no trace", name, number)
		case !whole:
			return nil, refuse(errors.New("the last line has no end: the trace was cut"))
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		}
		f, err := spec.ParseFact(line)
		if err != nil {
			return nil, refuse(err)
		}
		if n := len(facts); n > 0 && f.At < facts[n-1].At {
			return nil, refuse(fmt.Errorf("time goes back by %s: a trace is in the order of time", facts[n-1].At.Sub(f.At)))
		}
		facts = append(facts, f)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(facts) == 0 {
		return nil, fmt.Errorf("%s holds no facts: make some with simrun replay NAME -v", name)
	}
	return facts, nil
}

// wholeLines splits into lines with their ends, so that a last one without can
// be told.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// isText reports whether a line can be of a trace: a fact quotes what is not.
func isText(line string) bool {
	return utf8.ValidString(line) && !strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' })
}

// shown bounds a line in an error.
func shown(line string) string {
	const most = 120
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}

// judge has the checker judge facts, and tells what it found.
func (c console) judge(policy spec.Policy, facts []spec.Fact) error {
	checker := spec.NewChecker(policy)
	var found []spec.Violation
	for _, f := range facts {
		found = append(found, checker.Observe(f)...)
	}
	found = append(found, checker.Finish()...)
	p := c.colours()
	show.Fates(c.out, p, checker.Messages())
	show.Violations(c.out, p, found, facts[0].At)
	fmt.Fprintln(c.out)
	status := verdictOn(found)
	show.Judged(c.out, p, status, len(facts), checker.Licences(), len(found))
	return end(status)
}

// verdictOn is Progress when nothing worse is found.
func verdictOn(found []spec.Violation) sim.Status {
	status := sim.OK
	for _, v := range found {
		if v.Rule != spec.Progress {
			return sim.Safety
		}
		status = sim.Progress
	}
	return status
}
