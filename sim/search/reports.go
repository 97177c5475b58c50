package search

import (
	"math/rand/v2"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// reportStream is the stream from which it is drawn what becomes of reports.
const reportStream = 0x7265706f7274

// reports draws, for a third of the worlds, how many reports one may have in an
// hour, and a postmaster, who may be anybody that mail goes to, or whom nobody
// reaches; and that a crash comes when a report is held back. It has a stream of its
// own, so that the other worlds are what they were.
func (g *generator) reports(n Number) {
	of := &generator{rand: rand.New(rand.NewPCG(uint64(n), reportStream))}
	if g.on[plain] || !of.odds(1./3) {
		return
	}
	p := &g.sc.Policy
	p.Limits.ReportsPerHour = pick(of, 0, 1, 1, 2, 3, p.Limits.ReportsPerHour)
	for i := range g.sc.Plan {
		if s := &g.sc.Plan[i]; s.Kind == scenarios.StepCrash && s.When.Kind != "" && of.odds(0.2) {
			s.When.Kind = spec.FactHeldBack
		}
	}
	to := pick(of, append([]string{"postmaster@example.org", "postmaster@nowhere.example"}, g.to...)...)
	if (spec.Policy{Postmaster: to}).PostmasterTrouble() == nil {
		p.Postmaster = to
	}
}
