package search

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/postonce/postonce/scenarios"
)

// turns draws, for some of the worlds with many messages, that they have several
// senders, and one of them sends much to one address. It has a stream of its own,
// as way has.
func (g *generator) turns(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x7475726e73)), on: g.on, sc: g.sc, to: g.to}
	if !w.on[many] || !w.odds(0.4) {
		return
	}
	for i := range g.sc.Plan {
		if s := &g.sc.Plan[i]; s.Kind == scenarios.StepSubmit && s.Sender == "alice@example.org" {
			s.Sender = pick(w, "alice@example.org", "bob@example.org", "news+1@example.org")
		}
	}
	at, to := time.Duration(w.between(0, 3000))*time.Second, pick(w, g.to...)
	for i := range w.between(3, 12) {
		g.sc.Plan = append(g.sc.Plan, scenarios.Step{
			Kind: scenarios.StepSubmit, Message: fmt.Sprintf("n%d", i+1), Sender: fmt.Sprintf("news+%d@example.org", i+1),
			At: at, Recipients: []string{to},
		})
	}
	if w.odds(0.7) {
		g.sc.Policy.Limits.DeliveriesPerDestination = w.between(1, 2)
	}
	if w.odds(0.3) {
		g.sc.Policy.Limits.WindowGroups = w.between(1, 4)
	}
}
