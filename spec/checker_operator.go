package spec

import (
	"slices"
	"strings"
)

// What operators tell the relay to do: what it licenses, and what it binds the
// relay to once the relay has said that it is done.

// orders are what operators said of a recipient.
type orders struct {
	// again is when one told the relay to attempt, in any of the words for that.
	again *event
	// said are the words that were said.
	said map[string]order
	// parked is the answer that no attempt begins any more, nil when one may;
	// ended the answer that it is bounced or deleted.
	parked, ended *event
}

// An order is a word: each time that it was said and not answered, the latest
// few. Several operators may speak at the same time. done is when it was said
// that was answered last, and done. vain are those that a process answered with a
// no because its disk had failed under it.
type order struct {
	open, vain []*event
	done       *event
}

var orderWords = [...]string{"retry", "delivered", "report", "hold", "release", "retry-now", "bounce", "delete", reroute}

// about calls f for the recipients that a fact about an operator means.
func (c *Checker) about(e *event, f func(*rcpt)) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	for _, to := range e.To {
		f(c.rcpt(m, to))
	}
	if len(e.To) == 0 {
		for _, r := range m.rcpts {
			f(r)
		}
	}
}

// operator takes an operator's word.
func (c *Checker) operator(e *event) {
	if e.Dest != "" {
		c.pausing(e)
		return
	}
	words := strings.Fields(e.Text)
	c.about(e, func(r *rcpt) {
		t := &r.told
		if has(words, "retry") || has(words, "release") || has(words, "retry-now") {
			t.again = e
		}
		for _, w := range orderWords {
			if !has(words, w) {
				continue
			}
			if t.said == nil {
				t.said = map[string]order{}
			}
			o := t.said[w]
			o.open = keepLast(o.open, e)
			t.said[w] = o
		}
	})
}

// operated takes the relay's answer to an operator.
func (c *Checker) operated(e *event) {
	if e.Dest != "" {
		c.paused(e)
		return
	}
	words := strings.Fields(e.Text)
	c.about(e, func(r *rcpt) {
		t := &r.told
		for _, w := range orderWords {
			if o := t.said[w]; has(words, w) && len(o.open) > 0 {
				t.said[w] = c.answered(o, e)
			}
		}
		if e.Reply != "" || r.state.Final() || r.mail.twins {
			return
		}
		switch {
		case has(words, "retry"), has(words, "release"):
			t.parked = nil
		case has(words, "hold") && r.state != Held && !c.stillOpen(t.said["release"]):
			t.parked = e
		case has(words, "bounce"), has(words, "delete"):
			t.ended = e
		case has(words, reroute):
			c.rerouted(r, e)
		}
		c.counts(r)
	})
}

// answered takes the answer to a word: to the first that was said to the process
// that gives it.
func (c *Checker) answered(o order, e *event) order {
	i := slices.IndexFunc(o.open, func(said *event) bool { return !c.stoppedSince(said) && said.Text == e.Text })
	if i < 0 {
		i = slices.IndexFunc(o.open, func(said *event) bool { return !c.stoppedSince(said) })
	}
	if i < 0 {
		i = len(o.open) - 1
	}
	switch {
	case e.Reply == "":
		o.done = o.open[i]
	case c.halt != nil && o.open[i].seq < c.halt.seq:
		o.vain = keepLast(o.vain, o.open[i])
	}
	o.open = slices.Delete(o.open, i, i+1)
	return o
}

// stillOpen reports whether the process that runs was told a word, and has not
// answered.
func (c *Checker) stillOpen(o order) bool {
	return slices.ContainsFunc(o.open, func(said *event) bool { return said.seq > c.clock.start && !c.stoppedSince(said) })
}

// unanswered reports whether a word may be carried out that ok is true of: it has
// no answer, or the process had to halt on it and ended, however long that took.
// Its disk may have kept what it was told all the same.
func (c *Checker) unanswered(o order, ok func(said *event) bool) bool {
	return slices.ContainsFunc(o.open, ok) ||
		slices.ContainsFunc(o.vain, func(said *event) bool { return c.stoppedSince(said) && ok(said) })
}

// decided reports whether an operator decided so on r after the fact since, and
// the relay has not answered.
func (c *Checker) decided(r *rcpt, decision string, since *event) bool {
	return c.unanswered(r.told.said[decision], func(said *event) bool { return since == nil || said.seq > since.seq })
}

// heeded reports whether the relay has done what an operator said of r after the
// fact since, or may be doing it.
func (c *Checker) heeded(r *rcpt, word string, since *event) bool {
	done := r.told.said[word].done
	return done != nil && (since == nil || done.seq > since.seq) || c.decided(r, word, since)
}

// ordered reports whether the relay may be doing what an operator said, or have
// done it without a word: it has not answered, and since a process ended that was
// told, nothing was heard of r.
func (c *Checker) ordered(r *rcpt, word string) bool {
	return c.unanswered(r.told.said[word], func(said *event) bool { return c.unheard(r, said) })
}

// mutely reports whether the relay may have done what an operator said, and its
// process ended before it could say so.
func (c *Checker) mutely(r *rcpt, word string) bool {
	return c.unanswered(r.told.said[word], func(said *event) bool { return c.unheard(r, said) && c.stoppedSince(said) })
}

// unheard reports whether nothing was heard of r since a process ended that was
// told something.
func (c *Checker) unheard(r *rcpt, said *event) bool {
	return !c.stoppedBetween(said, r.outcome) && !c.stoppedBetween(said, r.begun)
}

// bounced reports whether an outcome may be what an operator wanted: it is not
// that of an attempt.
func (c *Checker) bounced(r *rcpt, e *event) bool {
	return c.ordered(r, "bounce") && !c.attempted(r, e)
}

// attempted reports whether an outcome is that of the last attempt. Its name is
// unique within a process.
func (c *Checker) attempted(r *rcpt, e *event) bool {
	return r.begun != nil && e.Job != "" && e.Job == r.begun.Job && !c.stoppedSince(r.begun)
}

// parked reports whether r waits until an operator releases it.
func (c *Checker) parked(r *rcpt) bool {
	return r.job == nil && !r.state.Final() && (r.state == Parked || r.told.parked != nil || c.mutely(r, "hold"))
}

// judgeOrdered judges the beginning of an attempt by what operators said; it
// reports whether there is anything to say.
func (c *Checker) judgeOrdered(r *rcpt, e *event) bool {
	about := r.name() + " " + e.Job
	switch t := &r.told; {
	case t.ended != nil:
		c.violate(RetryOnTime, about, []*event{t.ended, e},
			"the relay began an attempt for %s, though it had told an operator that this is done: %s", r.name(), t.ended.Text)
	case t.parked != nil && !c.decided(r, "release", t.parked) && !c.decided(r, "retry", t.parked):
		c.violate(RetryOnTime, about, []*event{r.outcome, t.parked, e}, "the relay began an attempt for %s, which an operator had parked", r.name())
	case r.state == Parked && !c.ordered(r, "release"):
		c.violate(RetryOnTime, about, []*event{r.outcome, e}, "the relay began an attempt for %s, which is parked", r.name())
	default:
		return false
	}
	return true
}

// hold reports whether the relay last told an operator that r is on hold, and not
// that it is released. A retry of what is held elsewhere in the message is neither.
func (t *orders) hold() bool {
	held, released := t.said["hold"].done, t.said["release"].done
	return held != nil && (released == nil || released.seq < held.seq)
}

// judgeParked judges that r is parked, and that it will be sent again once it is
// released.
func (c *Checker) judgeParked(r *rcpt, e *event) {
	if c.peers && !r.mail.twins && r.state != Parked && !r.told.hold() && !c.ordered(r, "hold") {
		c.violate(RetryOnTime, "parked "+r.name(), []*event{r.begun, e}, "the relay parked %s, though no operator told it to", r.name())
	}
	if c.attempted(r, e) {
		r.defers++
		c.setsBack(r, e)
	}
	r.due = max(r.due, e.Due)
}

// judgeMovedUp judges the new due time of what an operator released or wants
// attempted now; it was due before, or as soon as soonest after the clock was set.
// It reports false when that is not why it is said.
func (c *Checker) judgeMovedUp(r *rcpt, e *event, before, soonest Wall) bool {
	release, now := c.ordered(r, "release"), c.ordered(r, "retry-now")
	if e.Job != "" || !release && !now {
		return false
	}
	latest := e.reckoned()
	if _, end := c.expires(r); latest >= end {
		latest = max(latest, end.Add(1)) // for one attempt more
	}
	if !now && r.state == Parked && e.Due < soonest {
		c.violate(RetryOnTime, "released "+r.name(), []*event{r.outcome, e},
			"the relay released %s, and made it due %s earlier than it was", r.name(), ago(soonest.Sub(e.Due)))
	}
	if release { // it may be all that was done
		latest = max(latest, before)
	}
	if !now && r.begun != nil && c.stoppedSince(r.begun) && (r.outcome == nil || r.outcome.seq < r.begun.seq) {
		latest = max(latest, r.begun.Due) // of that attempt the spool knows nothing
	}
	if e.Due > latest && !c.stillOpen(r.told.said["release"]) && !c.stillOpen(r.told.said["retry-now"]) {
		return false // the process that was told ended, and the next one found something else
	}
	if e.Due > latest {
		c.violate(RetryOnTime, "moved "+r.name()+e.Due.String(), []*event{r.told.again, e},
			"an operator wants %s attempted, and the relay made it due %s too late", r.name(), ago(e.Due.Sub(latest)))
	}
	return true
}

// judgeEnded judges that r fails or ends as unknown, by what operators said.
// What is parked does not end by itself; in the end of an attempt it may.
func (c *Checker) judgeEnded(r *rcpt, e *event) {
	attempted := r.begun != nil && (r.outcome == nil || r.begun.seq > r.outcome.seq)
	if r.state == Parked && !attempted && !r.mail.twins && !c.bounced(r, e) && !c.ordered(r, "release") {
		c.violate(RetryOnTime, "ended "+r.name(), []*event{r.outcome, e}, "the relay gave up on %s, which is parked", r.name())
	}
}

// judgeDeleted judges that r ends and nobody is told.
func (c *Checker) judgeDeleted(r *rcpt, e *event) {
	if c.peers && !r.mail.twins && !c.ordered(r, "delete") {
		c.violate(NothingLost, "deleted "+r.name(), []*event{r.outcome, r.begun, e}, "the relay deleted %s, though no operator told it to", r.name())
	}
}
