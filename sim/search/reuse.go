package search

import (
	"math/rand/v2"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// reuse draws how connections are used for more than one mail, and what servers
// do to one that is idle. It has a stream of its own, as way has.
func (g *generator) reuse(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x7265757365)), on: g.on, sc: g.sc}
	if !w.odds(0.15) && !(w.on[policies] && w.odds(0.5)) {
		return
	}
	r := &g.sc.Policy.Reuse
	r.Idle = pick(w, time.Second, 20*time.Second, 2*time.Minute, 20*time.Minute)
	r.Age = r.Idle * time.Duration(w.between(1, 4))
	r.Messages = pick(w, 1, 2, 3, 100)
	r.Kept, r.KeptPerDestination = pick(w, 1, 2, 100), pick(w, 1, 2, 10)
	w.gather()
	for i := range g.sc.Servers {
		if s := &g.sc.Servers[i]; s.Script != nil && (w.on[cuts] || w.on[odd] || w.on[refusals]) && w.odds(0.4) {
			w.tire(s)
		}
	}
}

// gather has some mails come soon after the one before: else few of them find a
// connection that is still there.
func (g *generator) gather() {
	var before *scenarios.Step
	for i := range g.sc.Plan {
		s := &g.sc.Plan[i]
		if s.Kind != scenarios.StepSubmit {
			continue
		}
		if before != nil && g.odds(0.7) {
			s.At = min(s.At, before.At+time.Duration(g.between(0, 20))*time.Second)
		}
		before = s
	}
}

// tire has a server tire of clients that say nothing.
func (g *generator) tire(s *scenarios.Server) {
	rule := "at idle" + pick(g, "", ", first 1", ", first 2", ", nth 2", ", connection 1") + ": " + pick(g, "", "delay 1s; ", "delay 10s; ", "delay 1m; ") +
		pick(g, "fin", "cut", "421 4.4.2 Idle for too long; fin", "421 4.4.2 Idle for too long", "250 By the way", `raw "25"`, "silence")
	script, err := fakesmtp.ParseScript("idle", 1, rule)
	if err != nil {
		panic(err) // a fault of this function
	}
	s.Script.Rules = append(s.Script.Rules, script.Rules...)
}
