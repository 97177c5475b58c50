package spec

import (
	"cmp"
	"slices"
	"time"
)

// What the relay knows of how a destination can be reached, as far as its own
// words tell: how many attempts it may make there at once, and whether it has to
// leave it alone for a time. See Limits.FirstPerDestination and DeadAfter.
//
// The relay forgets it with the last mail that waits there, which is not seen to
// the instant; so there may be several states in which it can be, and a rule is
// broken when it is in all of them.

// A reach is one such state.
type reach struct {
	limit, good   int
	fails, deaths int
	until         Wall
}

// reaches are the states that a destination can be in; none is the first one.
// When there are too many to follow, lost is true, and nothing is said any more.
type reaches struct {
	states []reach
	lost   bool
}

const mostReaches = 16

// A met says what an attempt has met: a server that opened a session, none that
// did, or an end for good before there was one.
type met struct{ opened, missed, final bool }

// meets notes what an attempt has met.
func (c *Checker) meets(e *event) {
	j := c.fair.jobs[e.Job]
	switch {
	case j == nil, e.Stage == StageQUIT, e.Stage == StageRSET: // a session that was not opened ends so, too
	case e.Kind != FactTrouble || e.Stage >= StageMAIL && !e.mute():
		j.met.opened = true
	case e.Verdict == FailMessage || e.Verdict == FailRecipient:
		j.met.final = true
	default:
		j.met.missed = true
	}
}

// mute reports whether a server had no answer to MAIL: then it has not opened a
// session that is of any use.
func (e *event) mute() bool { return e.Stage == StageMAIL && (e.Event == Cut || e.Event == Timeout) }

// reaches returns the states that a destination can be in.
func (c *Checker) reaches(here *load) []reach {
	if len(here.reach.states) == 0 {
		here.reach.states = []reach{{limit: c.policy.Limits.First()}}
	}
	return here.reach.states
}

// may adds states that a destination can be in, too.
func (c *Checker) may(here *load, more ...reach) {
	all := c.reaches(here)
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if here.reach.states = all; len(all) > mostReaches {
		here.reach = reaches{lost: true}
	}
}

// learns takes the end of an attempt.
func (c *Checker) learns(j *job, here *load, at Wall) {
	if here.reach.lost {
		return
	}
	if _, dead := c.dead(here, at); dead && (j.met.opened || j.met.final || !j.met.missed) {
		here.late, here.back = c.alone(here), at
	}
	all := c.reaches(here)
	next := make([]reach, 0, len(all))
	for _, s := range all {
		m := j.met
		if m.opened || m.final || !m.missed {
			next = append(next, c.reached(s))
		}
		if m.missed && !m.opened && !m.final || m == (met{}) {
			next = append(next, c.unreached(s, j.dest, at)...)
		}
	}
	here.reach.states = slices.Clone(next[:1])
	c.may(here, next...)
}

// reached is the state after an attempt that reached a server.
func (c *Checker) reached(s reach) reach {
	n := reach{limit: s.limit, good: s.good + 1}
	if most := c.policy.Limits.DeliveriesPerDestination; n.limit >= most || n.good >= n.limit {
		n.limit, n.good = min(n.limit+1, most), 0
	}
	return n
}

// unreached are the states after one that reached none. One that began before
// the destination was found dead, and ends while it is, says nothing new.
func (c *Checker) unreached(s reach, dest string, at Wall) []reach {
	after := c.policy.Limits.DeadAfter
	s.limit, s.good = max(1, s.limit-1), 0
	if s.deaths == 0 {
		s.fails++
	}
	again := s
	again.deaths++
	again.until, again.limit = at.Add(c.policy.Dead(dest, again.deaths)), 1
	switch {
	case after == 0 || s.fails < after || s.deaths > 0 && at < s.until.Add(-instant):
		return []reach{s}
	case s.deaths > 0 && at < s.until.Add(instant):
		return []reach{s, again}
	}
	return []reach{again}
}

// instant is how far the time at which the relay decides may be from that at which
// it says so.
const instant = time.Second

// forgets notes that the relay may have forgotten what it knew of a destination.
// Where one is paused, who has not to be ended in time waits on the disk only.
func (c *Checker) forgets(here *load) {
	if here.active == 0 && (here.waiting <= 0 || c.maybePaused(here)) && !here.reach.lost {
		c.may(here, reach{limit: c.policy.Limits.First()})
	}
}

// lose notes that mail may be gone from the spool without a word on who it was
// for.
func (c *Checker) lose() {
	for _, here := range c.fair.dests { // any order: each is on its own
		here.reach = reaches{lost: true}
	}
}

// counts takes r for one that waits, or not, in the relay's index.
func (c *Checker) counts(r *rcpt) {
	waits := r.owed && !r.state.Final() && r.state != Held && r.state != Parked && r.told.parked == nil && !r.mail.entry.gone()
	if waits == r.waits {
		return
	}
	here := c.fair.dest(r.dest)
	if r.waits = waits; waits {
		here.waiting++
		return
	}
	here.waiting--
	c.forgets(here)
}

// countsGone counts, when a process starts, no more for what has left the spool
// without a word: it does not know of it.
func (c *Checker) countsGone() {
	for _, x := range c.spool.left {
		if x.mail == nil {
			continue
		}
		for _, r := range x.mail.rcpts {
			if r.waits && x.mail.entry.gone() {
				c.counts(r)
			}
		}
	}
	c.spool.left = c.spool.left[:0]
}

// dead reports whether a destination is dead for sure, and whether it may be.
func (c *Checker) dead(here *load, at Wall) (surely, maybe bool) {
	surely = !here.reach.lost
	for _, s := range c.reaches(here) {
		dead := s.deaths > 0 && at < s.until
		surely, maybe = surely && s.deaths > 0 && at < s.until.Add(-instant), maybe || dead
	}
	return surely, maybe || here.reach.lost
}

// most is how many attempts a destination may have at once, when j begins. While
// it is dead, what is urgent does not ask for what was found.
func (c *Checker) most(here *load, j *job) int {
	n := 0
	for _, s := range c.reaches(here) {
		if n = max(n, s.limit); here.reach.lost || j.urgent && s.deaths > 0 && j.start.At < s.until.Add(instant) {
			return c.policy.Limits.DeliveriesPerDestination
		}
	}
	return n
}

// full reports whether one more attempt may have to wait for those that run.
func (c *Checker) full(here *load) bool {
	l := c.policy.Limits
	return here.active >= l.DeliveriesPerDestination || c.fair.total.active >= l.Deliveries || here.reach.lost ||
		slices.ContainsFunc(c.reaches(here), func(s reach) bool { return here.active >= s.limit })
}

// alone is the last time, in truth, until which a destination may have been left
// alone.
func (c *Checker) alone(here *load) Wall {
	last := Wall(0)
	for _, s := range c.reaches(here) {
		last = max(last, s.until)
	}
	return last
}

// judgeLeftAlone judges an attempt by what is known of its destination: one that
// is dead is left alone, but for what an operator wants attempted, and what has
// no time left.
func (c *Checker) judgeLeftAlone(j *job, here *load) {
	e := j.start
	if surely, _ := c.dead(here, e.At); j.urgent || !surely {
		return
	}
	c.violate(FairAndBounded, "dead "+e.Job, []*event{here.missed, e},
		"the relay began an attempt for %s at %s, which no server of it has let come to a session since %d attempts, and which is to be left alone for %s",
		j.mail.id, j.dest, c.policy.Limits.DeadAfter, ago(c.alone(here).Sub(e.At)))
}

// urgent reports whether r may be attempted now wherever it goes: an operator wants
// that, its lifetime is over, or it is time to tell the sender of a delay.
func (c *Checker) urgent(r *rcpt, e *event) bool {
	// After a clock that was ahead the relay may take the mail to be older than it is.
	end, _ := c.expires(r)
	after := c.policy.DelayWarningFor(r.dest)
	warned := end.Add(after - c.scheduleOf(r).Lifetime)
	if after > 0 && (r.notify.Delay() || r.mixed) && e.reckoned() >= warned.Add(-instant) {
		return true
	}
	return c.wanted(r) || r.told.again != nil && c.hushed(r) || end == 0 || e.reckoned() >= end.Add(-instant) || r.mail.twins
}

// putOff takes the relay's word that recipients wait longer.
func (c *Checker) putOff(e *event) {
	m := c.mailOf(e)
	if m == nil || len(e.To) == 0 {
		return
	}
	dest := e.Dest
	if dest == "" {
		dest = c.policy.Destination(cmp.Or(m.from, anybody), e.To[0])
	}
	here := c.fair.dest(dest)
	c.storedYounger(m, e)
	for _, to := range e.To {
		r := c.rcpt(m, to)
		c.belongs(r, e)
		c.judgePutOff(r, here, e)
		if r.state == 0 {
			r.state = Queued
		}
		r.due, r.dueFrom, r.dueMoves, r.putOff = e.Due, 0, 0, e
	}
	here.late = 0
}

// putOffTillEnd reports whether the lifetime of r is over, and it was put off: then
// it may end without an attempt.
func (c *Checker) putOffTillEnd(r *rcpt) bool {
	end, _ := c.expires(r)
	return r.putOff != nil && end != 0 && c.farthest() >= end
}

// judgePutOff judges whether a recipient may wait, and until when. The relay puts
// off one mail at a time, and says so when it is durable: meanwhile an attempt that
// began before may have reached the destination.
func (c *Checker) judgePutOff(r *rcpt, here *load, e *event) {
	if r.mail.twins {
		return
	}
	about := "put off " + r.name() + e.Due.String()
	_, end := c.expires(r)
	alone := c.alone(here)
	_, dead := c.dead(here, e.At.Add(-instant))
	if here.late != 0 && e.At.Sub(here.back) < instant { // it was said when it was stored, and decided before
		alone, dead = max(alone, here.late), true
	}
	until := c.reckoned(alone).Add(instant)
	switch {
	case r.state.Final() || r.state == Held:
		c.violate(RetryOnTime, about, []*event{r.outcome, e}, "the relay put off %s, which it had recorded as %s", r.name(), r.state)
	case !dead:
		c.violate(RetryOnTime, about, []*event{r.latest(), e}, "the relay put off %s, though nothing says that %s cannot be reached", r.name(), r.dest)
	case !here.reach.lost && e.Due > until:
		c.violate(RetryOnTime, about, []*event{here.missed, c.clock.jump, e},
			"the relay put off %s for %s longer than %s is to be left alone", r.name(), ago(e.Due.Sub(until)), r.dest)
	case end != 0 && e.Due > end.Add(instant):
		c.violate(RetryOnTime, about, []*event{r.mail.queued, c.clock.jump, e},
			"the relay put off %s until %s after its lifetime ends", r.name(), ago(e.Due.Sub(end)))
	}
}

// leaves notes, at the end of a process, until when it may have put off what it
// had no time to speak of. What could be in too many states may have been put off
// for as long as anything is.
func (b *fairBook) leaves(p Policy, ahead time.Duration, at Wall, seq int) {
	for name, here := range b.dests { // any order: each is on its own
		if here.reach.lost {
			here.off, here.offBy = max(here.off, at.Add(p.Longest(name)+ahead)), seq
		}
		if here.late != 0 {
			here.off, here.offBy, here.late = max(here.off, here.late.Add(ahead)), seq, 0
		}
		for _, s := range here.reach.states {
			if s.deaths > 0 && at < s.until.Add(instant) {
				here.off, here.offBy = max(here.off, s.until.Add(ahead)), seq
			}
		}
		here.reach, here.began, here.paced = reaches{}, nil, 0
	}
}

// judgePace judges how soon after another one an attempt begins.
func (c *Checker) judgePace(j *job, here *load) {
	pace := c.policy.Limits.Pace()
	if pace == 0 {
		return
	}
	if e := j.start; here.began != nil && e.At.Sub(here.began.At) < pace-blink && !j.urgent {
		c.violate(FairAndBounded, "pace "+e.Job, []*event{here.began, e},
			"the relay began an attempt for %s %s after another one; at %d a minute they are %s apart",
			j.dest, ago(e.At.Sub(here.began.At)), c.policy.Limits.PerMinute, ago(pace))
	}
	here.began, here.paced = j.start, j.start.At.Add(pace)
}

// offTill is until when r may have been put off without a word; 0 is that it
// was not.
func (c *Checker) offTill(r *rcpt) Wall {
	here := c.fair.dest(r.dest)
	if _, by := r.dueBy(); here.offBy == 0 || by != nil && by.seq > here.offBy || r.begun != nil && r.begun.seq > here.offBy {
		return 0
	}
	return c.truly(c.believed(here.off, c.policy.Longest(r.dest)))
}
