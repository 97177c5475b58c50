package exhaust

import (
	"slices"
	"strings"
	"testing"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A mutant is the core with something wrong: it changes events before the
// core hears of them, or actions after it has asked for them.
type mutant struct {
	Core
	event   func(queue.Event) queue.Event
	actions func(queue.Event, []queue.Action) []queue.Action
}

func (m mutant) Step(now spec.Instant, e queue.Event) []queue.Action {
	changed := e
	if m.event != nil {
		if changed = m.event(e); changed == nil {
			return nil
		}
	}
	acts := slices.Clone(m.Core.Step(now, changed))
	if m.actions != nil {
		acts = m.actions(e, acts)
	}
	return acts
}

func (m mutant) CloneCore() Core {
	m.Core = m.Core.CloneCore()
	return m
}

// without drops the operations that bad names from every batch.
func without(bad func(seam.Op) bool) func(queue.Event, []queue.Action) []queue.Action {
	return func(_ queue.Event, acts []queue.Action) []queue.Action {
		for i, a := range acts {
			if c, ok := a.(queue.Commit); ok {
				c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), bad)
				acts[i] = c
			}
		}
		return acts
	}
}

// early releases somebody at once and not when the batch is durable.
func early(release func(queue.Event) queue.Action, late func(queue.Action) bool) func(queue.Event, []queue.Action) []queue.Action {
	return func(e queue.Event, acts []queue.Action) []queue.Action {
		if _, ok := e.(queue.Durable); ok {
			acts = slices.DeleteFunc(acts, late)
		}
		if r := release(e); r != nil {
			acts = append(acts, r)
		}
		return acts
	}
}

// second marks the numbers of batches that a mutant has made of the half of
// another.
const second = 1 << 40

// split stores a report in a batch of its own, before or after that of the
// outcome.
func split(first bool) mutant {
	return mutant{
		event: func(e queue.Event) queue.Event {
			if d, ok := e.(queue.Durable); ok && d.Seq >= second {
				return nil
			}
			return e
		},
		actions: func(e queue.Event, acts []queue.Action) []queue.Action {
			if _, ok := e.(queue.Settle); !ok {
				return acts
			}
			for i, a := range acts {
				c, ok := a.(queue.Commit)
				if !ok {
					continue
				}
				report := queue.Commit{Seq: c.Seq + second}
				outcome := queue.Commit{Seq: c.Seq}
				for _, op := range c.Ops {
					if strings.Contains(op.Key.Name, "rm") && !op.Delete {
						report.Ops = append(report.Ops, op)
					} else {
						outcome.Ops = append(outcome.Ops, op)
					}
				}
				if len(report.Ops) == 0 {
					return acts
				}
				two := []queue.Action{outcome, report}
				if first {
					slices.Reverse(two)
				}
				return slices.Insert(slices.Delete(acts, i, i+1), i, two...)
			}
			return acts
		},
	}
}

// forgetful has the recovery take intents for what was never tried.
func forgetful(e queue.Event) queue.Event {
	l, ok := e.(queue.Loaded)
	if !ok || l.Load.Kind != queue.LoadIntents {
		return e
	}
	l.Entries = slices.Clone(l.Entries)
	for i, raw := range l.Entries {
		entry, err := queue.DecodeEntry(raw.Value)
		if err != nil {
			continue
		}
		for k := range entry.Recipients {
			if entry.Recipients[k].State == spec.Intent {
				entry.Recipients[k].State = spec.Queued
			}
		}
		l.Entries[i].Value = entry.Encode()
	}
	return l
}

func intendRelease(e queue.Event) queue.Action {
	if e, ok := e.(queue.Intend); ok {
		return queue.MayCommit{Job: e.Job}
	}
	return nil
}

func submitRelease(e queue.Event) queue.Action {
	if e, ok := e.(queue.Submit); ok {
		return queue.Accepted{ID: e.ID}
	}
	return nil
}

func is[A queue.Action](a queue.Action) bool { _, ok := a.(A); return ok }

// settleAs changes what a delivery says.
func settleAs(change func(*queue.Settle)) func(queue.Event) queue.Event {
	return func(e queue.Event) queue.Event {
		s, ok := e.(queue.Settle)
		if !ok {
			return e
		}
		s.Results = slices.Clone(s.Results)
		change(&s)
		return s
	}
}

func verdictAs(old, new spec.Verdict) func(queue.Event) queue.Event {
	return settleAs(func(s *queue.Settle) {
		for i := range s.Results {
			if s.Results[i].Verdict == old {
				s.Results[i].Verdict = new
			}
		}
	})
}

// wordAs takes one word of the operator for another.
func wordAs(old, new queue.Decision) func(queue.Event) queue.Event {
	return func(e queue.Event) queue.Event {
		if d, ok := e.(queue.Decide); ok && d.Decision == old {
			d.Decision = new
			return d
		}
		return e
	}
}

func space(x seam.Space, gone bool) func(seam.Op) bool {
	return func(op seam.Op) bool { return op.Key.Space == x && op.Delete == gone }
}

// TestEveryWrongCoreIsFound: each of these is wrong in one way, and a search
// of a small world must find it, by the rule that it breaks.
// hasty answers an operator before what he decided is durable.
func hasty(e queue.Event, acts []queue.Action) []queue.Action {
	switch d, decides := e.(queue.Decide); {
	case !decides:
		return slices.DeleteFunc(acts, is[queue.Decided])
	case slices.ContainsFunc(acts, is[queue.Commit]):
		return append(acts, queue.Decided{Ticket: d.Ticket, ID: d.ID})
	}
	return acts
}

// unmarked stores entries without what says where they were rerouted to.
func unmarked(_ queue.Event, acts []queue.Action) []queue.Action {
	for i, a := range acts {
		c, ok := a.(queue.Commit)
		if !ok {
			continue
		}
		c.Ops = slices.Clone(c.Ops)
		for k, op := range c.Ops {
			e, err := queue.DecodeEntry(op.Value)
			if op.Key.Space != seam.SpaceControl || err != nil {
				continue
			}
			for n := range e.Recipients {
				e.Recipients[n].Via = ""
			}
			c.Ops[k].Value = e.Encode()
		}
		acts[i] = c
	}
	return acts
}

func TestEveryWrongCoreIsFound(t *testing.T) {
	one := World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 1}
	two := World{Messages: 1, Recipients: 2, Destinations: 1, Lifetime: 1, Calm: true}
	tight := World{Messages: 2, Recipients: 1, Destinations: 1, Lifetime: 1, Calm: true, Tight: true}
	late := one
	late.Lifetime = 2
	held := one
	held.InDoubt = spec.DoubtHold
	ordered := one
	ordered.Orders = 1
	paused := one
	paused.Pauses, paused.Calm = 1, true
	rerouted := one
	rerouted.Reroutes, rerouted.Calm = 1, true
	retried := one
	retried.InDoubt, retried.Lifetime = spec.DoubtRetry, 2
	for _, test := range []struct {
		name  string
		m     mutant
		world World
		rule  spec.Rule
	}{
		{"the dot may leave before the intent is durable", mutant{actions: early(intendRelease, is[queue.MayCommit])}, one, spec.NeverTwice},
		{"250 before it is durable", mutant{actions: early(submitRelease, is[queue.Accepted])}, one, spec.AcceptDurable},
		{"the intent key stays", mutant{actions: without(space(seam.SpaceIntent, true))}, one, spec.CleanExactly},
		{"the intent key is not stored", mutant{actions: without(space(seam.SpaceIntent, false))}, one, spec.Progress},
		{"the index line stays", mutant{actions: without(space(seam.SpaceDue, true))}, one, spec.CleanExactly},
		{"the due time is not stored", mutant{actions: without(space(seam.SpaceDue, false))}, one, spec.Progress},
		{"the body stays", mutant{actions: without(space(seam.SpaceBody, true))}, one, spec.CleanExactly},
		{"the claim ends with the first results", mutant{event: settleAs(func(s *queue.Settle) { s.Last = true })}, two, spec.Progress},
		{"the report is stored after the outcome", split(false), one, spec.NothingLost},
		{"the report is stored before the outcome", split(true), one, spec.RetryOnTime},
		{"the recovery takes intents for queued", mutant{event: forgetful}, one, spec.TrueReports},
		{"a doubt is tried again, against the policy", mutant{event: verdictAs(spec.InDoubt, spec.Defer)}, one, spec.TrueReports},
		{"a doubt is taken for delivered", mutant{event: verdictAs(spec.InDoubt, spec.Proceed)}, one, spec.NothingLost},
		{"a refusal is taken for a delivery", mutant{event: verdictAs(spec.FailRecipient, spec.Proceed)}, two, spec.Progress},
		{"what was accepted is called a failure", mutant{event: verdictAs(spec.Proceed, spec.FailRecipient)}, one, spec.TrueReports},
		{"what is deferred is called a failure", mutant{event: verdictAs(spec.Defer, spec.FailRecipient)}, one, spec.TrueReports},
		{"a delivery is told before all is stored, and never again", mutant{actions: func(_ queue.Event, acts []queue.Action) []queue.Action {
			return slices.DeleteFunc(acts, is[queue.Settled])
		}}, one, spec.Progress},
		{"the timer is not set", mutant{actions: func(_ queue.Event, acts []queue.Action) []queue.Action {
			return slices.DeleteFunc(acts, is[queue.WakeAt])
		}}, one, spec.Progress},
		{"the timer is late", mutant{actions: func(_ queue.Event, acts []queue.Action) []queue.Action {
			for i, a := range acts {
				if w, ok := a.(queue.WakeAt); ok {
					acts[i] = queue.WakeAt{At: w.At.Add(interval)}
				}
			}
			return acts
		}}, late, spec.FairAndBounded},
		{"what was evicted is not read back", mutant{actions: func(_ queue.Event, acts []queue.Action) []queue.Action {
			return slices.DeleteFunc(acts, func(a queue.Action) bool { l, ok := a.(queue.Load); return ok && l.Kind == queue.LoadGroups })
		}}, tight, spec.Progress},
		{"an operator's report is taken for a retry", mutant{event: wordAs(queue.DecideReport, queue.DecideRetry)}, held, spec.NeverTwice},
		{"a hold is taken for a retry", mutant{event: wordAs(queue.DecideHold, queue.DecideNow)}, ordered, spec.RetryOnTime},
		{"a bounce is taken for a delete", mutant{event: wordAs(queue.DecideBounce, queue.DecideDelete)}, ordered, spec.NothingLost},
		{"a delete is taken for a bounce", mutant{event: wordAs(queue.DecideDelete, queue.DecideBounce)}, ordered, spec.TrueReports},
		{"a hold is forgotten in a crash", mutant{actions: early(func(e queue.Event) queue.Action {
			if d, ok := e.(queue.Decide); ok && d.Decision == queue.DecideHold {
				return queue.Decided{Ticket: d.Ticket, ID: d.ID}
			}
			return nil
		}, is[queue.Decided])}, ordered, spec.Progress},
		{"a pause is taken for a resume", mutant{event: func(e queue.Event) queue.Event {
			if p, ok := e.(queue.Pause); ok {
				p.Resume = true
				return p
			}
			return e
		}}, paused, spec.RetryOnTime},
		{"a process does not know what another one paused", mutant{event: func(e queue.Event) queue.Event {
			if l, ok := e.(queue.Loaded); ok {
				l.Paused = nil
				return l
			}
			return e
		}}, paused, spec.RetryOnTime},
		{"a reroute is taken for one back", mutant{event: wordAs(reroutes[0], reroutes[1])}, rerouted, spec.NextHopOrder},
		{"a reroute is not stored", mutant{actions: unmarked}, rerouted, spec.NextHopOrder},
		{"an operator is told of a reroute before it is stored", mutant{actions: hasty}, rerouted, spec.NextHopOrder},
		{"under retry, a retry for what was refused", mutant{event: verdictAs(spec.FailRecipient, spec.InDoubt)}, retried, spec.RetryOnTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			fresh := func(p spec.Policy) Core {
				m := test.m
				m.Core = Honest(p)
				return m
			}
			r := Run(test.world, fresh, Options{States: 100_000})
			if r.Violation == nil {
				t.Fatalf("it was not found in %d states (complete: %v)", r.States, r.Complete)
			}
			if r.Violation.Rule != test.rule {
				t.Errorf("it was found by %s, want %s\n%s", r.Violation.Rule, test.rule, tell(r.Violation))
			}
			if n := len(r.Violation.Story); n < 2 || n > 40 {
				t.Errorf("a story of %d chapters:\n%s", n, tell(r.Violation))
			}
		})
	}
}
