package spec

import (
	"slices"
	"time"
)

// What the end of a process hides: the disk may know what the relay had no
// time to say. It hides that only if nothing else was said in between.

// A stop is the end of a process.
type stop struct {
	*event
	// word numbers the last fact of the relay before it.
	word int
}

// ends notes that the relay's process is gone, and with it its attempts.
func (c *Checker) ends(e *event) {
	if e != nil {
		c.lingering(e)
		c.stops = keepMost(c.stops, stop{e, c.word}, mostStops)
		c.orphaned = true
	}
	c.fair.leaves(c.policy.Schedule.Max, c.clock.ahead, c.now, c.seq)
	c.fair.clear()
	c.reuse.clear()
}

// keepLast appends e to a list of which only the latest few are kept.
func keepLast[E any](all []E, e E) []E { return keepMost(all, e, 32) }

// mostStops is how many ends of processes are kept: a relay that ends at every
// start, because its disk fails, ends often before it does something again.
const mostStops = 4096

// keepMost appends e to a list of which only the latest most are kept.
func keepMost[E any](all []E, e E, most int) []E {
	if len(all) == most {
		copy(all, all[1:])
		all = all[:most-1]
	}
	return append(all, e)
}

// stoppedSince reports whether a process ended after the fact e; when there is
// no such fact, whether one ever did.
func (c *Checker) stoppedSince(e *event) bool {
	n := len(c.stops)
	return n > 0 && (e == nil || c.stops[n-1].seq > e.seq)
}

// blink is so little time that nobody can have answered in it.
const blink = time.Millisecond

// cutShort reports whether the process that made e true ended before it could
// speak of it: at once, or without another word.
func (c *Checker) cutShort(e *event) bool {
	if e.orphan {
		return true
	}
	for _, s := range c.stops {
		if s.seq > e.seq {
			since := s.At.Sub(e.At)
			return since <= blink || since <= grace && s.word < e.seq
		}
	}
	return false
}

// unsaid reports whether an entry may have left the spool for a reason that
// the relay had no time to give.
func (c *Checker) unsaid(x *entry) bool {
	return x.gone() && (x.control.vanished || x.control.erased != nil && c.cutShort(x.control.erased))
}

// hushed reports whether the relay may have recorded what came of the last
// attempt for r without a word: its process ended before it could say so.
func (c *Checker) hushed(r *rcpt) bool {
	return r.begun != nil && (r.outcome == nil || r.outcome.seq < r.begun.seq) && c.stoppedSince(r.begun)
}

// maybeHeld reports whether r may be held, although the relay never said so:
// its process ended when it was about to, and the next one, when it was ready,
// had not taken it up.
func (c *Checker) maybeHeld(r *rcpt) bool {
	return c.hushed(r) && r.doubt != nil && r.doubt.seq > r.begun.seq && r.doubt.Text == DoubtHold.String() &&
		c.stoppedSince(r.doubt) && c.fair.last > r.doubt.seq
}

// stillDoubted reports whether the relay found r in doubt since the last
// attempt, and nothing shows that it recorded what follows.
func (r *rcpt) stillDoubted() bool {
	return r.doubt != nil && r.doubt.seq > r.begun.seq && len(r.reports) == 0 && !r.untold()
}

// maybeOver reports whether r may be final, although the relay never said so
// and nobody else knows: an operator said that it was delivered or is to be
// deleted, a server seemed to say that it has the mail, or it ended otherwise and
// there is nobody to tell.
func (c *Checker) maybeOver(r *rcpt) bool {
	if c.hushed(r) && c.lied(r) && r.lastDot != nil && r.lastDot.seq > r.begun.seq {
		return true
	}
	if c.mutely(r, "delivered") || c.mutely(r, "delete") || r.untold() && c.mutely(r, "bounce") {
		return true
	}
	x := r.mail.entry
	if !r.untold() || !x.gone() {
		return false
	}
	if c.hushed(r) && c.stoppedBetween(r.begun, x.control.erased) {
		return true
	}
	end, _ := r.mail.expires(c.policy)
	return c.unsaid(x) && (c.hushed(r) || c.decided(r, "report", r.outcome) || end == 0 || c.leftAt(x) >= end)
}

// decidedMutely reports whether the relay may have carried out an operator's
// decision on r without a word.
func (c *Checker) decidedMutely(r *rcpt) bool {
	return c.mutely(r, "delivered") || c.mutely(r, "report") || c.mutely(r, "bounce") || c.mutely(r, "delete")
}

// expiredMutely reports whether r may have failed when its lifetime ended,
// without another attempt, and the end of the process kept the relay from
// saying so: the sender is told, or there is none and it was at that time.
func (c *Checker) expiredMutely(r *rcpt) bool {
	if r.state != Queued || c.hushed(r) {
		return false
	}
	end, _ := r.mail.expires(c.policy)
	_, by := r.dueBy()
	due := func(s stop) bool { return (by == nil || s.seq > by.seq) && end != 0 && s.reckoned() >= end }
	if r.untold() && slices.ContainsFunc(c.stops, func(s stop) bool { return due(s) && s.reckoned().Sub(end) <= promptly }) {
		return true
	}
	return slices.ContainsFunc(c.stops, due) && (len(r.reports) > 0 || c.mute(r.mail.entry))
}

// stoppedBetween reports whether a process ended between two facts.
func (c *Checker) stoppedBetween(a, b *event) bool {
	for _, s := range c.stops {
		if s.seq > a.seq && b != nil && s.seq < b.seq {
			return true
		}
	}
	return false
}

// leftAt is when an entry left the spool, at the latest, as the relay reckoned.
func (c *Checker) leftAt(x *entry) Wall {
	if x.control.erased != nil {
		return x.control.erased.reckoned()
	}
	return c.reckoned(c.now)
}
