// Package search looks for worlds in which a relay breaks a rule. Sweep crashes
// it at every moment of a scenario, and lets every operation of its machine
// fail; Explore makes worlds from seeds; Shrink makes what was found small.
//
// Worlds run in worker processes (package sim/workers): a program that calls
// workers.Serve with Handler is one.
package search

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// A Job is what a worker is asked to do: to run a scenario once, unless one of
// the searches is set.
type Job struct {
	// Relay names one of the factories given to Handler.
	Relay    string
	Scenario *scenarios.Scenario `json:",omitempty"`
	Options  sim.Options
	Sweep    *Sweep   `json:",omitempty"`
	Explore  *Explore `json:",omitempty"`
	Shrink   *Shrink  `json:",omitempty"`
}

// An Answer is what came of a Job.
type Answer struct {
	// Run is the result of a single run.
	Run      *sim.Result `json:",omitempty"`
	Swept    *Swept      `json:",omitempty"`
	Explored *Explored   `json:",omitempty"`
	Shrunk   *Shrunk     `json:",omitempty"`
}

// Died is the answer when the worker died over a job.
func Died(j Job, why error) Answer {
	name := "explore"
	if j.Scenario != nil {
		name = j.Scenario.Name
	}
	return Answer{Run: &sim.Result{Scenario: name, Status: sim.Crashed, Panic: why.Error()}}
}

// Handler does jobs in a worker, with these relays.
func Handler(relays map[string]sim.Factory) func(t *testing.T, job json.RawMessage) (any, bool) {
	return func(t *testing.T, raw json.RawMessage) (any, bool) {
		var j Job
		if err := json.Unmarshal(raw, &j); err != nil {
			return Died(j, fmt.Errorf("a job that cannot be read: %w", err)), false
		}
		factory, known := relays[j.Relay]
		if !known {
			a := Died(j, fmt.Errorf("no relay is called %q", j.Relay))
			a.Run.Status = sim.Usage
			return a, false
		}
		r := runner{t: t, relay: factory}
		var a Answer
		switch {
		case j.Sweep != nil:
			a.Swept = j.Sweep.do(&r, j.Scenario)
		case j.Shrink != nil:
			a.Shrunk = j.Shrink.do(&r, j.Scenario)
		case j.Explore != nil:
			a.Explored = j.Explore.do(&r)
		default:
			a.Run = r.run(j.Scenario, j.Options)
		}
		return a, r.spent
	}
}

// A runner runs worlds one after another.
type runner struct {
	t     *testing.T
	relay sim.Factory
	// worlds counts them. spent is true when one of them may have left
	// goroutines behind.
	worlds  int
	spent   bool
	scratch sim.Scratch
}

func (r *runner) run(sc *scenarios.Scenario, o sim.Options) *sim.Result {
	r.worlds++
	o.Scratch = &r.scratch
	result := sim.Run(r.t, sc, r.relay, o)
	r.spent = r.spent || result.Status == sim.Crashed
	return result
}
