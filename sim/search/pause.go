package search

import (
	"math/rand/v2"
	"time"

	"github.com/postonce/postonce/scenarios"
)

// pauses draws what an operator says of destinations. It has a stream of its own,
// so that worlds without any of it are what they would be.
func (g *generator) pauses(n Number) {
	if !g.on[operator] {
		return
	}
	p := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x7061757365)), on: g.on, sc: g.sc, to: g.to}
	var dests []string
	for _, s := range g.sc.Plan {
		for _, to := range s.Recipients {
			if s.Kind == scenarios.StepSubmit {
				dests = append(dests, g.sc.Policy.Destination(s.Sender, to))
			}
		}
	}
	for p.odds(0.4) && len(dests) > 0 && len(g.sc.Plan) < 28 {
		s := scenarios.Step{Kind: scenarios.StepPause, At: pick(p, p.minutes(1, 120), p.moment(), 0), Dest: pick(p, dests...)}
		if s.Dest[0] == '[' {
			continue // the language has no word for it
		}
		g.sc.Plan = append(g.sc.Plan, s)
		for p.odds(0.7) {
			resume := scenarios.Step{Kind: scenarios.StepResume, At: s.At + pick(p, time.Duration(p.between(1, 5000))*time.Millisecond, p.minutes(1, 400)), Dest: s.Dest}
			g.sc.Plan = append(g.sc.Plan, resume)
		}
	}
}
