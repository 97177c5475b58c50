package search

import (
	"math/rand/v2"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// reroutes draws where operators send what waits: to servers that there are,
// whose mail it may be or not. It has a stream of its own, so that worlds without
// any are what they would be.
func (g *generator) reroutes(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x7265726f757465)), on: g.on, sc: g.sc}
	if !w.on[operator] || !w.odds(0.5) || len(w.sc.Servers) == 0 {
		return
	}
	for _, s := range w.sc.Plan {
		for s.Kind == scenarios.StepSubmit && w.odds(0.6) && len(w.sc.Plan) < 30 {
			r := scenarios.Step{
				Kind: scenarios.StepReroute, Message: s.Message,
				At: pick(w, w.minutes(1, 300), w.minutes(1, 30), s.At+time.Duration(w.between(0, 60_000))*time.Millisecond),
			}
			if w.odds(0.8) {
				r.Dest = spec.Via([]string{w.server() + pick(w, "", "", ":2525")})
			}
			if w.odds(0.4) {
				r.Recipients = []string{pick(w, s.Recipients...)}
			}
			w.sc.Plan = append(w.sc.Plan, r)
		}
	}
}

// server draws the name of one of the servers.
func (g *generator) server() string { return g.sc.Servers[g.rand.IntN(len(g.sc.Servers))].Name }
