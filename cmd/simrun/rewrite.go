package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// rewritable checks that the golden traces of a selection can be renewed, and
// takes the old ones away, which must not make the runs fail.
func rewritable(s selection, picks []pick) error {
	if s.reseed || s.relay != honest {
		return fmt.Errorf("a golden trace is that of %s with the seed of the file: leave out --seed and --relay", honest)
	}
	found := false
	for i, p := range picks {
		if !strings.HasSuffix(p.word, scenarios.Ending) {
			return fmt.Errorf("--rewrite writes to files that are named by path: %s is a name of the library; in the repository write %s", p.word, p.file)
		}
		if p.broken == nil && p.scenario.Trace != nil {
			found = true
			bare := *p.scenario
			bare.Trace = nil
			picks[i].scenario, picks[i].rewrite = &bare, true
		}
	}
	if !found {
		return errors.New("no file has a trace section to rewrite: add a line -- trace -- at the end of one")
	}
	return nil
}

// rewrite renews the golden traces of the runs that hold.
func (c console) rewrite(picks []pick, runs []show.Run) error {
	var errs []error
	for i, r := range runs {
		if !picks[i].rewrite {
			continue
		}
		if r.Status() != sim.OK {
			fmt.Fprintf(c.err, "simrun: %s %s: its trace stays as it is\n", r.File, show.Verdict(r.Status()))
			continue
		}
		changed, err := rewriteTrace(r.File, r.Result.Trace())
		errs = append(errs, err)
		if changed {
			fmt.Fprintf(c.err, "simrun: wrote the trace of %s, %d lines\n", r.File, r.Result.Lines)
		}
	}
	return errors.Join(errs...)
}

// rewriteTrace puts a trace into a file and reports whether that changed it.
func rewriteTrace(file string, trace []byte) (bool, error) {
	before, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	after, err := scenarios.WithTrace(file, before, trace)
	if err != nil || bytes.Equal(before, after) {
		return false, err
	}
	return true, replaceFile(file, after)
}
