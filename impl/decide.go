package impl

import (
	"errors"
	"strings"

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

// PauseStopped does what Pause does, as DecideStopped does what Decide does.
func (r *Relay) PauseStopped(destination string, resume bool) error {
	return r.atDesk(queue.Pause{Ticket: 1, Destination: destination, Resume: resume})
}

// An Order is an operator's decision about a message: see DecideStopped.
type Order struct {
	ID spec.QueueID
	// To are the recipients meant; all whom it can be about when empty.
	To       []string
	Decision string
}

// DecideAllStopped carries out orders as DecideStopped does one after another,
// but has what they change made durable together. It returns why an order was
// refused, nil where it was not; and why the relay could not go on, and then
// nobody knows what was done.
func (r *Relay) DecideAllStopped(orders []Order) (refused []error, err error) {
	d, err := r.newDesk()
	if err != nil {
		return nil, err
	}
	for i, o := range orders {
		e := queue.Decide{Ticket: uint64(i) + 1, ID: o.ID, Among: o.To, Decision: queue.Decision(o.Decision)}
		if err := d.run(e); err != nil {
			return nil, err
		}
	}
	if err := d.drain(0); err != nil {
		return nil, err
	}
	refused = make([]error, len(orders))
	for i := range orders {
		if refused[i], err = d.answer(uint64(i) + 1); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// Made reports whether this process has made a queue ID: of a report, when it
// does not run.
func (r *Relay) Made(id spec.QueueID) bool { return strings.HasPrefix(string(id), r.ids.prefix+"-") }

// atDesk has a core of its own carry out what e asks for.
func (r *Relay) atDesk(e queue.Event) error {
	d, err := r.newDesk()
	if err != nil {
		return err
	}
	if err := d.run(e); err != nil {
		return err
	}
	if err := d.drain(0); err != nil {
		return err
	}
	refused, err := d.answer(1)
	return errors.Join(refused, err)
}

var errNoAnswer = errors.New("the core gave no answer: this is a fault of the relay")

// A desk steps a core that is told of nothing in the spool but the messages that
// are decided about, or added: it recovers nothing and begins nothing, it only
// answers.
type desk struct {
	relay *Relay
	step  queue.StepFunc
	clock clock
	// events are those to come.
	events []queue.Event
	// durable takes the ends of batches; flying are those that have not come.
	durable chan queue.Durable
	flying  int
	// answers are the core's, by ticket.
	answers map[uint64]error
}

// mostFlying is how many batches a desk has on their way at once.
const mostFlying = 64

func (r *Relay) newDesk() (*desk, error) {
	d := &desk{
		relay: r, step: newCore(r.config), clock: newClock(r.host),
		durable: make(chan queue.Durable, mostFlying), answers: map[uint64]error{},
	}
	if err := d.run(queue.Start{}); err != nil { // and nothing is found
		return nil, err
	}
	return d, d.run(queue.Stop{}) // so nothing begins
}

// answer returns what the core answered.
func (d *desk) answer(ticket uint64) (refused, err error) {
	refused, answered := d.answers[ticket]
	if !answered {
		return nil, errNoAnswer
	}
	return refused, nil
}

// run steps the core with an event, and with what comes of it at once.
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

// drain waits until no more batches than that are on their way.
func (d *desk) drain(most int) error {
	for d.flying > most {
		e := <-d.durable
		d.flying--
		if err := d.run(e); err != nil {
			return err
		}
	}
	return nil
}

// carryOut does what the core asks for, one after another.
func (d *desk) carryOut(act queue.Action) error {
	r := d.relay
	switch act := act.(type) {
	case queue.Commit:
		for d.flying == mostFlying { // the next step takes it: this one is not over
			d.events = append(d.events, <-d.durable)
			d.flying--
		}
		d.flying++
		r.host.Store.Apply(act.Ops, func(err error) { d.durable <- queue.Durable{Seq: act.Seq, Err: err} })
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
		d.answers[act.Ticket] = act.Err
	case queue.Accepted:
		d.answers[1] = act.Err // whoever submits is alone
	case queue.Halt:
		return act.Err
	}
	return nil
}
