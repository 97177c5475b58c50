package queue

import (
	"container/heap"
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
)

// dispatch begins what is due and has a place. Destinations take turns: each
// turn begins one group, so that a destination with a thousand groups does not
// stand before one with a single group (FAIR-AND-BOUNDED). A read of groups has
// a place too, and so has a group that was read and is not where it belongs:
// reading for more than can begin fills the memory, no more.
func (q *Queue) dispatch() {
	if !q.recovery.ready || q.stopping {
		return
	}
	now := q.clock.now()
	for len(q.timed) > 0 && q.timed[0].at <= now {
		d := heap.Pop(&q.timed).(*destination)
		d.ready = true
		q.ready = append(q.ready, d)
	}
	for q.taken() < q.policy.Limits.Deliveries && len(q.ready) > 0 {
		d := q.ready[0]
		q.ready[0] = nil
		q.ready = q.ready[1:]
		d.ready = false
		if q.nextAt(d) <= now {
			q.turn(d, now)
		}
		if q.nextAt(d) <= now {
			d.ready = true
			q.ready = append(q.ready, d)
			continue
		}
		q.place(d)
	}
}

// taken is how many places of deliveries are not free.
func (q *Queue) taken() int { return q.active + q.loading + q.moving }

// first puts a destination that has just been read before the others: reading
// was the first half of its turn.
func (q *Queue) first(d *destination) {
	if d.heaped && d.at <= q.clock.now() {
		heap.Remove(&q.timed, d.place)
		d.ready = true
		q.ready = slices.Insert(q.ready, 0, d)
	}
}

// turn begins the first due group of a destination, or loads its window. So do
// the lanes of the destination take turns; what has to be read first keeps its own
// until it was.
func (q *Queue) turn(d *destination, now spec.Wall) {
	l := d.next(now)
	g := l.first(now)
	if g == nil {
		q.load(d, l)
		return
	}
	d.had(l)
	switch {
	case d.reach.dead(now) && !d.paused:
		q.atDead(g, now)
	case d.paused || !q.holdBack(g, now):
		q.begin(g, now)
	}
}

// begin claims a group and starts its delivery; or ends it, when its lifetime
// is over and it was tried at least once.
func (q *Queue) begin(g *group, now spec.Wall) {
	d, m := g.destination, g.message
	g.leave()
	to, attempt := m.recipients(g, now)
	over := q.over(m, to, d, now)
	if d.paused { // nobody else has a turn
		if to = over; len(to) == 0 {
			q.drop(g)
			q.forget(m)
			return
		}
	}
	d.reach.obeyed(m.entry.ID)
	if len(over) < len(to) { // the others have their turn next
		to = slices.DeleteFunc(to, func(address string) bool { return slices.Contains(over, address) })
		over, attempt = nil, 0
		for _, address := range to {
			attempt = max(attempt, m.entry.recipient(address).Attempts+1)
		}
	}
	j := q.newJob(m, d.name, to)
	j.group, j.began = g, now
	g.active = true
	d.active++
	q.active++
	if len(over) > 0 {
		for _, address := range over {
			j.closing = append(j.closing, Result{Recipient: address, Verdict: spec.Defer, Trouble: q.lastOf(m.entry.recipient(address), d)})
		}
		q.act(m.toClose(j))
		return
	}
	j.attempt = attempt
	d.reach.began = now
	q.spends(m, to, now)
	q.note(spec.Fact{
		Kind: spec.FactAttempt, Message: m.entry.Message, Queue: m.entry.ID, Job: j.id,
		Dest: d.name, To: to, Attempt: attempt, Due: g.line.Due,
	})
	q.act(Begin{
		Job: j.id, ID: m.entry.ID, Message: m.entry.Message, Dest: d.name, Attempt: attempt, Sender: m.entry.Sender,
		To: to, Size: m.entry.Size, Body8Bit: m.entry.Body8Bit, Needs: m.entry.Needs, Submitted: m.entry.Submitted,
		Tracking: m.entry.Tracking, Asked: m.asked(to),
	})
}

// asked returns what was asked for about some recipients; nil when that is
// nothing.
func (m *message) asked(to []string) []spec.Asked {
	var all []spec.Asked
	for i, address := range to {
		if asked := m.entry.recipient(address).Asked; asked != (spec.Asked{}) {
			all = append(all, make([]spec.Asked, i-len(all))...)
			all = append(all, asked)
		}
	}
	return all
}

// over lists those of some recipients whose lifetime is over: they end without
// another attempt. But nobody ends who was never attempted; nor whom an operator
// had sent again after that, which made them due later than anybody else can
// be; nor who was due so long before this process began that no relay can have
// run since, or its clock was wrong, and with it what we know of the message's
// age. Where the destination is paused, that nobody was attempted is the
// operator's word. Who was put off because the destination is dead, and it still
// is, needs no attempt of his own; nor who was held back all the time.
func (q *Queue) over(m *message, to []string, d *destination, now spec.Wall) []string {
	schedule := q.policy.ScheduleFor(d.name)
	expires := schedule.Expires(m.entry.Submitted)
	if now < expires {
		return nil
	}
	var over []string
	long := schedule.Lifetime + q.policy.Longest(d.name)
	for _, address := range to {
		r := m.entry.recipient(address)
		rested := q.clock.anchor.Wall > r.Due.Add(long)
		tried := r.Attempts > 0 || d.paused || d.reach.dead(now) && r.Last.Stage != 0 || r.heldBack()
		if tried && r.Due <= expires && !rested {
			over = append(over, address)
		}
	}
	return over
}

func (q *Queue) newJob(m *message, dest string, to []string) *job {
	q.nextJob++
	j := &job{id: fmt.Sprintf("%s.%d", m.entry.ID, q.nextJob), message: m, dest: dest, to: to}
	q.jobs[j.id] = j
	m.jobs++
	return j
}

// recipients returns which recipients of a group that is due are due, and the number
// that their next attempt has. Not all need be: two transactions of one attempt
// end at different times, and an operator may have one recipient tried again.
func (m *message) recipients(g *group, now spec.Wall) (to []string, attempt int) {
	dest := g.destination.name
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if r.State == spec.Queued && !r.Parked && r.Due <= now && m.dests[i] == dest {
			to = append(to, r.Address)
			attempt = max(attempt, r.Attempts+1)
		}
	}
	return to, attempt
}

// endJob gives the job's place back.
func (q *Queue) endJob(j *job) {
	delete(q.jobs, j.id)
	j.message.jobs--
	g := j.group
	if g == nil {
		return
	}
	if j.closing == nil {
		q.note(spec.Fact{Kind: spec.FactAttemptEnd, Message: j.message.entry.Message, Queue: j.message.entry.ID, Job: j.id, Dest: j.dest})
	}
	q.drop(g)
	g.destination.active--
	q.active--
}

// sleep asks to be woken when the next destination is due.
func (q *Queue) sleep() {
	if !q.recovery.ready || q.stopping || len(q.timed) == 0 || q.taken() >= q.policy.Limits.Deliveries {
		return
	}
	at := max(q.clock.at(q.timed[0].at), q.clock.mono)
	if q.wake == 0 || at < q.wake {
		q.wake = at
		q.act(WakeAt{at})
	}
}
