package spec

import (
	"cmp"
	"time"
)

// The relay's wall clock, which somebody may set. A process believes it once,
// when it begins, and counts from there: what the clock does later is nobody's
// due time. So each process has a reckoning of its own. Facts happen at true
// times; what the relay says of times to come, and what it stores of them, is in
// the reckoning of the process that says it, and the next one takes it in its own.

// A clockBook holds what is known of the relay's wall clock.
type clockBook struct {
	// set is by how much the clock was set so far, jump the last time that it was.
	set  time.Duration
	jump *event
	// ahead is how far the reckoning of the process that runs, or ran last, is
	// before true time; began is when that process began, by its reckoning,
	// and start numbers the fact.
	ahead time.Duration
	began Wall
	start int
	// farthest is the latest time that the processes before reckoned.
	farthest Wall
}

// jumps notes that the clock was set.
func (c *Checker) jumps(e *event) {
	c.clock.set += time.Duration(e.Count)
	c.clock.jump = e
}

// reckons notes that a process begins, and believes the clock. What seems to
// have been submitted later than that, the relay may take for new from now on.
func (c *Checker) reckons(e *event) {
	b := &c.clock
	b.farthest = c.farthest()
	changed := b.set != b.ahead
	b.ahead = b.set
	b.began, b.start = c.reckoned(e.At), e.seq
	if !changed {
		return
	}
	for _, m := range c.mail {
		if earliest, _ := m.expires(c.policy); earliest > c.policy.Schedule.Expires(b.began) {
			m.endsFrom = c.policy.Schedule.Expires(b.began)
		}
		for _, r := range m.rcpts {
			if due, _ := r.dueBy(); due != 0 {
				r.dueFrom = min(cmp.Or(r.dueFrom, due), b.began.Add(c.policy.Longest(r.dest)))
				r.dueMoves++
			}
		}
	}
}

// dueBy is when r is due, by the fact that made it so: the word on its last attempt,
// that it was put off, or that the message is in the spool. By is nil when that is not known.
func (r *rcpt) dueBy() (due Wall, by *event) {
	if r.putOff != nil && (r.outcome == nil || r.outcome.seq < r.putOff.seq) {
		return r.due, r.putOff
	}
	if r.outcome == nil && r.mail.queued != nil {
		return r.mail.queued.reckoned(), r.mail.queued
	}
	return r.due, r.outcome
}

// storedYounger notes an outcome of m: with it is stored that what seemed to
// have been submitted later than now, was submitted now.
func (c *Checker) storedYounger(m *mail, e *event) {
	end := c.policy.Schedule.Expires(e.reckoned())
	if _, latest := m.expires(c.policy); c.inherited(m.queued) && latest > end {
		m.endsBy = end
	}
}

// reckoned is what the process that runs takes a true time for.
func (c *Checker) reckoned(at Wall) Wall { return at.Add(c.clock.ahead) }

// truly is when it is, in truth, what the process that runs takes for w; 0 is
// no time, and stays so.
func (c *Checker) truly(w Wall) Wall {
	if w == 0 {
		return 0
	}
	return w.Add(-c.clock.ahead)
}

// reckoned is what the process that ran at a fact took its time for.
func (e *event) reckoned() Wall { return e.At.Add(e.ahead) }

// farthest is the latest time that any process reckoned so far.
func (c *Checker) farthest() Wall { return max(c.clock.farthest, c.reckoned(c.now)) }

// inherited reports whether a fact is from a process before the one that runs,
// which may have believed another clock.
func (c *Checker) inherited(e *event) bool {
	return c.clock.jump != nil && e != nil && e.seq < c.clock.start
}

// soonest is the first time, as the relay reckons, at which r may be attempted. A
// clock that was ahead may have made it due in years: then the next process waits
// for no more than the longest interval, from its start, and may store that. Nor
// is anything due after the end of its lifetime, which the same process may have
// brought nearer.
func (c *Checker) soonest(r *rcpt) Wall {
	switch {
	case r.dueFrom == 0:
		return r.due
	case r.mail.endsFrom == 0:
		return min(r.due, r.dueFrom)
	}
	return min(r.due, r.dueFrom, r.mail.endsFrom.Add(c.longer(r)))
}

// dueTill is the last time, in truth, at which r has become due: by the fact that
// made it so, or by what a process since may have stored in its place.
func (c *Checker) dueTill(r *rcpt) Wall {
	due, by := r.dueBy()
	longest := c.policy.Longest(r.dest)
	if !c.inherited(by) {
		return c.truly(due)
	}
	if r.dueMoves > 1 {
		return c.truly(min(due, c.clock.began.Add(2*longest))) // of two processes, the first may have stored anything in between
	}
	due = c.believed(due, longest)
	if r.dueFrom != 0 {
		due = max(due, c.believed(r.dueFrom, longest))
	}
	return c.truly(due)
}

// believed is the latest that a process takes a due time for which it finds: what
// seems to be due within the longest interval is believed whenever it looks.
func (c *Checker) believed(due Wall, longest time.Duration) Wall {
	if due > c.clock.began.Add(2*longest) {
		return c.clock.began.Add(longest)
	}
	return due
}
