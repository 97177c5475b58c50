package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A crashStep is a crash of the plan, or of the options, or a stop, that waits
// for its moment.
type crashStep struct {
	scenarios.Step
	// damage are the messages whose entries are overwritten after it.
	damage []scenarios.Step
	// met counts the facts that matched; over is true once it happened.
	met  int
	over bool
}

// waits reports whether the crash waits for a fact or a line of the trace.
func (s *crashStep) waits() bool { return s.When.Kind != "" || s.StepNumber > 0 || s.Seam > 0 }

// awaited returns the crashes that come just before and just after facts,
// which are about to become the next lines of the trace.
func (w *world) awaited(facts []spec.Fact) (before, after *crashStep) {
	if !w.relay.alive() {
		return nil, nil
	}
	for _, s := range w.crashes {
		if s.over || s.Seam > 0 || w.now() < s.At || !s.meets(w, facts) {
			continue
		}
		if s.When.After {
			after = s
		} else {
			before = s
		}
	}
	if before != nil {
		return before, nil
	}
	return nil, after
}

// meets reports whether the crash waits for one of facts, the first of which
// would be the next line.
func (s *crashStep) meets(w *world, facts []spec.Fact) bool {
	if s.StepNumber > 0 {
		n := s.StepNumber - len(w.facts) - w.unwritten()
		return n >= 1 && n <= len(facts)
	}
	for i := range facts {
		if !w.matches(&s.When, &facts[i]) {
			continue
		}
		w.marks.changed()
		if s.met++; s.met == max(s.When.Nth, 1) {
			return true
		}
	}
	return false
}

// matches reports whether f is what m picks, but for its count.
func (w *world) matches(m *scenarios.FactMatch, f *spec.Fact) bool {
	switch {
	case f.Kind != m.Kind,
		f.Actor == spec.ActorDisk && f.Text == "intent", // a mark on an entry, and none
		m.Host != "" && !strings.EqualFold(f.Host, m.Host),
		m.Stage != 0 && f.Stage != m.Stage,
		m.Recipient != "" && !slices.ContainsFunc(f.To, func(to string) bool { return strings.EqualFold(to, m.Recipient) }),
		m.Message != "" && !w.mail.isAbout(f, m.Message):
		return false
	}
	return true
}

// reason says in a fact why the crash happened.
func (s *crashStep) reason() string {
	when := "before"
	if s.When.After {
		when = "after"
	}
	switch {
	case s.StepNumber > 0:
		return fmt.Sprintf("%s line %d", when, s.StepNumber)
	case s.Seam > 0:
		return fmt.Sprintf("%s operation %d of a seam", when, s.Seam)
	case s.When.Kind != "":
		return fmt.Sprintf("%s %s", when, s.When.Kind)
	}
	return "planned"
}

// faults says in a fact how the crash was, and what the disk kept.
func (s *crashStep) faults() []spec.Fault {
	how, keep := spec.FaultCrash, spec.FaultKeepNone
	switch {
	case s.waits() && s.When.After:
		how = spec.FaultCrashAfter
	case s.waits():
		how = spec.FaultCrashBefore
	}
	switch s.Keep {
	case "all":
		keep = spec.FaultKeepAll
	case "some":
		keep = spec.FaultKeepSome
	}
	if s.Silent {
		return []spec.Fault{how, spec.FaultCrashMute, keep}
	}
	return []spec.Fault{how, keep}
}

// crash kills the relay and takes the power from its disk, which keeps what it
// keeps. The next process starts when the step says, if it does. A stop is told
// to the relay at an instant of its own.
func (w *world) crash(s *crashStep) {
	if s.Kind == scenarios.StepStop {
		s.over = true
		w.fire("stop " + s.reason())
		time.AfterFunc(w.claim(w.now())-w.now(), func() { w.stop(task{step: s.Step, damage: s.damage}) })
		return
	}
	p := w.relay
	w.commit()
	if !p.alive() {
		return
	}
	s.over, p.crashed = true, true
	w.fire("crash " + s.reason())
	w.add(spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactCrash, Count: int64(p.number), Faults: s.faults(), Text: s.reason()})
	p.kill(s.Silent)
	for _, f := range w.disk.crash(s.Keep) {
		w.add(f)
	}
	w.breakEntries(s.damage)
	w.restartAfter(s.Restart)
}

// crashBefore is crash just before a fact. What the relay says is durable has
// become so at this very instant, and it has said and done nothing since: then
// the crash comes before that, too, and the disk may still lose it.
func (w *world) crashBefore(s *crashStep, f spec.Fact) {
	if w.synced != nil && w.synced.at == w.wall() && f.Actor == spec.ActorRelay && s.When.Kind != "" {
		w.synced = nil
		w.relay.void = w.now()
	}
	w.crash(s)
}

// breakEntries damages messages on the disk, while the relay is down.
func (w *world) breakEntries(steps []scenarios.Step) {
	for _, s := range steps {
		queue := w.mail.queue[w.mail.id(s.Message)]
		if !w.disk.damage(queue, s) {
			w.vain(s.Line, "the spool holds no message %s to damage", s.Message)
			continue
		}
		f := spec.Fact{
			Actor: spec.ActorDisk, Kind: spec.FactFault, Message: w.mail.id(s.Message), Queue: queue,
			Faults: []spec.Fault{spec.FaultDamage}, Text: "the control entry was overwritten",
		}
		switch {
		case s.HarmsContent():
			f.Stage, f.Text = spec.StageBody, s.Harm
		case s.Harm != "":
			f.Text = "the control entry is " + s.Harm
		}
		w.add(f)
	}
}

// restartAfter starts the relay again after d; never when d is 0. It waits for
// the process before, should that still run.
func (w *world) restartAfter(d time.Duration) {
	if d <= 0 {
		return
	}
	token := &restart{w.processes}
	w.restart = token
	before := w.relay
	time.AfterFunc(w.claim(w.now()+d)-w.now(), func() {
		<-before.done
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.restart == token && !w.over {
			w.startRelay()
		}
	})
}
