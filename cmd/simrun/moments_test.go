package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
	"github.com/postonce/postonce/spec"
)

// TestMomentsThatAreOneShowTheSame: a sweep takes moments for one between which
// nothing changed that outlives the relay. A crash before and after every line of
// the trace, whatever changed, shows no rule broken that the sweep does not see.
// MOMENTS=NAME,NAME is for other stories.
func TestMomentsThatAreOneShowTheSame(t *testing.T) {
	stories := []string{"plain/one-recipient"}
	if names := os.Getenv("MOMENTS"); names != "" {
		stories = strings.Split(names, ",")
	}
	seen := 0
	for _, name := range stories {
		sc, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		sc.Policy.Schedule.Lifetime = time.Hour // what never delivers would fill five days with lines
		for _, m := range mutants.All() {
			swept := rulesOf(sweepOf(t, sc, m.Factory))
			for rule := range rulesOf(everyLine(t, sc, m.Factory)) {
				seen++
				if !swept[rule] {
					t.Errorf("%s breaks %s in %s when it is crashed at every line, and not in the sweep", m.Name, rule, name)
				}
			}
		}
	}
	t.Logf("%d rules of mutants were broken", seen)
	if seen < 10 {
		t.Errorf("crashes showed %d rules broken: too few to tell", seen)
	}
}

// sweepOf crashes a relay at the moments of a sweep.
func sweepOf(t *testing.T, sc *scenarios.Scenario, f sim.Factory) []*sim.Result {
	calm := sim.Run(t, sc, f, sim.Options{Points: true, RulesOnly: true})
	if search.Broken(sc, calm) {
		return nil
	}
	var all []*sim.Result
	for _, p := range calm.Points {
		for _, keep := range []string{"none", "all"} {
			step := search.CrashAt(p, keep)
			all = append(all, sim.Run(t, sc, f, sim.Options{Steps: []scenarios.Step{step}, AllowUnused: true, RulesOnly: true}))
		}
	}
	return all
}

// everyLine crashes a relay before and after every line.
func everyLine(t *testing.T, sc *scenarios.Scenario, f sim.Factory) []*sim.Result {
	calm := sim.Run(t, sc, f, sim.Options{RulesOnly: true})
	if search.Broken(sc, calm) {
		return nil
	}
	var all []*sim.Result
	for line := range calm.Lines {
		for _, keep := range []string{"none", "all"} {
			for _, after := range []bool{false, true} {
				step := search.CrashAt(sim.Point{Line: line + 1, After: after}, keep)
				all = append(all, sim.Run(t, sc, f, sim.Options{Steps: []scenarios.Step{step}, AllowUnused: true, RulesOnly: true}))
			}
		}
	}
	return all
}

// rulesOf are the rules that runs broke.
func rulesOf(runs []*sim.Result) map[spec.Rule]bool {
	broken := map[spec.Rule]bool{}
	for _, r := range runs {
		for _, v := range r.Violations {
			broken[v.Rule] = true
		}
	}
	return broken
}
