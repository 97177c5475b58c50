package spec

// TRUE-REPORTS: what the relay records and reports, held against what servers
// did; and the half of NOTHING-LOST that can be judged at once.

// intent takes the relay's word that a dot is about to leave, leaves, or left
// a doubt behind.
func (c *Checker) intent(e *event) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	for _, to := range e.To {
		r := c.rcpt(m, to)
		switch e.Kind {
		case FactIntent:
			r.intent = e
			c.judgeIntended(m, r, e)
		case FactDot:
			c.judgeOneDot(r, e)
			r.dot, r.lastDot, r.gaveUp = e, e, nil
			if s := c.wire.sessions[e.Session]; s != nil && s.early != nil {
				r.early = s.early // which the server could not know to be about r
			}
		case FactDoubt:
			r.doubt, r.way.doubt = e, e
			r.saysOf(e)
		}
	}
}

// saysOf notes the relay's first word on what came of a dot.
func (r *rcpt) saysOf(e *event) {
	if r.gaveUp == nil {
		r.gaveUp = e
	}
}

// outcome takes the relay's word on what became of recipients.
func (c *Checker) outcome(e *event) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	for _, to := range e.To {
		r := c.rcpt(m, to)
		if r.state.Final() && e.State != r.state && !m.twins {
			c.violate(TrueReports, "changed "+r.name(), []*event{r.outcome, e},
				"the relay recorded %s as %s, and later as %s", r.name(), r.state, e.State)
			continue
		}
		c.belongs(r, e)
		switch e.State {
		case Delivered:
			c.judgeDelivered(r, e)
		case Failed:
			c.judgeFailed(r, e)
			c.judgeGivenUp(r, e)
			c.judgeEnded(r, e)
		case Unknown, Held:
			c.judgeDoubt(r, e)
			c.judgeEnded(r, e)
		case Parked:
			c.judgeUnanswered(r, e)
			c.judgeParked(r, e)
		case Deleted:
			c.judgeDeleted(r, e)
		case Queued:
			c.judgeUnanswered(r, e)
			c.judgeDeferred(r, e)
		}
		r.state, r.outcome = e.State, e
		r.saysOf(e)
		switch e.State {
		case Queued, Parked:
			r.intent, r.dot = nil, nil
		default:
			r.told.parked = nil // it waits for nothing, or for a decision
		}
		c.counts(r)
	}
}

// lied reports whether a server has said in the last attempt, before it had the
// whole message, what sounds as if it had accepted it.
func (c *Checker) lied(r *rcpt) bool {
	return r.begun != nil && max(r.earlyYes, c.marked(&c.wire.earlyYes, r)) > r.begun.seq
}

func (c *Checker) judgeDelivered(r *rcpt, e *event) {
	if c.peers && r.accepted == 0 && !c.lied(r) && !c.ordered(r, "delivered") {
		c.violate(TrueReports, "delivered "+r.name(), []*event{r.begun, e},
			"the relay recorded %s as delivered, but no server accepted it", r.name())
	}
}

func (c *Checker) judgeFailed(r *rcpt, e *event) {
	if r.doubtful != nil && r.accepted == 0 && r.given <= 1 {
		c.violate(TrueReports, "failed "+r.name(), []*event{r.doubtful, e},
			"the relay recorded %s as failed, though an earlier dot had left and nobody knows what came of it", r.name())
	}
	if r.accepted > 0 && r.given <= 1 {
		c.violate(TrueReports, "failed "+r.name(), []*event{r.first.at, e},
			"the relay recorded %s as failed, but %s accepted it", r.name(), r.first.at.Host)
	}
}

// judgeDoubt refuses a doubt where there was none: no dot left, or the answer
// to it must have been heard, or would have been. It refuses to hold what no
// policy holds.
func (c *Checker) judgeDoubt(r *rcpt, e *event) {
	policy := c.policy.InDoubtFor(r.dest)
	told := c.ordered(r, "report") || c.ordered(r, "bounce")
	if policy != DoubtHold && e.State == Held || policy == DoubtHold && e.State == Unknown && !told && !c.heeded(r, "retry", nil) {
		c.violate(TrueReports, "policy "+r.name(), []*event{r.begun, e},
			"the relay recorded %s as %s, though what is in doubt there is to be decided by %s", r.name(), e.State, policy)
	}
	if end, _ := c.expires(r); policy == DoubtRetry && e.State == Unknown && !told && !r.mail.twins && e.reckoned() < end &&
		!(c.believes && c.silent(r)) && !c.reason(r, e) {
		c.violate(TrueReports, "policy "+r.name(), []*event{r.begun, e},
			"the relay recorded %s as unknown %s before its lifetime ended, though what is in doubt there is to be sent again", r.name(), ago(end.Sub(e.reckoned())))
	}
	if r.doubtful != nil || r.unclear != nil {
		return // an earlier attempt left a doubt that nothing has cleared, or may have
	}
	if r.dot == nil && !c.stoppedSince(r.begun) && r.state != Held {
		c.violate(TrueReports, "undoubted "+r.name(), []*event{r.begun, r.intent, e},
			"the relay recorded %s as %s, but had sent no final dot, so nothing was in doubt", r.name(), e.State)
		return
	}
	if a := r.last; a != nil && r.state != Held && (r.dot == nil || a.at.seq > r.dot.seq) && c.window(r, a, e) == "" {
		why := "had accepted it and said so"
		if a.replied == nil {
			why = "had accepted it, and the relay did not wait for the answer"
		}
		c.violate(TrueReports, "known "+r.name(), []*event{a.at, a.replied, e},
			"the relay recorded %s as %s, but %s %s", r.name(), e.State, a.at.Host, why)
	}
	if no := r.dotNo; no != nil && r.dotNoHeard != nil && r.dot != nil && no.seq > r.dot.seq && r.accepted == 0 && !c.stoppedSince(no) &&
		no.At.Sub(r.dot.At) < c.policy.Timeouts.Dot-slack {
		c.violate(TrueReports, "known "+r.name(), []*event{r.dot, no, e},
			"the relay recorded %s as %s, but %s had answered the dot with %s", r.name(), e.State, no.Host, no.Reply)
	}
}

// judgeUnanswered judges a deferral after a dot that nobody refused: only a
// relay that is told to retry may send again what is in doubt.
func (c *Checker) judgeUnanswered(r *rcpt, e *event) {
	if r.begun != nil && r.doubt != nil && r.doubt.seq > r.begun.seq && c.stoppedBetween(r.begun, e) {
		r.doubtful = r.doubt // the crash may have hidden the dot
	}
	if r.dot == nil || r.dotNo != nil && r.dotNo.seq > r.dot.seq || r.earlyThere() || r.mail.twins || r.given > 1 {
		return
	}
	if max(r.blurred, c.marked(&c.wire.blurred, r)) > r.dot.seq {
		r.unclear = r.dot
		return // it is not known of which mail a server spoke
	}
	r.doubtful = r.dot
	if c.policy.InDoubtFor(r.dest) == DoubtRetry || c.decided(r, "retry", r.dot) || c.wire.lastPeer < r.dot.seq {
		return // or it is not known what the server said
	}
	c.violate(NeverTwice, "again "+r.name(), []*event{r.dot, e},
		"the relay will send %s again, though its final dot had left and no server refused it", r.name())
}

// earlyThere reports whether a server refused before it had the whole content, in
// the conversation in which the dot was sent: it may have been taken for the
// answer to the dot.
func (r *rcpt) earlyThere() bool {
	return r.early != nil && (r.dot.Session == "" || r.early.Session == r.dot.Session)
}

// judgeAcceptedLate judges an acceptance that comes after the relay gave up.
func (c *Checker) judgeAcceptedLate(r *rcpt, a *acceptance) {
	switch {
	case r.given > 1:
	case r.state == Failed:
		c.violate(TrueReports, "failed "+r.name(), []*event{r.outcome, a.at},
			"the relay recorded %s as failed, and %s accepted it afterwards", r.name(), a.at.Host)
	case r.seenAs != nil && r.seenAs.State != Unknown:
		c.violate(TrueReports, "failed "+r.name(), []*event{r.seenAs, a.at},
			"%s was reported as failed, and %s accepted it afterwards", r.name(), a.at.Host)
	}
}

// reportable reports whether somebody has to be told about r.
func (r *rcpt) reportable() bool { return r.state.Reportable() && !r.untold() && r.mail.from != "" }

// fated reports whether the fate of r is known to somebody: a server has the
// mail, or the sender is being told.
func (r *rcpt) fated() bool {
	return r.accepted > 0 || len(r.reports) > 0 || r.state == Delivered || (r.state.Final() && !r.reportable())
}

// settled reports whether nothing is left to do for r: for a relay that says
// what it believes, that it believes so; for another, what is true.
//
// What the end of a process may have hidden, is taken for done: if it is not,
// the relay will act on it, or the message is found left behind.
func (c *Checker) settled(r *rcpt) bool {
	// Last, for it looks at all that the spool holds.
	unsaid := func() bool { return !r.untold() && c.mute(r.mail.entry) }
	switch hushed, bounced := c.hushed(r), c.mutely(r, "bounce"); {
	case c.maybeOver(r), c.expiredMutely(r), hushed && r.fated() && !r.stillDoubted(), bounced && r.fated(), (hushed || bounced) && unsaid():
		return true
	case !r.state.Final() && (!c.believes || r.mail.entry.gone()):
		return r.fated()
	}
	return r.state.Final() && (!r.reportable() || len(r.reports) > 0 || unsaid())
}

// excused reports whether r waits for a person: held, parked, at a destination
// that is paused, or in a damaged entry.
func (c *Checker) excused(r *rcpt) bool {
	if r.mail.entry != nil && r.mail.entry.damaged != nil {
		return true
	}
	return r.told.ended == nil && (r.state == Held || c.maybeHeld(r) || c.parked(r) || c.waitsForResume(r))
}

// finishLost judges NOTHING-LOST at the end.
func (c *Checker) finishLost() {
	for _, m := range c.mail {
		for _, r := range m.rcpts {
			if r.owed && !c.excused(r) {
				c.judgeLost(m, r)
			}
			c.judgeTwinLost(m, r)
		}
	}
}

// judgeTwinLost judges a mail that was submitted more than once under one
// Message-ID: each submission that was acknowledged has a fate of its own.
func (c *Checker) judgeTwinLost(m *mail, r *rcpt) {
	fates := r.accepted + len(r.reports)
	if r.acked < 2 || fates >= r.acked || r.untold() || c.heeded(r, "delivered", nil) || c.heeded(r, "delete", nil) || c.excused(r) || !c.disk {
		return
	}
	for _, x := range c.spool.order {
		if x.mail == m && (!x.gone() || c.recent(x.control.erased) || c.maybeReported(x)) {
			return
		}
	}
	c.violate(NothingLost, "lost "+r.name(), []*event{m.acknowledged, r.lastAccepted()},
		"%s is lost: it was acknowledged %d times, and only %d of them came to anything", r.name(), r.acked, fates)
}

// absent reports whether the spool never held m, as far as that is known.
func (c *Checker) absent(m *mail) bool {
	if m.entry == nil {
		return c.disk || !c.believes
	}
	return c.disk && m.entry.control.since == nil
}

func (c *Checker) judgeLost(m *mail, r *rcpt) {
	facts := []*event{m.acknowledged, m.queued, r.begun, r.outcome}
	lost := func(why string) {
		c.violate(NothingLost, "lost "+r.name(), facts, "%s is lost: %s", r.name(), why)
	}
	x := m.entry
	switch {
	case x != nil && c.recent(x.control.erased), c.recent(r.outcome):
	case m.submit == nil && m.queued == nil && m.report == nil: // nobody said who is to be told
	case r.reportable() && len(r.reports) == 0:
		if (x == nil && c.ended) || (x.gone() && !c.maybeReported(x)) {
			lost("it is " + r.state.String() + ", and the sender was never told")
		}
	case r.fated(), c.maybeOver(r), !c.believes && r.untold() && c.deniable(r):
	case x.gone():
		if !c.maybeReported(x) {
			facts = append(facts, x.control.erased)
			lost("it left the spool, and no server accepted it, and nobody was told")
		}
	case !c.ended || c.told[tale{AcceptDurable, m.id}]:
	case c.absent(m):
		lost("no server accepted it, nobody was told, and it is not in the spool")
	}
}
