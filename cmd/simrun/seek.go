package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
)

// seekAll has the searches look for mutants, as if nothing was known of them.
func (c console) seekAll(ctx context.Context, chosen []mutants.Mutant, budget int) error {
	if budget < 1 {
		return fmt.Errorf("--budget %d runs nothing: write 1 or more", budget)
	}
	library, err := scenarios.Ready()
	if err != nil {
		return err
	}
	bar := c.newProgressOf(len(chosen), "mutants")
	found := make([]show.Sought, len(chosen))
	for i, m := range chosen {
		if ctx.Err() != nil {
			break
		}
		if found[i], err = c.seek(ctx, m, budget, library); err != nil {
			return err
		}
		bar.add()
	}
	bar.close()
	for i, m := range chosen {
		found[i].Name, found[i].Rule, found[i].Wrong = m.Name, m.Rule, m.Wrong
	}
	show.SoughtTable(c.out, c.colours(), found, budget)
	switch {
	case ctx.Err() != nil:
		return end(sim.NoVerdict)
	case slices.ContainsFunc(found, func(s show.Sought) bool { return s.By == "" }):
		return end(sim.Safety)
	}
	return nil
}

// seekChunk is how many worlds of one focus come in a row.
const seekChunk = 20

// seek looks for one mutant: random worlds first, with every focus in turn;
// then sweeps of the library.
func (c console) seek(ctx context.Context, m mutants.Mutant, budget int, library []*scenarios.Scenario) (show.Sought, error) {
	var out show.Sought
	var over atomic.Bool
	jobs := func(yield func(search.Job) bool) {
		for at := 0; at < budget && !over.Load(); at += seekChunk {
			turn := at / seekChunk
			e := &search.Explore{
				First: uint64(turn / search.Focuses * seekChunk), Count: min(seekChunk, budget-at), Focus: turn % search.Focuses, Rule: m.Rule,
			}
			if !yield(search.Job{Relay: m.Name, Explore: e}) {
				return
			}
		}
		for i, sc := range library {
			if over.Load() || !yield(search.Job{Relay: m.Name, Scenario: sc, Sweep: &search.Sweep{Depth: 1, Part: i % 4, Parts: 4, Rule: m.Rule}}) {
				return
			}
		}
	}
	var first *search.Found
	err := c.search(ctx, iter.Seq[search.Job](jobs), func(j search.Job, a search.Answer) bool {
		var all []search.Found
		switch {
		case a.Explored != nil:
			out.Worlds += a.Explored.Worlds
			out.By, all = "explore", a.Explored.Found
		case a.Swept != nil:
			out.Worlds += a.Swept.Runs
			out.By, all = "sweep", a.Swept.Found
		}
		if len(all) > 0 {
			first = &all[0]
			over.Store(true)
		}
		return first == nil
	})
	if err != nil || first == nil {
		out.By = ""
		return out, err
	}
	out.Where = first.Scenario.Name
	small := []search.Job{{Relay: m.Name, Scenario: first.Scenario, Shrink: &search.Shrink{Rule: m.Rule}}}
	return out, c.search(ctx, slices.Values(small), func(_ search.Job, a search.Answer) bool {
		if a.Shrunk != nil {
			out.Shrunk = string(scenarios.Format(a.Shrunk.Scenario))
			out.Lines = strings.Count(out.Shrunk, "\n")
		}
		return true
	})
}
