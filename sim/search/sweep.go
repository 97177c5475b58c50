package search

import (
	"fmt"
	"slices"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Sweep runs a scenario again and again, each time with one thing more that
// goes wrong: the relay is crashed at every point of the calm run, and the disk
// loses, keeps, or keeps some of what it had not acknowledged; and every
// operation of the relay's machine fails, once and for good.
//
// It judges by the rules alone: what the scenario expects is for the calm run.
type Sweep struct {
	// Depth is how many crashes come one after another: with 2, every crash
	// is followed by one at every point of the recovery from it.
	Depth int
	// Part of Parts: only every so many-th run, so that a large scenario can
	// be shared out. 0 of 0 is all.
	Part, Parts int
	// Rule, unless it is empty, is the only one that counts.
	Rule spec.Rule
}

// Swept is what came of a Sweep.
type Swept struct {
	Scenario string
	// Points, Runs: how many moments there are, and how many runs were made.
	Points, Runs int
	// Crashes and Faults are the runs by what was added.
	Crashes, Faults int
	// Found are the runs that broke a rule, at most MostFound of them; Broken
	// counts all.
	Found  []Found
	Broken int
}

// MostFound bounds how many findings of one job are told in full.
const MostFound = 3

// A Found is a world in which something is wrong, and what.
type Found struct {
	Scenario *scenarios.Scenario
	Result   *sim.Result
}

// restartTime is how long the relay is down, healTime how long faults that are
// for good last. On a disk that is broken the relay ends when it has begun, each
// time alike; a few times are enough.
const (
	restartTime  = 10 * time.Second
	healTime     = 10 * time.Minute
	healTimeDisk = time.Minute
)

// do does the sweep.
func (s *Sweep) do(r *runner, sc *scenarios.Scenario) *Swept {
	out := &Swept{Scenario: sc.Name}
	calm := r.run(sc, sim.Options{Points: true, AllowUnused: true, RulesOnly: true, Unhashed: true})
	s.judge(out, sc, calm, nil)
	if out.Broken > 0 {
		return out // there is nothing calm to start from
	}
	out.Points = len(calm.Points)
	w := &sweeper{Sweep: s, runner: r, scenario: sc, out: out}
	w.crashes(nil, calm.Points, s.Depth)
	w.failures(calm)
	return out
}

// judge adds a result to the findings when a rule is broken.
func (s *Sweep) judge(out *Swept, sc *scenarios.Scenario, result *sim.Result, steps []scenarios.Step) {
	if !broken(sc, result, s.Rule) {
		return
	}
	out.Broken++
	if len(out.Found) < MostFound {
		out.Found = append(out.Found, Found{With(sc, steps), result})
	}
}

// Broken reports whether a run broke a rule that the scenario does not expect
// to be broken, or did not end well.
func Broken(sc *scenarios.Scenario, result *sim.Result) bool {
	if result.EndedBadly() {
		return true
	}
	for _, v := range result.Violations {
		if !expects(sc, v.Rule) {
			return true
		}
	}
	return false
}

// broken is Broken, or whether a rule is among those broken.
func broken(sc *scenarios.Scenario, result *sim.Result, rule spec.Rule) bool {
	if rule == "" {
		return Broken(sc, result)
	}
	return slices.ContainsFunc(result.Violations, func(v spec.Violation) bool { return v.Rule == rule })
}

func expects(sc *scenarios.Scenario, rule spec.Rule) bool {
	for _, e := range sc.Expect {
		if e.Violates == string(rule) {
			return true
		}
	}
	return false
}

// With is a scenario with more steps, and without expectations that hold only
// of the calm run.
func With(sc *scenarios.Scenario, steps []scenarios.Step) *scenarios.Scenario {
	if len(steps) == 0 {
		return sc
	}
	more := *sc
	more.Plan = append(append([]scenarios.Step(nil), sc.Plan...), steps...)
	return &more
}

// A sweeper is a sweep under way.
type sweeper struct {
	*Sweep
	*runner
	scenario *scenarios.Scenario
	out      *Swept
	count    int
}

// mine reports whether the next run is of this part.
func (w *sweeper) mine() bool {
	w.count++
	return w.Parts < 2 || w.count%w.Parts == w.Part
}

// try runs the scenario with more steps.
func (w *sweeper) try(steps []scenarios.Step, points bool) *sim.Result {
	w.out.Runs++
	result := w.run(w.scenario, sim.Options{
		Steps: steps, AllowUnused: true, RulesOnly: true, Points: points, Brief: !points, Unhashed: true, Until: w.Rule,
	})
	w.judge(w.out, w.scenario, result, steps)
	return result
}

// crashes crashes the relay at every point, after the crashes of before.
func (w *sweeper) crashes(before []scenarios.Step, points []sim.Point, depth int) {
	if depth < 1 {
		return
	}
	for _, p := range points {
		if len(before) == 0 && !w.mine() {
			continue
		}
		for _, keep := range keeps(p) {
			steps := append(before[:len(before):len(before)], CrashAt(p, keep))
			result := w.try(steps, depth > 1)
			w.out.Crashes++
			if depth > 1 {
				w.crashes(steps, recovering(result, len(steps)+1), depth-1)
			}
		}
	}
}

// recovering returns the points of a run at which its process number n had
// begun and was not yet ready.
func recovering(result *sim.Result, n int) []sim.Point {
	var ready spec.Wall
	started := 0
	for _, f := range result.Facts {
		switch f.Kind {
		case spec.FactStart:
			started = int(f.Count)
		case spec.FactReady:
			if started == n && ready == 0 {
				ready = f.At
			}
		}
	}
	var points []sim.Point
	for _, p := range result.Points {
		if p.Process == n && (ready == 0 || result.Began.Add(p.Since) <= ready) {
			points = append(points, p)
		}
	}
	return points
}

// keeps are the choices of the disk that make a difference at a point.
func keeps(p sim.Point) []string {
	switch p.Pending {
	case 0:
		return []string{""}
	case 1:
		return []string{"none", "all"}
	}
	return []string{"none", "all", "some"}
}

// CrashAt is a crash at a point.
func CrashAt(p sim.Point, keep string) scenarios.Step {
	return scenarios.Step{
		Kind: scenarios.StepCrash, StepNumber: p.Line, Seam: p.Seam, When: scenarios.FactMatch{After: p.After},
		Restart: restartTime, Keep: keep,
	}
}

// failures lets every operation fail, once and for good.
func (w *sweeper) failures(calm *sim.Result) {
	for _, kind := range []struct {
		op string
		at []time.Duration
	}{{"store", calm.Store}, {"lookup", calm.Lookups}, {"dial", calm.Dials}} {
		for i, at := range kind.at {
			for _, forever := range []bool{false, true} {
				if !w.mine() {
					continue
				}
				w.out.Faults++
				w.try(failure(kind.op, i+1, at, forever), false)
			}
		}
	}
}

// failure is one operation that fails, at a time, or all from it on for a while.
func failure(op string, nth int, at time.Duration, forever bool) []scenarios.Step {
	f := scenarios.Step{Kind: scenarios.StepFail, Op: op, Nth: nth, Forever: forever}
	last := healTime
	if op == "store" {
		f.Restart, last = restartTime, healTimeDisk
	}
	if !forever {
		return []scenarios.Step{f}
	}
	return []scenarios.Step{f, {Kind: scenarios.StepHeal, At: (at + last).Truncate(time.Second)}}
}

// String says in a line how much was tried.
func (s *Swept) String() string {
	return fmt.Sprintf("%s: %d points, %d crashes, %d failures, %d broken", s.Scenario, s.Points, s.Crashes, s.Faults, s.Broken)
}
