package impl

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/postonce/postonce/impl/delivery"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// An actor is the goroutine that owns the core. Everything that happens comes
// to it through the inbox, in one order; it steps the core and carries out
// what the core decides.
type actor struct {
	relay *Relay
	step  queue.StepFunc
	inbox chan letter
	clock clock
	// waiters are the goroutines that wait for a release, by what it names.
	waiters map[waiter]chan<- error
	// jobs cancels the deliveries that run, in the order in which they began.
	jobs  []running
	timer *time.Timer
	ready bool
	// warned is true once the wall clock was found to have been set.
	warned bool
}

// A letter is an event, and where the answer goes that releases its sender;
// nil when nobody waits.
type letter struct {
	event queue.Event
	reply chan<- error
	// counted letters hold a count of Relay.running until they are dealt
	// with: what they lead to may raise it again, and it must not be zero in
	// between, or Run would take the work for done.
	counted bool
}

// A waiter names a release: its kind and the job, queue ID or ticket.
type waiter struct {
	kind byte // 's'ubmit, 'i'ntend, 'o'utcome, 'd'ecide
	name string
}

func operator(ticket uint64) waiter { return waiter{'d', strconv.FormatUint(ticket, 10)} }

type running struct {
	job    string
	cancel context.CancelFunc
}

// inboxSize bounds what waits for the core. Senders wait when it is full; all
// of them are bounded themselves: deliveries and submissions by their limits,
// batches by both.
const inboxSize = 64

// newCore returns the step of a new core.
func newCore(c Config) queue.StepFunc {
	step := queue.New(c.Policy).Step
	if c.Core != nil {
		step = c.Core(step)
	}
	return step
}

func newActor(r *Relay) *actor {
	return &actor{
		relay: r, step: newCore(r.config), inbox: make(chan letter, inboxSize), clock: newClock(r.host),
		waiters: map[waiter]chan<- error{},
	}
}

// tell sends an event that nobody waits for.
func (a *actor) tell(e queue.Event) { a.inbox <- letter{event: e} }

// expect counts an event that will be told with arrived.
func (a *actor) expect() { a.relay.running.Add(1) }

// arrived tells an event that was expected.
func (a *actor) arrived(e queue.Event) { a.inbox <- letter{event: e, counted: true} }

// ask sends an event and waits until the core releases the sender. It waits
// without a context: the core answers every event, if need be with an error.
func (a *actor) ask(e queue.Event) error {
	reply := make(chan error, 1)
	a.inbox <- letter{event: e, reply: reply}
	return <-reply
}

// shutdown stops new deliveries and breaks off those that can be. After it,
// only what runs already can make the core do anything.
func (a *actor) shutdown() { _ = a.ask(queue.Stop{}) }

// close ends the loop. Nothing may be sent after it.
func (a *actor) close() { close(a.inbox) }

func (a *actor) loop() {
	for l := range a.inbox {
		if l.reply != nil {
			a.waiters[waiterOf(l.event)] = l.reply
		}
		at := a.clock.now()
		a.watch(at)
		for _, act := range a.step(at, l.event) {
			a.carryOut(act, at)
		}
		switch e := l.event.(type) {
		case queue.Settle:
			if e.Last {
				a.jobs = slices.DeleteFunc(a.jobs, func(j running) bool { return j.job == e.Job })
			}
		case queue.Stop:
			a.stopJobs()
			a.release(waiterOf(e), nil)
		}
		if l.counted {
			a.relay.running.Done()
		}
	}
}

// watch tells once that the wall clock was set while the relay runs. What is
// stored goes by what it said when the relay began, so the next process takes
// all mail for older or younger than it is.
func (a *actor) watch(now spec.Instant) {
	gap := a.clock.gap(now)
	if log := a.relay.config.Log; !a.warned && log != nil && gap.Abs() > time.Hour {
		a.warned = true
		log.Warn("the wall clock was set while the relay runs; restart it, so that mail gets its whole lifetime", "by", gap)
	}
}

func waiterOf(e queue.Event) waiter {
	switch e := e.(type) {
	case queue.Submit:
		return waiter{'s', string(e.ID)}
	case queue.Intend:
		return waiter{'i', e.Job}
	case queue.Settle:
		return waiter{'o', e.Job}
	case queue.Decide:
		return operator(e.Ticket)
	case queue.Pause:
		return operator(e.Ticket)
	}
	return waiter{}
}

func (a *actor) carryOut(act queue.Action, now spec.Instant) {
	r := a.relay
	switch act := act.(type) {
	case queue.Commit:
		a.expect()
		r.host.Store.Apply(act.Ops, func(err error) { a.arrived(queue.Durable{Seq: act.Seq, Err: err}) })
	case queue.Begin:
		a.begin(act)
	case queue.Close:
		a.start(func() { r.close(act) })
	case queue.Load:
		a.expect()
		r.host.Start(func() { a.arrived(r.load(act)) })
	case queue.WakeAt:
		a.wakeAt(act.At.Sub(now.Mono))
	case queue.Note:
		r.host.Note(act.Fact)
	case queue.Ready:
		a.opened(nil)
	case queue.Halt:
		a.halted(act)
	case queue.Accepted:
		a.release(waiter{'s', string(act.ID)}, act.Err)
	case queue.MayCommit:
		a.release(waiter{'i', act.Job}, act.Err)
	case queue.Settled:
		a.release(waiter{'o', act.Job}, act.Err)
	case queue.Decided:
		a.release(operator(act.Ticket), act.Err)
	}
}

// halted stops the relay, and lets nobody wait for what will not come.
func (a *actor) halted(h queue.Halt) {
	err := fmt.Errorf("the relay cannot go on: %w", h.Err)
	a.start(func() { a.relay.stop(err) })
	a.opened(err)
	for _, ticket := range h.Operators {
		if reply := a.waiters[operator(ticket)]; reply != nil {
			delete(a.waiters, operator(ticket))
			a.start(func() { reply <- err })
		}
	}
}

// opened lets Run go on, and who waits to come in: recovery is over, or, with
// an error, will not be.
func (a *actor) opened(err error) {
	if !a.ready {
		a.ready = true
		close(a.relay.ready)
		a.relay.door.open(err, a.start)
	}
}

func (a *actor) release(w waiter, err error) {
	if reply := a.waiters[w]; reply != nil {
		delete(a.waiters, w)
		reply <- err
	}
}

// start runs f in a goroutine that Run waits for.
func (a *actor) start(f func()) {
	a.relay.running.Add(1)
	a.relay.host.Start(func() {
		defer a.relay.running.Done()
		f()
	})
}

func (a *actor) begin(b queue.Begin) {
	ctx, cancel := context.WithCancel(context.Background())
	a.jobs = append(a.jobs, running{b.Job, cancel})
	job := delivery.Job{
		ID: b.Job, Queue: b.ID, Message: b.Message, Dest: b.Dest, Attempt: b.Attempt, Sender: b.Sender,
		Recipients: b.To, Size: b.Size, Body8Bit: b.Body8Bit, Needs: b.Needs, Tracking: b.Tracking, Asked: b.Asked,
	}
	a.start(func() {
		defer cancel()
		a.relay.deliverer(b.Size).Deliver(ctx, job)
	})
}

// stopJobs breaks off the deliveries one by one, each at an instant of its
// own, so that the order in which they end does not hang on the scheduler.
func (a *actor) stopJobs() {
	for _, j := range a.jobs {
		a.start(j.cancel)
	}
	a.jobs = nil
	a.stopTimer()
}

// wakeAt sets the one timer.
func (a *actor) wakeAt(d time.Duration) {
	a.stopTimer()
	a.expect()
	a.timer = time.AfterFunc(d, func() { a.arrived(queue.Wake{}) })
}

func (a *actor) stopTimer() {
	if a.timer != nil && a.timer.Stop() {
		a.relay.running.Done()
	}
	a.timer = nil
}
