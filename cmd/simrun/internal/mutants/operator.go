package mutants

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Relays that do not do what an operator says, though they say so.

// An obey is how a relay answers an operator; decide does as it is told.
type obey func(word string, decide func(word string) error) error

// misled is the relay with another ear for operators.
func misled(answer obey) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		relay, err := Honest(host, cfg)
		if err != nil {
			return nil, err
		}
		return ear{relay, answer}, nil
	}
}

type ear struct {
	sim.Relay
	answer obey
}

func (e ear) Decide(ctx context.Context, id spec.QueueID, recipient, word string) error {
	relay := e.Relay.(sim.Operator)
	return e.answer(word, func(word string) error { return relay.Decide(ctx, id, recipient, word) })
}

// heard takes one word for another; for none when that is empty.
func heard(from, to string) sim.Factory {
	return misled(func(word string, decide func(string) error) error {
		switch {
		case strings.Fields(word)[0] != from:
			return decide(word)
		case to == "":
			return nil
		}
		return decide(to)
	})
}

// nods says that it is done, and begins.
func nods(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	return misled(func(word string, decide func(string) error) error {
		host.Start(func() { _ = decide(word) })
		return nil
	})(host, cfg)
}

// halfDeletes removes the control entry of what an operator deletes, and leaves
// the content.
func halfDeletes(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	var deleting atomic.Bool
	tampered(&host, func(ops []seam.Op) []seam.Op {
		if !deleting.Load() {
			return ops
		}
		return filter(ops, func(op seam.Op) bool { return op.Key.Space != seam.SpaceBody || !op.Delete })
	})
	return misled(func(word string, decide func(string) error) error {
		deleting.Store(word == "delete")
		defer deleting.Store(false)
		return decide(word)
	})(host, cfg)
}

// deafToPauses says that a destination is paused.
func deafToPauses(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	relay, err := Honest(host, cfg)
	return unpaused{relay}, err
}

type unpaused struct{ sim.Relay }

// Pause does nothing.
func (unpaused) Pause(context.Context, string, bool) error { return nil }

// forgetsPauses stores none.
func forgetsPauses(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	tampered(&host, func(ops []seam.Op) []seam.Op {
		return filter(ops, func(op seam.Op) bool { return op.Key.Space != seam.SpacePaused })
	})
	return Honest(host, cfg)
}

// keepsPausedMail looks for nobody at a paused destination whose lifetime is over.
func keepsPausedMail(step queue.StepFunc) queue.StepFunc {
	paused := map[string]bool{}
	return func(now spec.Instant, e queue.Event) []queue.Action {
		if p, ok := e.(queue.Pause); ok {
			paused[p.Destination] = !p.Resume
		}
		return slices.DeleteFunc(slices.Clone(step(now, e)), func(a queue.Action) bool {
			l, ok := a.(queue.Load)
			return ok && l.Kind == queue.LoadGroups && paused[l.Destination]
		})
	}
}

// forgetsReroutes stores none.
func forgetsReroutes(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	tampered(&host, func(ops []seam.Op) []seam.Op {
		ops = slices.Clone(ops)
		for i, op := range ops {
			e, err := queue.DecodeEntry(op.Value)
			if op.Key.Space != seam.SpaceControl || err != nil {
				continue
			}
			for k := range e.Recipients {
				e.Recipients[k].Via = ""
			}
			ops[i].Value = e.Encode()
		}
		return ops
	})
	return Honest(host, cfg)
}

// reroutesDoubts begins attempts where an operator wanted a message to go, also
// for recipients whom that was not to be about.
func reroutesDoubts(step queue.StepFunc) queue.StepFunc {
	to := map[spec.QueueID]string{}
	return func(now spec.Instant, e queue.Event) []queue.Action {
		if d, ok := e.(queue.Decide); ok {
			if _, dest, ok := strings.Cut(string(d.Decision), " "); ok {
				to[d.ID] = dest
			}
		}
		actions := slices.Clone(step(now, e))
		for i, a := range actions {
			switch a := a.(type) {
			case queue.Begin:
				if dest := to[a.ID]; dest != "" {
					a.Dest = dest
				}
				actions[i] = a
			case queue.Note:
				if dest := to[a.Fact.Queue]; dest != "" && a.Fact.Kind == spec.FactAttempt {
					a.Fact.Dest = dest
				}
				actions[i] = a
			}
		}
		return actions
	}
}
