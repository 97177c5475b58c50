package queue

import (
	"fmt"
	"slices"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// What waits at a paused destination stays on the disk, where it keeps its due
// time. In the window is only who has lapsed: he was due, and his lifetime is over.
// Index lines are in order of due times, so who has lapsed is looked for by
// reading all that is due in a lane: a sweep, whose place is the lane's
// cursor. The next one begins when the first lapses of those whom it met, and
// no sooner than an interval after it. The lane stays in memory until the pause ends: then it is
// read from its beginning.

// PausedKey returns the key that says that a destination is paused.
func PausedKey(dest string) seam.Key { return seam.Key{Space: seam.SpacePaused, Name: dest} }

// pause carries out an operator's word on a destination. It holds at once, also
// before it is durable: who is told so is told later.
func (q *Queue) pause(e Pause) {
	q.operators = append(slices.Clip(q.operators), e.Ticket)
	if !q.recovery.ready {
		q.decline(Decide{Ticket: e.Ticket}, errNotReady)
		return
	}
	key := PausedKey(e.Destination)
	q.commit(&commit{release: Decided{Ticket: e.Ticket}}, []seam.Op{{Key: key, Delete: e.Resume}})
	was := slices.Contains(q.paused, e.Destination)
	switch {
	case was != e.Resume:
		return
	case e.Resume:
		q.paused = without(q.paused, []string{e.Destination})
	default:
		q.paused = append(slices.Clone(q.paused), e.Destination)
		slices.Sort(q.paused)
	}
	d := q.destination(e.Destination) // which knows of each lane where something waits on disk
	d.paused = !e.Resume
	q.rewind(d)
}

// recoverPaused takes up what an operator said to a process before.
func (q *Queue) recoverPaused(dests []string) {
	q.paused = slices.Concat(q.paused, dests)
	for _, name := range dests {
		if d := q.destinations[name]; d != nil {
			d.paused = true
			q.rewind(d)
		}
	}
}

// rewind leaves all that waits at a destination to the disk, to be read from the
// beginning: something else is looked for now.
func (q *Queue) rewind(d *destination) {
	for _, l := range d.lanes {
		for _, g := range slices.Clone(l.waiting) {
			q.drop(g)
			q.forget(g.message)
		}
		l.more, l.cursor, l.next, l.later = true, "", q.clock.now(), never
	}
	d.miss(Waiting{Destination: d.name, Lane: d.reading}) // what is being read is of no use
	q.place(d)
}

// lapsed reports whether somebody has lapsed of those who wait at a paused
// destination.
func (q *Queue) lapsed(m *message, d *destination) bool {
	now := q.clock.now()
	to, _ := m.recipients(&group{destination: d}, now)
	return len(q.over(m, to, d, now)) > 0
}

// passBy leaves a message at a paused destination where it is, and notes when
// the first there lapses. Who has an attempt more, on an operator's word, does
// not.
func (q *Queue) passBy(m *message, d *destination, l *lane) {
	expires := q.expires(m, d.name)
	for i, dest := range m.dests {
		if r := &m.entry.Recipients[i]; dest == d.name && r.State == spec.Queued && !r.Parked && r.Due <= expires {
			if !l.more {
				l.more, l.next = true, never
			}
			l.later, l.next = min(l.later, expires), min(l.next, expires)
		}
	}
	q.place(d)
}

// swept takes the end of a read of a lane of a paused destination, which may be that
// of the sweep: nobody lapses who is not due yet.
func (q *Queue) swept(d *destination, l *lane) {
	now := q.clock.now()
	if l.more && l.next <= now {
		return
	}
	if l.more {
		l.later = min(l.later, l.next)
	}
	l.more = l.later != never
	l.cursor, l.next, l.later = "", max(l.later, now.Add(q.betweenSweeps(d))), never
}

// betweenSweeps is how long nothing is read of a paused destination, at least.
func (q *Queue) betweenSweeps(d *destination) time.Duration { return q.policy.Longest(d.name) }

// lastOf is what ends a recipient without an attempt.
func (q *Queue) lastOf(r *Recipient, d *destination) Trouble {
	if r.Attempts == 0 && d.paused {
		return Trouble{At: q.clock.now(), Text: fmt.Sprintf("it was never attempted: the operator of this relay has paused deliveries to %s", d.name)}
	}
	return r.Last
}
