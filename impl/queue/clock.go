package queue

import (
	"time"

	"github.com/postonce/postonce/spec"
)

// A clock turns monotonic readings into wall-clock times. It believes the wall
// clock once; what that does later is nobody's due time.
type clock struct {
	anchor spec.Instant
	mono   spec.Mono
	// shown is what the wall clock says now, for dates that people read.
	shown spec.Wall
	set   bool
}

func (c *clock) read(now spec.Instant) {
	if !c.set {
		c.anchor, c.set = now, true
	}
	c.mono = max(c.mono, now.Mono)
	c.shown = now.Wall
}

// now is the time by the clock's own count.
func (c *clock) now() spec.Wall { return c.anchor.Wall.Add(c.mono.Sub(c.anchor.Mono)) }

// at converts a wall-clock time to the monotonic reading at which it comes.
func (c *clock) at(w spec.Wall) spec.Mono { return c.anchor.Mono.Add(w.Sub(c.anchor.Wall)) }

// sane bounds a due time that may have been stored by another process, whose
// clock was ahead of ours: it is never further away than the longest interval
// of the schedule from when this process began. What is no further away than
// that from now may be right, and stands.
func (c *clock) sane(due spec.Wall, longest time.Duration) spec.Wall {
	if due <= c.now().Add(longest) {
		return due
	}
	return max(c.now(), c.anchor.Wall.Add(longest))
}

// renew brings a message that comes from the disk to the present, if a clock that
// was ahead of ours has stored it. It is no younger than now, so that its lifetime
// ends in time; and nobody is due later than can be. Who is due after the end was
// sent again by an operator, see over: nobody else is made so by an end that comes
// sooner. Its lines in the index still say what they did; see admit and update.
func (q *Queue) renew(m *message) {
	submitted := m.entry.Submitted
	m.entry.Submitted = min(submitted, q.clock.now())
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if !waits(r) && !r.Parked {
			continue
		}
		schedule := q.policy.ScheduleFor(m.dests[i])
		due := q.clock.sane(r.Due, q.policy.Longest(m.dests[i]))
		if again := r.Due > schedule.Expires(submitted); r.Attempts > 0 && !again {
			due = min(due, schedule.Expires(m.entry.Submitted))
		}
		m.renewed = m.renewed || due != r.Due
		r.Due = due
	}
}

// moved stores a message that was renewed where it belongs now. Left where it was,
// it would stand behind all that becomes due before the clock has caught up.
func (q *Queue) moved(m *message) {
	c := &commit{message: m, moves: true}
	q.commit(c, q.update(c, m))
}
