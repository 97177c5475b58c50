package search

import (
	"math/rand/v2"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// loadStream is the stream from which it is drawn how the relay treats a
// destination under load.
const loadStream = 0x6c6f6164

// load draws, for a third of the worlds, when a destination is dead, how many
// deliveries it gets at once, how fast, and how far due times are spread; and that a
// crash comes when mail is put off. It has a stream of its own, so that the other
// worlds are what they were.
func (g *generator) load(n Number) {
	of := &generator{rand: rand.New(rand.NewPCG(uint64(n), loadStream))}
	if g.on[plain] || !of.odds(1./3) {
		return
	}
	p := &g.sc.Policy
	p.Limits.DeadAfter = pick(of, 0, 1, 1, 2, 3, 5)
	p.Limits.FirstPerDestination = pick(of, 1, 2, 5)
	if of.odds(0.3) {
		p.Limits.PerMinute = pick(of, 1, 6, 60)
	}
	if of.odds(0.5) {
		p.Schedule.Jitter = pick(of, 10, 50)
	}
	for i := range g.sc.Plan {
		if s := &g.sc.Plan[i]; s.Kind == scenarios.StepCrash && s.When.Kind != "" && of.odds(0.3) {
			s.When.Kind = spec.FactPutOff
		}
	}
}
