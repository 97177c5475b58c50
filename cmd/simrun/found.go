package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
)

// A hoard collects what a search found, shrinks it, saves it, and tells it.
type hoard struct {
	c     console
	relay string
	// dir is where scenario files are saved.
	dir string
	// all are the findings, the first of each rule and scenario; broken counts
	// the worlds in which something was wrong.
	all    []search.Found
	broken int
}

// mostTold is how many findings are shrunk and told: others are mostly their
// echoes, and come again when these are mended.
const mostTold = 5

// try finds out whether what is found can be saved, so that a long search is
// not for nothing. It leaves all as it was.
func (h *hoard) try() error {
	var made []string
	for dir := filepath.Clean(h.dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, dir)
	}
	err := os.MkdirAll(h.dir, 0o755)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(h.dir, ".simrun-*"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	for _, dir := range made {
		_ = os.Remove(dir) // one that is left is only empty
	}
	if err != nil {
		return fmt.Errorf("what is found could not be saved: %w", err)
	}
	return nil
}

// add takes what a job found.
func (h *hoard) add(found []search.Found, broken int) {
	h.broken += broken
	for _, f := range found {
		alike := func(g search.Found) bool {
			return search.RuleOf(g.Scenario, g.Result) == search.RuleOf(f.Scenario, f.Result) && sentence(g) == sentence(f)
		}
		if len(h.all) < mostTold && !slices.ContainsFunc(h.all, alike) {
			h.all = append(h.all, f)
		}
	}
}

// sentence is what is wrong, without what differs from world to world.
func sentence(f search.Found) string {
	for _, v := range f.Result.Violations {
		if v.Rule == search.RuleOf(f.Scenario, f.Result) {
			words := strings.Fields(v.Sentence)
			return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.ContainsAny(w, "0123456789@.") }), " ")
		}
	}
	first, _, _ := strings.Cut(f.Result.Panic, "\n")
	return cmp.Or(first, f.Result.Ended)
}

// tell shrinks the findings, saves them, and tells them as bug reports. What
// cannot be shrunk or saved is told all the same.
func (h *hoard) tell(ctx context.Context) error {
	if len(h.all) == 0 {
		return nil
	}
	jobs := make([]search.Job, len(h.all))
	for i, f := range h.all {
		jobs[i] = search.Job{Relay: h.relay, Scenario: f.Scenario, Shrink: &search.Shrink{Rule: search.RuleOf(f.Scenario, f.Result)}}
	}
	i := 0
	errs := []error{h.c.search(ctx, slices.Values(jobs), func(_ search.Job, a search.Answer) bool {
		if a.Shrunk != nil && a.Shrunk.Result != nil {
			h.all[i] = a.Shrunk.Found
		}
		i++
		return true
	})}
	var runs []show.Run
	for _, f := range h.all {
		run, err := h.save(f)
		if err != nil {
			err = fmt.Errorf("what is told above is not saved: %w", err)
		}
		runs, errs = append(runs, run), append(errs, err)
	}
	show.Found(h.c.out, h.c.colours(), runs, h.broken)
	return errors.Join(errs...)
}

// save writes a finding as a scenario file; the run is there also when that
// fails.
func (h *hoard) save(f search.Found) (show.Run, error) {
	sc := *f.Scenario
	rule := search.RuleOf(f.Scenario, f.Result)
	what := strings.ToLower(string(rule))
	if rule == "" {
		what = "crashed"
	}
	sc.Title = "Nothing here breaks " + string(rule)
	if rule == "" {
		sc.Title = "The relay ends well here"
	}
	sc.Prose = sc.Title + ".\n" + firstWords(f)
	if rule != "" {
		sc.Rules = []string{string(rule)}
	}
	sc.Needs, sc.Source, sc.Bugs = nil, "", nil
	text := scenarios.Format(&sc)
	name := fmt.Sprintf("%s-%s%s", what, show.Short(f.Result.Hash), scenarios.Ending)
	path := filepath.Join(h.dir, name)
	unsaved := os.MkdirAll(h.dir, 0o755)
	if unsaved == nil {
		unsaved = os.WriteFile(path, text, 0o644)
	}
	back, err := scenarios.Parse(path, text)
	if err != nil {
		back = &sc // it is told all the same; what is wrong with it is seen when it is run
	}
	result := f.Result
	if result.Status == sim.OK {
		result.Status = sim.Safety
	}
	replay := quoted(path)
	if h.relay != honest {
		replay += " --relay " + h.relay
	}
	return show.Run{Scenario: back, File: path, Relay: h.relay, Replay: replay, Result: result, Program: h.c.program}, unsaved
}

// firstWords says what is wrong, for the prose of the file.
func firstWords(f search.Found) string {
	rule := search.RuleOf(f.Scenario, f.Result)
	for _, v := range f.Result.Violations {
		if v.Rule == rule {
			return string(rule) + ": " + v.Sentence + "."
		}
	}
	if f.Result.Ended != "" {
		return "It did not: " + f.Result.Ended + "."
	}
	return "It did not."
}
