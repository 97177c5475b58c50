package spec

import (
	"slices"
	"time"
)

// CLEAN-EXACTLY and ACCEPT-DURABLE: what the disk holds.

// A spoolBook holds what the disk says of the spool.
type spoolBook struct {
	entries map[QueueID]*entry
	// left are those of which something went since a process started.
	left  []*entry
	order []*entry
	// leaving are entries that were erased while it was not yet clear that
	// every recipient has its fate: the report comes in the same batch.
	leaving []*entry
	// hasty are 250s given before the disk was heard of at all.
	hasty []*event
	// keeping is the crash after which the disk says what it kept.
	keeping *event
	// detailed is true when the disk speaks of intents, or of sizes: in traces
	// from before it did, nothing follows from its silence. intends is true
	// when the relay speaks of intents, too.
	detailed, intends bool
}

// An entry is what the spool holds under one queue ID.
type entry struct {
	queue         QueueID
	mail          *mail
	control, body presence
	// intent is the mark that a dot of the message may have left.
	intent  presence
	damaged *event
	// hollow: the content is not whole any more, and may not be said to be gone.
	// What the relay owes the recipients it owes them all the same.
	hollow bool
}

// A presence says whether one of the two parts of an entry is there.
type presence struct {
	// since is the fact that it exists, erased that it is gone.
	since, erased *event
	// kept is true when it was found after the last crash.
	kept bool
	// vanished is true when a crash kept a removal that nobody had heard of.
	vanished bool
	// size is how many bytes of a body there are; 0 is unknown.
	size int64
}

func (p *presence) there() bool { return p.since != nil && p.erased == nil && !p.vanished }

// gone reports whether the message was in the spool and has left it.
func (x *entry) gone() bool {
	return x != nil && x.damaged == nil && x.control.since != nil && !x.control.there()
}

// entry returns the entry of a queue ID, which is made when it is new.
func (s *spoolBook) entry(q QueueID) *entry {
	x := s.entries[q]
	if x == nil {
		x = &entry{queue: q}
		s.entries[q] = x
		s.order = append(s.order, x)
	}
	return x
}

// stored takes the facts of the disk.
func (c *Checker) stored(e *event) {
	if e.Queue == "" || (e.Text != "control" && e.Text != "body" && e.Text != "intent") {
		return
	}
	c.spool.detailed = c.spool.detailed || e.Text == "intent" || e.Count > 0
	for _, hasty := range c.spool.hasty {
		c.judgeDurable(c.message(hasty.Message), hasty)
	}
	c.spool.hasty = nil
	x := c.spool.entry(e.Queue)
	p := &x.control
	switch e.Text {
	case "body":
		p = &x.body
	case "intent":
		x.mark(e)
		return
	}
	switch e.Kind {
	case FactStored:
		if grown := p.there() && e.Count > p.size; p.since != nil && !p.vanished && !grown {
			c.violate(CleanExactly, "again "+string(e.Queue)+e.Text, []*event{p.since, p.erased, e},
				"the %s entry of %s was stored a second time", e.Text, x.name())
		}
		*p = presence{since: e, size: e.Count}
	case FactErased:
		c.judgeLeftLate(x, e)
		p.erased = e
		if x.damaged == nil {
			c.spool.leaving = append(c.spool.leaving, x)
			c.spool.left = append(c.spool.left, x)
		}
	case FactKept:
		if p.erased != nil {
			c.violate(CleanExactly, "back "+string(e.Queue)+e.Text, []*event{p.erased, e},
				"the %s entry of %s is back after the crash, though it was gone for good", e.Text, x.name())
		}
		if !p.there() {
			*p = presence{since: e}
		}
		p.kept, p.size = true, e.Count
	}
}

// mark takes what the disk says of an intent, which comes and goes with every
// transaction.
func (x *entry) mark(e *event) {
	switch e.Kind {
	case FactErased:
		x.intent.erased = e
	case FactKept:
		x.intent.kept = true
	default:
		x.intent = presence{since: e}
	}
}

// whole reports whether the spool holds all of the body of m, as far as that
// is known: the relay stores no less than was submitted.
func (x *entry) whole(m *mail) bool {
	return x.body.since != nil && (m.size == 0 || x.body.size == 0 || x.body.size >= m.size)
}

// promptRemoval is how soon a message leaves the spool when all is done.
const promptRemoval = 10 * time.Second

// judgeLeftLate judges a removal that was long due.
func (c *Checker) judgeLeftLate(x *entry, e *event) {
	if x.mail == nil || x.mail.entry != x || x.damaged != nil || e.Text != "control" || x.mail.twins || !c.allSettled(x.mail) {
		return
	}
	for _, r := range x.mail.rcpts {
		if r.owed && !r.state.Final() {
			return // with the removal the relay tells what became of it
		}
	}
	last := x.mail.latest()
	if last != nil && e.At.Sub(last.At) > promptRemoval && !c.stoppedSince(last) {
		c.violate(CleanExactly, "left "+string(x.queue), []*event{last, e},
			"%s stayed in the spool for %s after every recipient was final", x.name(), ago(e.At.Sub(last.At)))
	}
}

// name names the entry in a sentence.
func (x *entry) name() string {
	if x.mail == nil {
		return string(x.queue)
	}
	return x.mail.id + " (" + string(x.queue) + ")"
}

// settle judges removals once the instant of their batch is over, and those
// that wait for a word about a new entry, which may be the report.
func (c *Checker) settle(end bool) {
	if len(c.spool.leaving) == 0 {
		return
	}
	c.spool.leaving = slices.DeleteFunc(c.spool.leaving, func(x *entry) bool {
		if x.damaged != nil || x.mail == nil || x.mail.entry != x || x.control.since == nil {
			return true
		}
		if end && (c.recent(x.control.erased) || c.recent(x.body.erased)) {
			return true
		}
		return c.left(x, end)
	})
}

// left judges one removal, and reports whether nothing is open about it.
func (c *Checker) left(x *entry, end bool) bool {
	facts := []*event{x.mail.acknowledged, x.mail.queued, x.control.since, x.body.erased, x.control.erased}
	open := false
	for _, r := range x.mail.rcpts {
		switch {
		case !r.owed || r.fated() || c.maybeOver(r):
		case x.control.there():
			c.violate(CleanExactly, "body "+string(x.queue), facts,
				"the body of %s was removed while %s was not final", x.name(), r.address)
		case r.untold() || r.mail.from == "" || c.maybeReported(x):
			open = true // finishLost judges it, if nothing more is heard
		case r.reportable():
			c.violate(NothingLost, "lost "+r.name(), append(facts, r.outcome),
				"%s is %s, but %s was removed from the spool and no report was stored", r.address, r.state, x.name())
		default:
			c.violate(CleanExactly, "early "+r.name(), facts,
				"%s was removed from the spool while %s was not final", x.name(), r.address)
		}
	}
	return !open || end
}

// maybeReported reports whether an entry of which nobody has spoken may be the
// report that the removal of x made due: one stored no later.
func (c *Checker) maybeReported(x *entry) bool {
	if x.control.erased == nil {
		return x.control.vanished
	}
	if c.mute(x) {
		return true
	}
	if c.finished && !c.cutShort(x.control.erased) {
		return false // the relay lived on, and would have said so
	}
	return slices.ContainsFunc(c.spool.order, func(y *entry) bool {
		return y != x && y.nameless() && y.control.since != nil && y.control.since.At <= x.control.erased.At
	})
}

// nameless reports whether nobody has said what the entry is.
func (x *entry) nameless() bool {
	return x.mail == nil || x.mail.submit == nil && x.mail.queued == nil && x.mail.report == nil
}

// mute reports whether an entry may be the report on x that a process stored
// and had no time to speak of. The next one only delivers it. It was stored no
// later than x was removed, and is not seen to be on something else.
func (c *Checker) mute(x *entry) bool {
	return slices.ContainsFunc(c.spool.order, func(y *entry) bool {
		since := y.control.since
		if y == x || since == nil || !y.nameless() || since.Kind != FactKept && !c.cutShort(since) {
			return false
		}
		late := x != nil && x.control.erased != nil && since.At > x.control.erased.At
		return !late && (x == nil || y.mail == nil || y.mail.about == nil || y.mail.about == x.mail)
	})
}

// judgeDurable judges a 250 that the submitter read.
func (c *Checker) judgeDurable(m *mail, e *event) {
	if !c.disk {
		c.spool.hasty = keepLast(c.spool.hasty, e)
		return
	}
	durable := func(x *entry) bool { return x.control.since != nil && x.whole(m) }
	if m.entry != nil {
		if durable(m.entry) && m.entry.control.since.seq < e.seq && m.entry.body.since.seq < e.seq {
			return
		}
	} else if slices.ContainsFunc(c.spool.order, func(x *entry) bool {
		return x.mail == nil && durable(x) && x.control.since.seq < e.seq && x.body.since.seq < e.seq
	}) {
		return // a relay that does not say which entry is which
	}
	facts := []*event{m.submit, e}
	if m.entry != nil {
		facts = append(facts, m.entry.control.since, m.entry.body.since)
	}
	c.violate(AcceptDurable, m.id, facts, "the relay acknowledged %s before it was stored: power loss would lose it", m.id)
}

// crashed begins to listen to what the disk kept.
func (c *Checker) crashed(e *event) {
	c.judgeKept()
	if !c.disk {
		return
	}
	c.spool.keeping = e
	for _, x := range c.spool.order {
		x.control.kept, x.body.kept, x.intent.kept = false, false, false
	}
}

// judgeKept compares what a crash kept with what had to be there.
func (c *Checker) judgeKept() {
	crash := c.spool.keeping
	if crash == nil {
		return
	}
	c.spool.keeping = nil
	for _, x := range c.spool.order {
		if x.damaged != nil {
			continue
		}
		c.judgeMissing(x, crash)
		if x.intent.there() && !x.intent.kept {
			x.intent.vanished = true
		}
		if x.control.there() && !x.control.kept {
			x.control.vanished = true
			c.spool.left = append(c.spool.left, x)
		}
		if x.body.there() && !x.body.kept {
			x.body.vanished = true
		}
	}
	c.countsGone()
}

// judgeMissing judges an entry that a crash did not keep. It may rightly be
// gone, when the crash kept a removal that the old process had begun; then
// every recipient has its fate.
func (c *Checker) judgeMissing(x *entry, crash *event) {
	control, body := x.control.there() && !x.control.kept, x.body.there() && !x.body.kept
	if x.mail != nil && x.body.kept && !x.whole(x.mail) {
		body = true // a part of it is none
	}
	if (!control && (!body || x.hollow)) || x.mail == nil || x.mail.acknowledged == nil || x.mail.entry != x {
		return
	}
	if !control && x.control.there() {
		c.violate(AcceptDurable, x.mail.id, []*event{x.body.since, x.mail.acknowledged, crash}, "the crash took the body of %s, which was acknowledged", x.mail.id)
		return
	}
	for _, r := range x.mail.rcpts {
		if r.owed && !r.fated() && !c.maybeFated(r, x) && !c.maybeOver(r) {
			c.violate(AcceptDurable, x.mail.id, []*event{x.control.since, x.mail.acknowledged, crash},
				"the crash took %s, which was acknowledged and not yet delivered to %s", x.mail.id, r.address)
			return
		}
	}
}

// maybeFated reports whether an entry that nobody has spoken of may be the
// report on r.
func (c *Checker) maybeFated(r *rcpt, x *entry) bool {
	ends := r.attempts > 0 || c.lapsed(r) || c.putOffTillEnd(r)
	return !r.untold() && (ends || c.mutely(r, "bounce")) && slices.ContainsFunc(c.spool.order, func(y *entry) bool {
		return y != x && y.nameless() && y.control.kept
	}) || (r.untold() && ends)
}

// grace is how long before its end a history that ends in the middle is not
// judged for what had yet to follow.
const grace = time.Minute

// recent reports whether what follows from e may be missing only because the
// history ends in the middle. No fact at all has nothing to follow.
func (c *Checker) recent(e *event) bool {
	return e != nil && !c.ended && c.now.Sub(e.At) <= grace
}

// finishSpool judges what is in the spool at the end.
func (c *Checker) finishSpool() {
	for _, x := range c.spool.order {
		if x.damaged != nil {
			continue
		}
		control, body := x.control.there(), x.body.there()
		switch {
		case control && x.mail != nil && c.allSettled(x.mail):
			if last := x.mail.latest(); last != nil && !c.recent(last) {
				c.violate(CleanExactly, "left "+string(x.queue), []*event{x.control.since, last},
					"%s is still in the spool, though every recipient is final", x.name())
			}
		case control && !body && !x.hollow && !c.recent(x.control.since) && !c.recent(x.body.erased):
			if !c.told[tale{CleanExactly, "body " + string(x.queue)}] {
				c.violate(CleanExactly, "half "+string(x.queue), []*event{x.control.since, x.body.erased},
					"the spool holds the control entry of %s without its body", x.name())
			}
		case body && !control && !x.hollow && !c.recent(x.body.since) && !c.recent(x.control.erased):
			c.violate(CleanExactly, "half "+string(x.queue), []*event{x.body.since, x.control.erased},
				"the spool holds the body of %s without its control entry", x.name())
		}
		if x.intent.there() && !control && !c.recent(x.intent.since) && !c.recent(x.control.erased) {
			c.violate(CleanExactly, "intent "+string(x.queue), []*event{x.intent.since, x.control.erased},
				"the spool holds an intent of %s, which has left it", x.name())
		}
		if x.mail != nil && x.mail.entry == x {
			c.judgeUnrecorded(x)
		}
	}
}

// allSettled reports whether nothing is left to do for any recipient of m.
func (c *Checker) allSettled(m *mail) bool {
	owed := 0
	for _, r := range m.rcpts {
		if !r.owed && c.unheardOf(r) {
			return false
		}
		if !r.owed {
			continue
		}
		owed++
		if c.excused(r) || !c.settled(r) {
			return false
		}
	}
	return owed > 0
}

// latest returns the last thing that settled a recipient of m.
func (m *mail) latest() *event {
	var last *event
	for _, r := range m.rcpts {
		for _, e := range [...]*event{r.outcome, r.reported, r.lastAccepted()} {
			if e != nil && (last == nil || e.seq > last.seq) {
				last = e
			}
		}
	}
	return last
}

func (r *rcpt) lastAccepted() *event {
	if r.last == nil {
		return nil
	}
	return r.last.at
}

// judgeUnrecorded finds a message that was removed although the relay did not
// know what became of a recipient: that it was accepted was luck.
func (c *Checker) judgeUnrecorded(x *entry) {
	gone := x.control.erased
	if gone == nil || !c.believes || c.recent(gone) || c.cutShort(gone) {
		return // or it may have known, and was stopped before it said so
	}
	for _, r := range x.mail.rcpts {
		hidden := c.hushed(r) && c.stoppedBetween(r.begun, gone) || c.decidedMutely(r) || c.expiredMutely(r)
		if r.owed && r.fated() && !r.state.Final() && r.begun != nil && !hidden {
			c.violate(CleanExactly, "early "+r.name(), []*event{r.begun, r.outcome, r.lastAccepted(), gone},
				"%s was removed before the relay had recorded what became of %s", x.name(), r.address)
		}
	}
}
