package sim

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A task is one thing that the plan does at a time.
type task struct {
	step scenarios.Step
	// crash is set for a crash, damage for what follows it or a stop.
	crash  *crashStep
	damage []scenarios.Step
}

// arrange sorts the plan into tasks by time, and crashes that wait for their
// moment.
func (w *world) arrange() []task {
	var tasks []task
	plan := slices.Concat(w.scenario.Plan, w.options.Steps)
	for i := 0; i < len(plan); {
		s := plan[i]
		first := i + 1
		for i = first; i < len(plan) && plan[i].Kind == scenarios.StepDamage; i++ {
		}
		t := task{step: s, damage: plan[first:i]}
		if s.Kind == scenarios.StepFail {
			w.fails = append(w.fails, &failStep{Step: s})
			continue
		}
		if stop := s.Kind == scenarios.StepStop && s.When.Kind != ""; stop || s.Kind == scenarios.StepCrash {
			t.crash = &crashStep{Step: s, damage: t.damage}
			w.crashes = append(w.crashes, t.crash)
			if t.crash.waits() {
				continue
			}
		}
		tasks = append(tasks, t)
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(a.step.At, b.step.At) })
	return tasks
}

// carryOut carries out the plan, each task at an instant of its own.
func (w *world) carryOut(tasks []task) {
	for _, t := range tasks {
		w.pause(t.step.At - w.now())
		if w.stopped() {
			return
		}
		w.perform(t)
	}
}

// pause lets at least d pass, unless the run ends before its time.
func (w *world) pause(d time.Duration) {
	w.mu.Lock()
	at := w.claim(w.now() + d)
	w.mu.Unlock()
	timer := time.NewTimer(at - w.now())
	defer timer.Stop()
	select { // the instant is the timer's own, so it is never ready with the other
	case <-timer.C:
	case <-w.ending:
	}
}

// stopped reports whether the run ends before its time.
func (w *world) stopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enough
}

func (w *world) perform(t task) {
	s := t.step
	switch s.Kind {
	case scenarios.StepSubmit:
		w.begin(func() { w.submit(s) })
	case scenarios.StepCrash:
		w.mu.Lock()
		w.crash(t.crash)
		w.mu.Unlock()
	case scenarios.StepStop:
		w.stop(t)
	case scenarios.StepHeal:
		w.heal(s.Host)
	case scenarios.StepCut:
		w.cut(s.Host)
	case scenarios.StepClock:
		w.jump(s)
	case scenarios.StepPause, scenarios.StepResume:
		w.begin(func() { w.pauses(s) })
	default:
		if s.Order() != "" {
			w.begin(func() { w.operate(s) })
		}
	}
}

// begin starts something of the plan that takes its time.
func (w *world) begin(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy++
	time.AfterFunc(w.claim(w.now()+startTime.least)-w.now(), func() {
		f()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.busy--
	})
}

// stop tells the relay to stop, as SIGTERM does.
func (w *world) stop(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.relay
	if !p.alive() || p.stopping {
		return
	}
	w.commit()
	w.add(spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactPlan, Faults: []spec.Fault{spec.FaultStop}, Text: "the relay is told to stop"})
	p.stopping = true
	go func() {
		p.cancel()
		<-p.done
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.over || w.relay != p || p.crashed {
			return
		}
		w.breakEntries(t.damage)
		w.restartAfter(t.step.Restart)
	}()
}

// heal ends faults at a host, or everywhere when that is empty.
func (w *world) heal(name string) {
	w.mu.Lock()
	w.commit()
	w.add(spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactHeal, Host: name})
	if name == "" {
		w.dns.healed = true
		for _, f := range w.fails {
			f.healed = true
		}
	}
	var scripted []*fakesmtp.Server
	for _, h := range w.network.hosts {
		if name != "" && h != w.network.host(name) {
			continue
		}
		h.healed = true
		if s, ok := h.server.(*fakesmtp.Server); ok {
			scripted = append(scripted, s)
		}
	}
	w.mu.Unlock()
	for _, s := range scripted { // its lock comes before ours
		s.Heal()
	}
}

// operate tells the relay what an operator says.
func (w *world) operate(s scenarios.Step) {
	w.mu.Lock()
	p, id := w.relay, w.mail.id(s.Message)
	queue := w.mail.queue[id]
	operator, able := p.relay.(Operator)
	switch {
	case !able || !p.alive():
		w.vain(s.Line, "the relay takes no orders")
		w.mu.Unlock()
		return
	case queue == "":
		w.vain(s.Line, "the relay has never spoken of %s", s.Message)
		w.mu.Unlock()
		return
	}
	w.record(w.nature, spec.Fact{
		Actor: spec.ActorWorld, Kind: spec.FactOperator, Message: id, Queue: queue, To: s.Recipients, Text: s.Order(),
	})
	w.mu.Unlock()
	recipients := s.Recipients
	if len(recipients) == 0 {
		recipients = []string{""}
	}
	for _, to := range recipients {
		err := operator.Decide(context.Background(), queue, to, s.Order())
		w.mu.Lock()
		w.answered(p, s, queue, to, err)
		w.mu.Unlock()
	}
}

// pauses tells the relay what an operator says of a destination.
func (w *world) pauses(s scenarios.Step) {
	w.mu.Lock()
	p := w.relay
	operator, able := p.relay.(Pauser)
	if !able || !p.alive() {
		w.vain(s.Line, "the relay takes no orders")
		w.mu.Unlock()
		return
	}
	f := spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactOperator, Dest: s.Dest, Text: s.Order()}
	w.record(w.nature, f)
	w.mu.Unlock()
	err := operator.Pause(context.Background(), s.Dest, s.Kind == scenarios.StepResume)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.alive() {
		return
	}
	if f.Kind = spec.FactOperated; err != nil {
		f.Reply = err.Error()
		w.vain(s.Line, "the relay did not %s %s: %v", s.Order(), s.Dest, err)
	}
	w.record(p, f)
}

// answered takes the answer of a process to an operator, who does not hear it
// when it is dead.
func (w *world) answered(p *process, s scenarios.Step, queue spec.QueueID, to string, err error) {
	if !p.alive() {
		return
	}
	f := spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactOperated, Message: w.mail.id(s.Message), Queue: queue, Text: s.Order()}
	if to != "" {
		f.To = []string{to}
	}
	if err != nil {
		f.Reply = err.Error()
	}
	w.record(p, f)
	switch {
	case err != nil && !s.Refused:
		w.vain(s.Line, "the relay did not do what the operator said of %s, %s: %v", s.Message, s.Order(), err)
	case err == nil && s.Refused:
		w.vain(s.Line, "the relay did what the operator said of %s, %s, which it was to refuse", s.Message, s.Order())
	}
}

// vain notes that a step of the plan was in vain: mail or a decision was not
// taken, or there was nothing to damage. Where no more is expected than that the
// rules hold, that is as it should be.
func (w *world) vain(line int, format string, args ...any) {
	if !w.options.RulesOnly && !slices.ContainsFunc(w.scenario.Expect, func(e scenarios.Expectation) bool { return e.Rules }) {
		w.mismatch(line, format, args...)
	}
}

// jump sets the wall clock of the relay's machine.
func (w *world) jump(s scenarios.Step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skew += s.Jump
	w.record(w.nature, spec.Fact{
		Actor: spec.ActorWorld, Kind: spec.FactFault, Count: int64(s.Jump), Faults: []spec.Fault{spec.FaultClock},
		Text: "the wall clock of the relay's machine is set by " + s.Jump.String(),
	})
}
