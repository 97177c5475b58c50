package search

import (
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// crashFacts are the moments at which crashing hurts.
var crashFacts = []spec.FactKind{
	spec.FactSubmit, spec.FactQueued, spec.FactSubmitted, spec.FactAttempt, spec.FactAttemptEnd, spec.FactDial, spec.FactConnect, spec.FactIntent,
	spec.FactDot, spec.FactAccepted, spec.FactReplied, spec.FactOutcome, spec.FactReport, spec.FactRemoved, spec.FactErased, spec.FactStored,
	spec.FactReady, spec.FactDoubt, spec.FactTrouble, spec.FactRoute,
}

// trouble draws what is done to the relay and its machine, and when faults end:
// then everything has to finish.
func (g *generator) trouble() {
	add := func(s scenarios.Step) { g.sc.Plan = append(g.sc.Plan, s) }
	for g.on[crashes] && g.odds(0.7) && len(g.sc.Plan) < 20 {
		add(g.crash())
		g.damage(add)
	}
	for g.on[stops] && g.odds(0.5) && len(g.sc.Plan) < 20 {
		add(scenarios.Step{Kind: scenarios.StepStop, At: g.moment(), Restart: g.down()})
		g.damage(add)
	}
	for g.on[machine] && g.odds(0.6) && len(g.sc.Plan) < 20 {
		s := scenarios.Step{Kind: scenarios.StepFail, Op: pick(g, "store", "store", "lookup", "dial"), Nth: g.between(1, 30), Forever: g.odds(0.2)}
		if s.Op == "store" {
			s.Restart, s.Keep = g.down(), pick(g, "", "none", "all", "some")
			if s.Forever { // whoever starts the relay on a broken disk again and again waits longer
				s.Restart = pick(g, 20*time.Minute, time.Hour)
			}
		}
		add(s)
	}
	for _, s := range g.sc.Servers {
		if g.on[netDown] && g.odds(0.3) {
			add(scenarios.Step{Kind: scenarios.StepCut, At: g.moment(), Host: s.Name})
		}
	}
	if g.on[operator] {
		g.decisions(add)
	}
	if g.on[clock] {
		g.jumps(add)
	}
	g.heal(add)
}

// moment draws a time at which something may be under way: soon after a
// submission, most times.
func (g *generator) moment() time.Duration {
	if g.odds(0.2) {
		return time.Duration(g.between(1, 4000)) * time.Second
	}
	at := time.Duration(g.between(1, 1500)) * time.Millisecond
	if s := pick(g, g.sc.Plan...); s.Kind == scenarios.StepSubmit {
		at += s.At
	}
	return at
}

// damage draws whether an entry is overwritten while the relay is down.
func (g *generator) damage(add func(scenarios.Step)) {
	if g.on[machine] && g.odds(0.1) {
		add(scenarios.Step{
			Kind: scenarios.StepDamage, Message: pick(g, "m1", "m1", g.lastMessage()),
			Harm: pick(g, "", scenarios.HarmEmpty, scenarios.HarmTorn, scenarios.HarmGone, scenarios.HarmContentTorn, scenarios.HarmContentGone),
		})
	}
}

// lastMessage is the message that is submitted last.
func (g *generator) lastMessage() string {
	last := ""
	for _, s := range g.sc.Plan {
		if s.Kind == scenarios.StepSubmit {
			last = s.Message
		}
	}
	return last
}

func (g *generator) down() time.Duration {
	return pick(g, time.Second, time.Minute, 20*time.Minute, 3*time.Hour)
}

func (g *generator) crash() scenarios.Step {
	s := scenarios.Step{
		Kind: scenarios.StepCrash, Restart: g.down(), Keep: pick(g, "", "none", "all", "some"), Silent: g.odds(0.2),
	}
	if g.odds(0.2) {
		s.At = g.moment()
		return s
	}
	s.When = scenarios.FactMatch{Kind: pick(g, crashFacts...), After: g.odds(0.5), Nth: g.between(1, 4)}
	if g.on[operator] && g.odds(0.3) {
		s.When.Kind = pick(g, spec.FactOperator, spec.FactOperated)
	}
	return s
}

// jumps draws how the wall clock is set, by less or more than anything waits;
// and that the relay stops about then, so that its next process believes it.
func (g *generator) jumps(add func(scenarios.Step)) {
	for range g.between(1, 3) {
		by := pick(g, time.Second, 10*time.Minute, time.Hour, 7*time.Hour, 30*time.Hour, 400*24*time.Hour)
		s := scenarios.Step{Kind: scenarios.StepClock, At: time.Duration(g.between(1, 4000)) * time.Second, Jump: pick(g, by, -by)}
		add(s)
		if g.odds(0.5) {
			add(scenarios.Step{Kind: scenarios.StepStop, At: s.At - time.Second, Restart: g.down()})
		}
	}
}

// decisions draws what an operator says: of what is held in doubt and of what
// waits, of a message or of one recipient, while a delivery has it or later.
func (g *generator) decisions(add func(scenarios.Step)) {
	for _, s := range g.sc.Plan {
		for s.Kind == scenarios.StepSubmit && g.odds(0.75) && len(g.sc.Plan) < 24 {
			d := scenarios.Step{
				At: pick(g, g.minutes(1, 600), g.minutes(1, 60), s.At+time.Duration(g.between(0, 60_000))*time.Millisecond), Message: s.Message,
				Kind: pick(g, scenarios.StepDecide, scenarios.StepDecide, scenarios.StepHold, scenarios.StepHold, scenarios.StepRelease,
					scenarios.StepRelease, scenarios.StepRetry, scenarios.StepBounce, scenarios.StepDelete),
			}
			if d.Kind == scenarios.StepDecide {
				d.Decision = pick(g, "retry", "delivered", "report")
			}
			if g.odds(0.4) {
				d.Recipients = []string{pick(g, s.Recipients...)}
			}
			add(d)
		}
	}
}

// heal ends what is for good: always what is the machine's own, and most times
// everything, or some servers; the rest stays dead until the lifetime ends.
func (g *generator) heal(add func(scenarios.Step)) {
	at := g.minutes(60, 300)
	if g.on[machine] || g.odds(0.5) {
		add(scenarios.Step{Kind: scenarios.StepHeal, At: at})
		return
	}
	for _, s := range g.sc.Servers {
		if g.odds(0.3) {
			add(scenarios.Step{Kind: scenarios.StepHeal, At: at, Host: s.Name})
		}
	}
}
