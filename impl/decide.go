package impl

import (
	"errors"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// DecideStopped carries out an operator's decision as Decide does, on the spool
// of a relay that does not run: it is called on a Relay that Run is not called
// on. Nothing else in the spool is touched, and nothing is delivered. The facts
// of what it did go to Host.Note.
func (r *Relay) DecideStopped(id spec.QueueID, recipient, decision string) error {
	return r.atDesk(queue.Decide{Ticket: 1, ID: id, Recipient: recipient, Decision: queue.Decision(decision)})
}

// atDesk has a core of its own carry out what e asks for.
func (r *Relay) atDesk(e queue.Event) error {
	d := desk{relay: r, step: newCore(r.config), clock: newClock(r.host)}
	for _, e := range []queue.Event{
		queue.Start{}, // and nothing is found
		queue.Stop{},  // so nothing begins
		e,
	} {
		if err := d.run(e); err != nil {
			return err
		}
	}
	if !d.answered {
		return errors.New("the core gave no answer: this is a fault of the relay")
	}
	return d.answer
}

// A desk steps a core that is told of nothing in the spool but the message that
// is decided about, or added: it recovers nothing and begins nothing, it only
// answers.
type desk struct {
	relay *Relay
	step  queue.StepFunc
	clock clock
	// events are those to come.
	events []queue.Event
	// answer is the core's, once it has answered.
	answer   error
	answered bool
}

func (d *desk) run(e queue.Event) error {
	d.events = append(d.events, e)
	for len(d.events) > 0 {
		next := d.events[0]
		d.events = d.events[1:]
		for _, act := range d.step(d.clock.now(), next) {
			if err := d.carryOut(act); err != nil {
				return err
			}
		}
	}
	return nil
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
		found := queue.Loaded{Load: act}
		if act.Kind == queue.LoadMessage {
			found = r.load(act)
		}
		d.events = append(d.events, found)
	case queue.Close:
		d.events = append(d.events, r.closed(act))
	case queue.Note:
		r.host.Note(act.Fact)
	case queue.Decided:
		d.answer, d.answered = act.Err, true
	case queue.Accepted:
		d.answer, d.answered = act.Err, true
	case queue.Halt:
		return act.Err
	}
	return nil
}
