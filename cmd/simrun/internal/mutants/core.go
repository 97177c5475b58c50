package mutants

import (
	"slices"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Cores that are wrong: the real one, with a lie in what it is told, or in
// what is done of what it asks for.

// cored is the relay with another step in place of its core's.
func cored(core func(queue.StepFunc) queue.StepFunc) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		r, err := impl.New(impl.Config{Policy: cfg.Policy, Listen: cfg.Listen, Core: core}, host)
		if err != nil {
			return nil, err
		}
		return operated{r}, nil
	}
}

// told is a core that is told something else than what happened.
func told(change func(queue.Event) queue.Event) func(queue.StepFunc) queue.StepFunc {
	return func(step queue.StepFunc) queue.StepFunc {
		return func(now spec.Instant, e queue.Event) []queue.Action { return step(now, change(e)) }
	}
}

// settled is a core that is told of other results of deliveries.
func settled(change func(*queue.Settle)) func(queue.StepFunc) queue.StepFunc {
	return told(func(e queue.Event) queue.Event {
		if s, ok := e.(queue.Settle); ok {
			s.Results = slices.Clone(s.Results)
			change(&s)
			return s
		}
		return e
	})
}

// keepsClaims does not see the end of a delivery in which somebody was refused
// for now: its claim stays.
func keepsClaims(step queue.StepFunc) queue.StepFunc {
	refused := map[string]bool{}
	return settled(func(s *queue.Settle) {
		later := slices.ContainsFunc(s.Results, func(r queue.Result) bool { return r.Verdict == spec.Defer })
		refused[s.Job] = refused[s.Job] || later
		s.Last = s.Last && !refused[s.Job]
	})(step)
}

// oneForAll takes what came of the first recipient for what came of all.
var oneForAll = settled(func(s *queue.Settle) {
	for i := range s.Results {
		s.Results[i].Verdict = s.Results[0].Verdict
	}
})

// stopIsRefusal takes what is in doubt for refused once the relay stops.
func stopIsRefusal(step queue.StepFunc) queue.StepFunc {
	stopped := false
	return settled(func(s *queue.Settle) {
		for i := range s.Results {
			if r := &s.Results[i]; stopped && r.Verdict == spec.InDoubt {
				r.Verdict = spec.Defer
			}
		}
	})(func(now spec.Instant, e queue.Event) []queue.Action {
		_, stop := e.(queue.Stop)
		stopped = stopped || stop
		return step(now, e)
	})
}

// read is a core that reads other entries than those that are stored, and
// index lines that go with them.
func read(kinds []queue.LoadKind, change func(*queue.Entry)) func(queue.StepFunc) queue.StepFunc {
	return told(func(e queue.Event) queue.Event {
		l, ok := e.(queue.Loaded)
		if !ok || !slices.Contains(kinds, l.Load.Kind) {
			return e
		}
		l.Entries = slices.Clone(l.Entries)
		for i, raw := range l.Entries {
			if entry, err := queue.DecodeEntry(raw.Value); err == nil {
				change(entry)
				l.Entries[i].Value = entry.Encode()
			}
		}
		return l
	})
}

// forgetsAttempts begins to count anew when it reads a message.
var forgetsAttempts = read([]queue.LoadKind{queue.LoadGroups}, func(e *queue.Entry) {
	for i := range e.Recipients {
		e.Recipients[i].Attempts = 0
	}
})

// firstInDoubt sees, when it starts, only the first recipient whose dot may
// have left; the others wait for an attempt as before.
var firstInDoubt = read([]queue.LoadKind{queue.LoadIntents, queue.LoadGroups}, func(e *queue.Entry) {
	first := true
	for i := range e.Recipients {
		if r := &e.Recipients[i]; r.State == spec.Intent {
			if !first {
				r.State = spec.Queued
			}
			first = false
		}
	}
})

// losesDueTimes takes what waits for due when it starts.
func losesDueTimes(step queue.StepFunc) queue.StepFunc {
	return read([]queue.LoadKind{queue.LoadGroups}, func(e *queue.Entry) {
		for i := range e.Recipients {
			e.Recipients[i].Due = e.Submitted
		}
	})(told(func(e queue.Event) queue.Event {
		l, ok := e.(queue.Loaded)
		if !ok {
			return e
		}
		l.Groups = slices.Clone(l.Groups)
		for i := range l.Groups {
			l.Groups[i].Due = 0
		}
		return l
	})(step))
}

// intendsLate lets the dot leave, and stores only with the outcome that it was
// about to.
func intendsLate(step queue.StepFunc) queue.StepFunc {
	late := map[string]queue.Intend{}
	return func(now spec.Instant, e queue.Event) []queue.Action {
		switch e := e.(type) {
		case queue.Intend:
			late[e.Job] = e
			return []queue.Action{queue.MayCommit{Job: e.Job}}
		case queue.Settle:
			i, ok := late[e.Job]
			if !ok {
				break
			}
			delete(late, e.Job)
			actions := slices.DeleteFunc(slices.Clone(step(now, i)), func(a queue.Action) bool {
				_, release := a.(queue.MayCommit)
				return release
			})
			return append(actions, step(now, e)...)
		}
		return step(now, e)
	}
}

// expiresLate looks at the end of lifetimes only when an attempt ends.
func expiresLate(step queue.StepFunc) queue.StepFunc {
	var late []queue.Action
	return func(now spec.Instant, e queue.Event) []queue.Action {
		actions := slices.Clone(step(now, e))
		switch e := e.(type) {
		case queue.Wake:
			for _, a := range actions {
				if _, ok := a.(queue.Close); ok {
					late = append(late, a)
				}
			}
			actions = slices.DeleteFunc(actions, func(a queue.Action) bool { return slices.Contains(late, a) })
		case queue.Settle:
			if e.Last {
				actions = append(late, actions...)
				late = nil
			}
		}
		return actions
	}
}

// wakesOnTheHour rounds up the times for which it wants to be woken.
func wakesOnTheHour(step queue.StepFunc) queue.StepFunc {
	return func(now spec.Instant, e queue.Event) []queue.Action {
		actions := slices.Clone(step(now, e))
		for i, a := range actions {
			if w, ok := a.(queue.WakeAt); ok {
				wait := w.At.Sub(now.Mono)
				actions[i] = queue.WakeAt{At: now.Mono.Add((wait + time.Hour - 1).Truncate(time.Hour))}
			}
		}
		return actions
	}
}

// countsByTheWall measures intervals by the wall clock.
func countsByTheWall(step queue.StepFunc) queue.StepFunc {
	var began spec.Wall
	return func(now spec.Instant, e queue.Event) []queue.Action {
		if began == 0 {
			began = now.Wall
		}
		believed := spec.Instant{Wall: now.Wall, Mono: spec.Mono(now.Wall.Sub(began))}
		actions := slices.Clone(step(believed, e))
		for i, a := range actions {
			if w, ok := a.(queue.WakeAt); ok {
				actions[i] = queue.WakeAt{At: now.Mono.Add(w.At.Sub(believed.Mono))}
			}
		}
		return actions
	}
}

// ignoring takes what is asked for about recipients without NEVER.
func ignoring(asked []spec.Asked) []spec.Asked {
	asked = slices.Clone(asked)
	for i := range asked {
		if asked[i].Notify == spec.NotifyNever {
			asked[i].Notify = 0
		}
	}
	return asked
}

// reportsThoughNever takes NEVER for no wish at all.
var reportsThoughNever = told(func(e queue.Event) queue.Event {
	if s, ok := e.(queue.Submit); ok {
		s.Envelope.Asked = ignoring(s.Envelope.Asked)
		return s
	}
	return e
})

// keepsNever does not tell deliveries of NEVER.
func keepsNever(step queue.StepFunc) queue.StepFunc {
	return func(now spec.Instant, e queue.Event) []queue.Action {
		actions := slices.Clone(step(now, e))
		for i, a := range actions {
			if b, ok := a.(queue.Begin); ok {
				b.Asked = ignoring(b.Asked)
				actions[i] = b
			}
		}
		return actions
	}
}

// warnsAgain forgets, when it reads a message, that it has told of a delay.
var warnsAgain = read([]queue.LoadKind{queue.LoadGroups}, func(e *queue.Entry) {
	for i := range e.Recipients {
		e.Recipients[i].Warned = false
	}
})
