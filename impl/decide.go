package impl

import (
	"errors"
	"time"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// DecideStopped carries out an operator's decision as Decide does, on the spool
// of a relay that does not run: it is called on a Relay that Run is not called
// on. Nothing else in the spool is touched, and nothing is delivered. The facts
// of what it did go to Host.Note.
func (r *Relay) DecideStopped(id spec.QueueID, recipient, decision string) error {
	d := desk{relay: r, core: queue.New(r.config.Policy), began: time.Now()}
	return d.run(queue.Decide{ID: id, Recipient: recipient, Decision: queue.Decision(decision)})
}

// A desk steps a core that was never started: it recovers nothing and begins
// nothing, it only answers.
type desk struct {
	relay *Relay
	core  *queue.Queue
	began time.Time
	// events are those to come.
	events []queue.Event
	// answer is the core's, when there is one.
	answer *queue.Decided
}

func (d *desk) run(e queue.Event) error {
	d.events = append(d.events, e)
	for len(d.events) > 0 {
		next := d.events[0]
		d.events = d.events[1:]
		now := time.Now()
		at := spec.Instant{Wall: spec.WallOf(now), Mono: spec.Mono(now.Sub(d.began))}
		for _, act := range d.core.Step(at, next) {
			if err := d.carryOut(act); err != nil {
				return err
			}
		}
	}
	if d.answer == nil {
		return errors.New("the decision was not carried out")
	}
	return d.answer.Err
}

// carryOut does what the core asks for, one after another.
func (d *desk) carryOut(act queue.Action) error {
	r := d.relay
	switch act := act.(type) {
	case queue.Commit:
		durable := make(chan error, 1)
		r.host.Store.Apply(act.Ops, func(err error) { durable <- err })
		d.events = append(d.events, queue.Durable{Seq: act.Seq, Err: <-durable})
	case queue.Load:
		d.events = append(d.events, r.load(act))
	case queue.Close:
		d.events = append(d.events, queue.Settle{Job: act.Job, Last: true, Header: r.header(act.ID), Fresh: r.ids.next()})
	case queue.Note:
		r.host.Note(act.Fact)
	case queue.Decided:
		d.answer = &act
	case queue.Halt:
		return act.Err
	}
	return nil
}
