package search

import (
	"encoding/json"
	"slices"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Shrink makes a world in which a rule is broken as small as it can be while
// the same rule stays broken: fewer steps, recipients, rules, records and
// settings, and simpler ones.
type Shrink struct {
	// Rule is the rule; empty for a relay that does not end well.
	Rule spec.Rule
	// Tries bounds how many worlds are run; 0 is 2,000.
	Tries int
}

// Shrunk is what came of a Shrink.
type Shrunk struct {
	Found
	// Tries is how many worlds were run.
	Tries int
}

// RuleOf returns the rule that a finding is about: the gravest that is broken;
// empty when the relay did not end well.
func RuleOf(sc *scenarios.Scenario, result *sim.Result) spec.Rule {
	for _, rule := range spec.Rules() {
		for _, v := range result.Violations {
			if v.Rule == rule && !expects(sc, rule) {
				return rule
			}
		}
	}
	return ""
}

// do shrinks a scenario.
func (s *Shrink) do(r *runner, sc *scenarios.Scenario) *Shrunk {
	w := &shrinker{Shrink: s, runner: r, left: s.Tries}
	if w.left == 0 {
		w.left = 2000
	}
	first := clone(sc)
	first.Trace, first.Expect = nil, []scenarios.Expectation{{Attempts: -1, Acceptances: -1, Reports: -1, Rules: true}}
	if !w.fails(first) {
		return &Shrunk{Found{sc, w.last}, r.worlds} // it takes what the scenario expects to tell
	}
	w.best, w.result = first, w.last
	for w.pass() && w.left > 0 {
	}
	return &Shrunk{Found{w.best, w.result}, r.worlds}
}

// A shrinker is a Shrink under way.
type shrinker struct {
	*Shrink
	*runner
	left         int
	best         *scenarios.Scenario
	result, last *sim.Result
}

// fails runs a scenario, if it is one that can be written down, and reports
// whether it fails in the same way.
func (w *shrinker) fails(sc *scenarios.Scenario) bool {
	back, err := scenarios.Parse(sc.Name, scenarios.Format(sc))
	if err != nil || w.left <= 0 {
		return false
	}
	w.left--
	w.last = w.run(back, sim.Options{AllowUnused: true, Until: w.Rule})
	if w.Rule == "" {
		return w.last.EndedBadly()
	}
	return slices.ContainsFunc(w.last.Violations, func(v spec.Violation) bool { return v.Rule == w.Rule })
}

// try keeps a change if the world still fails.
func (w *shrinker) try(change func(sc *scenarios.Scenario) bool) bool {
	sc := clone(w.best)
	if !change(sc) || !w.fails(sc) {
		return false
	}
	w.best, w.result = sc, w.last
	return true
}

// pass tries every change once; it reports whether one was kept.
func (w *shrinker) pass() bool {
	kept := false
	for _, changes := range [...]func(*scenarios.Scenario) []change{
		dropSteps, dropPlaces, dropRules, dropRecords, plainPolicy, plainSteps, w.nameMoments,
	} {
		// Later ones first, so that what is left keeps its place.
		all := changes(w.best)
		for i := len(all) - 1; i >= 0; i-- {
			kept = w.try(all[i]) || kept
		}
	}
	return kept
}

// A change makes a scenario smaller. It reports false when there is nothing
// to change.
type change func(sc *scenarios.Scenario) bool

// clone copies a scenario: it is plain data.
func clone(sc *scenarios.Scenario) *scenarios.Scenario {
	data, err := json.Marshal(sc)
	if err != nil {
		panic(err) // a scenario is what jobs are made of
	}
	c := new(scenarios.Scenario)
	if err := json.Unmarshal(data, c); err != nil {
		panic(err)
	}
	return c
}
