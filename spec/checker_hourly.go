package spec

import "time"

// How much mail of the null sender one mailbox gets in an hour
// (Limits.ReportsPerHour): a part of FAIR-AND-BOUNDED, and of RETRY-ON-TIME where
// it is due and waits.

// A share is what a mailbox has got in the hour that began with first. It is lost
// when that is not known for the rest of the process: mail was attempted of whose
// sender nobody had time to speak. before is that of the hour before.
type share struct {
	first  *event
	begun  int
	lost   bool
	before *share
}

// A hourBook holds the shares of the process that runs; held and heldBy say until
// when those before it may have held mail back without a word.
type hourBook struct {
	shares map[string]*share
	held   map[string]Wall
	heldBy int
}

// mostShares bounds what is kept; beyond it nothing is known.
const mostShares = 10_000

// current returns the share of a mailbox at a time, nil when it has none.
func (b *hourBook) current(address string, at Wall) *share {
	s := b.shares[address]
	if s == nil || !s.lost && at.Sub(s.first.At) >= time.Hour-blink {
		return nil
	}
	return s
}

// judgeHourly judges how many attempts a mailbox gets in an hour.
func (c *Checker) judgeHourly(j *job) {
	most := c.policy.Limits.ReportsPerHour
	if most == 0 || !j.mail.null() && j.mail.from != "" || len(c.hours.shares) >= mostShares {
		return
	}
	for _, r := range j.to {
		s := c.hours.current(r.address, j.start.At)
		if s == nil {
			before := c.hours.shares[r.address]
			if before != nil {
				before.before = nil
			}
			s = &share{first: j.start, before: before}
			c.hours.shares[r.address] = s
		}
		// Its beginning may have been told late, and another hour have begun.
		s.lost = s.lost || !j.mail.null() || j.start.At.Sub(s.first.At) >= time.Hour-instant
		if s.begun++; s.begun > most && !j.urgent && !s.lost {
			c.violate(FairAndBounded, "hourly "+r.address+j.start.Job, []*event{s.first, j.start},
				"the relay began attempt %d at mail of the null sender to %s within an hour; the limit is %d", s.begun, r.address, most)
		}
	}
}

// holdsBack takes the relay's word that recipients wait longer, because they have
// had their share.
func (c *Checker) holdsBack(e *event) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	c.storedYounger(m, e)
	for _, to := range e.To {
		r := c.rcpt(m, to)
		c.judgeHeldBack(r, e)
		if r.state == 0 {
			r.state = Queued
		}
		r.due, r.dueFrom, r.dueMoves, r.putOff = e.Due, 0, 0, e
	}
}

func (c *Checker) judgeHeldBack(r *rcpt, e *event) {
	if r.mail.twins || len(c.hours.shares) >= mostShares {
		return
	}
	most := c.policy.Limits.ReportsPerHour
	about := "held back " + r.name() + e.Due.String()
	_, end := c.expires(r)
	until := c.reckoned(e.At).Add(c.policy.Longest(r.dest) + instant)
	s := c.hours.current(r.address, e.At.Add(-instant)) // the word comes when it is durable
	if s != nil && s.begun < most && !s.lost && s.before != nil && e.At.Sub(s.first.At) < instant {
		s = s.before // and was decided in the hour before
	}
	switch {
	case r.state.Final() || r.state == Held:
		c.violate(RetryOnTime, about, []*event{r.outcome, e}, "the relay held back %s, which it had recorded as %s", r.name(), r.state)
	case most == 0 || r.mail.from != "" && !r.mail.null():
		c.violate(RetryOnTime, about, []*event{r.latest(), e}, "the relay held back %s, to which no limit on reports applies", r.name())
	case s == nil || s.begun < most && !s.lost:
		c.violate(RetryOnTime, about, []*event{r.latest(), e},
			"the relay held back %s, though %s had not had the %d reports of this hour", r.name(), r.address, most)
	case e.Due > until:
		c.violate(RetryOnTime, about, []*event{s.first, e}, "the relay held back %s for longer than the longest interval, by %s", r.name(), ago(e.Due.Sub(until)))
	case end != 0 && e.Due > end.Add(instant):
		c.violate(RetryOnTime, about, []*event{r.mail.queued, e}, "the relay held back %s until %s after its lifetime ends", r.name(), ago(e.Due.Sub(end)))
	}
}

// leaves notes, at the end of a process, until when it may have held back what it
// had no time to speak of.
func (b *hourBook) leaves(p Policy, ahead time.Duration, at Wall, seq int) {
	for address, s := range b.shares { // any order: each is on its own
		if p.Limits.ReportsPerHour > 0 && (s.lost || s.begun >= p.Limits.ReportsPerHour) {
			b.held[address], b.heldBy = at.Add(p.Longest(p.Destination("", address))+ahead), seq
		}
	}
	clear(b.shares)
}

// heldTill is until when r may have been held back without a word; 0 is that it was
// not.
func (c *Checker) heldTill(r *rcpt) Wall {
	till := c.hours.held[r.address]
	if _, by := r.dueBy(); till == 0 || by != nil && by.seq > c.hours.heldBy || r.begun != nil && r.begun.seq > c.hours.heldBy {
		return 0
	}
	return c.truly(c.believed(till, c.policy.Longest(r.dest)))
}
