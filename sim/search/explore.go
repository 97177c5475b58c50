package search

import (
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// An Explore runs random worlds: those of Count seeds from First on, with a
// focus.
type Explore struct {
	First uint64
	Count int
	Focus int
	// Rule, unless it is empty, is the only one that counts.
	Rule spec.Rule
}

// Explored is what came of an Explore.
type Explored struct {
	Worlds int
	// Lines counts the facts, Fired the faults that happened.
	Lines, Fired int
	// VirtualSeconds is the time that passed in the worlds, together.
	VirtualSeconds int64
	Coverage       *coverage.Coverage
	Found          []Found
	Broken         int
}

// Add adds what came of another one; of its findings only their number.
func (e *Explored) Add(o *Explored) {
	e.Worlds += o.Worlds
	e.Lines += o.Lines
	e.Fired += o.Fired
	e.VirtualSeconds += o.VirtualSeconds
	e.Broken += o.Broken
	if e.Coverage == nil {
		e.Coverage = new(coverage.Coverage)
	}
	e.Coverage.Merge(o.Coverage)
}

// do runs the worlds.
func (e *Explore) do(r *runner) *Explored {
	out := &Explored{Coverage: new(coverage.Coverage)}
	for i := range e.Count {
		sc := World(NumberOf(e.First+uint64(i), e.Focus))
		result := r.run(sc, sim.Options{
			Brief: true, Unhashed: true, AllowUnused: true, Coverage: true, Until: e.Rule,
		})
		out.Worlds++
		out.Lines += result.Lines
		out.Fired += len(result.Fired)
		out.VirtualSeconds += int64(result.Virtual / time.Second)
		out.Coverage.Merge(result.Coverage)
		if !broken(sc, result, e.Rule) {
			continue
		}
		out.Broken++
		if len(out.Found) < MostFound {
			out.Found = append(out.Found, Found{sc, result})
		}
		if r.spent {
			break // what is left behind would be found again in the next world
		}
	}
	return out
}
