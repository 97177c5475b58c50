// Package mutants holds relays that are wrong on purpose. For each rule of the
// checker there is at least one that breaks it; a harness that does not catch
// it, and name the rule, is broken itself.
//
// Most are the real relay with a lie at one of its seams: a disk that says
// "durable" too soon, a connection that turns a cut into a 451. Two are the
// algorithms of Citadel's SMTP client, written against the seams from its
// public description. Nothing but `simrun mutants` and tests can reach them.
package mutants

import (
	"context"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Mutant is one wrong relay.
type Mutant struct {
	Name string
	// Wrong says what it does wrong, in one sentence.
	Wrong string
	// Rule is the rule that it breaks.
	Rule spec.Rule
	// Scenario is the story of the library that catches it.
	Scenario string
	Factory  sim.Factory
}

// All returns the mutants, by rule.
func All() []Mutant {
	return []Mutant{
		{"retries-in-doubt", "sends again after a lost reply, though told to report", spec.NeverTwice, "doubt/report",
			changed(func(p *spec.Policy) { p.InDoubt = spec.DoubtRetry })},
		{"a-cut-is-a-451", "takes a connection lost after the final dot for a temporary refusal", spec.NeverTwice, "doubt/report",
			seamed(cutIs451)},
		{"forgets-reports", "loses the report that is due with a failure", spec.NothingLost, "reply/rcpt-5yz", seamed(noReports)},
		{"believes-what-it-likes", "reads a 5yz to the final dot as 250", spec.TrueReports, "reply/dot-5yz", seamed(refusalIs250)},
		{"leaves-bodies", "removes the control entry but not the content", spec.CleanExactly, "plain/one-recipient", seamed(leavesBodies)},
		{"cleans-up-early", "removes both entries when the dot is about to leave", spec.CleanExactly, "plain/one-recipient", seamed(cleansEarly)},
		{"accepts-too-soon", "says 250 before the message is durable", spec.AcceptDurable, "plain/several-domains", seamed(acksEarly)},
		{"knocks-again-at-once", "retries every second, whatever the schedule", spec.RetryOnTime, "retry/greylisting",
			changed(func(p *spec.Policy) { p.Schedule.First, p.Schedule.Max = time.Second, time.Second })},
		{"retries-refusals", "reads a 5yz to RCPT as a 4yz", spec.RetryOnTime, "reply/rcpt-5yz", seamed(refusalIsTemporary)},
		{"worst-host-first", "tries MX hosts in the reverse of their preference", spec.NextHopOrder, "mx/order", seamed(reversedMX)},
		{"sends-bare-lf", "ends lines of the content with LF alone", spec.WireLawful, "plain/one-recipient", seamed(bareLF)},
		{"knows-no-limits", "ignores the limit of deliveries per destination", spec.FairAndBounded, "fair/per-destination-limit",
			changed(func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1000 })},
		{"keeps-no-index", "does not store when a message is due, and forgets it in a crash", spec.Progress, "crash/after-250", seamed(noIndex)},
		{"citadel-event-driven-loses", "Citadel 2011-2016: deletes the control message before its successor is stored",
			spec.NothingLost, "citadel/successor-stored-first", citadel(eventDriven)},
		{"citadel-event-driven-repeats", "Citadel 2011-2016: takes a connection lost after the final dot for \"try later\"",
			spec.NeverTwice, "citadel/cut-after-dot", citadel(eventDriven)},
		{"citadel-later-forgets", "Citadel after 2016: rewrites the control message only when all recipients were tried",
			spec.NeverTwice, "citadel/each-outcome-at-once", citadel(later)},
		{"citadel-later-hurries", "Citadel after 2016: gives a whole conversation 20 seconds",
			spec.NeverTwice, "citadel/slow-scanner", citadel(later)},
	}
}

// Honest is the relay as it is.
func Honest(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	r, err := impl.New(impl.Config{Policy: cfg.Policy, Listen: cfg.Listen}, host)
	if err != nil {
		return nil, err
	}
	return operated{r}, nil
}

// operated fits the relay's Decide to the simulator's Operator.
type operated struct{ *impl.Relay }

func (o operated) Decide(ctx context.Context, id spec.QueueID, recipient, decision string) error {
	return o.Relay.Decide(ctx, id, recipient, decision)
}

// changed is the relay with another policy than the one it is judged by.
func changed(change func(*spec.Policy)) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		change(&cfg.Policy)
		return Honest(host, cfg)
	}
}

// seamed is the relay on a host that is not what it seems.
func seamed(change func(*seam.Host)) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		change(&host)
		return Honest(host, cfg)
	}
}
