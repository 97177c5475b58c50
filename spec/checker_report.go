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
		case FactDot:
			r.dot = e
		case FactDoubt:
			r.doubt = e
		}
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
		switch e.State {
		case Delivered:
			c.judgeDelivered(r, e)
		case Failed:
			c.judgeFailed(r, e)
			c.judgeGivenUp(r, e)
		case Unknown, Held:
			c.judgeDoubt(r, e)
		case Queued:
			c.judgeDeferred(r, e)
		}
		r.state, r.outcome = e.State, e
		if e.State == Queued {
			r.intent, r.dot = nil, nil
		}
	}
}

func (c *Checker) judgeDelivered(r *rcpt, e *event) {
	if c.peers && r.accepted == 0 && !r.decided("delivered", nil) {
		c.violate(TrueReports, "delivered "+r.name(), []*event{r.begun, e},
			"the relay recorded %s as delivered, but no server accepted it", r.name())
	}
}

func (c *Checker) judgeFailed(r *rcpt, e *event) {
	if r.accepted > 0 && r.given <= 1 {
		c.violate(TrueReports, "failed "+r.name(), []*event{r.first.at, e},
			"the relay recorded %s as failed, but %s accepted it", r.name(), r.first.at.Host)
	}
}

// judgeDoubt refuses a doubt where there was none: no dot left, or the
// answer to it must have been heard.
func (c *Checker) judgeDoubt(r *rcpt, e *event) {
	if r.dot == nil && !c.stoppedSince(r.begun) && r.state != Held {
		c.violate(TrueReports, "undoubted "+r.name(), []*event{r.begun, r.intent, e},
			"the relay recorded %s as %s, but had sent no final dot, so nothing was in doubt", r.name(), e.State)
		return
	}
	if a := r.last; a != nil && (r.dot == nil || a.at.seq > r.dot.seq) && c.window(r, a, e.seq) == "" {
		c.violate(TrueReports, "known "+r.name(), []*event{a.at, a.replied, e},
			"the relay recorded %s as %s, but %s had accepted it and said so", r.name(), e.State, a.at.Host)
	}
	if no := r.dotNo; no != nil && r.dotNoHeard != nil && r.dot != nil && no.seq > r.dot.seq && r.accepted == 0 && !c.stoppedSince(no) &&
		no.At.Sub(r.dot.At) < c.policy.Timeouts.Dot-slack {
		c.violate(TrueReports, "known "+r.name(), []*event{r.dot, no, e},
			"the relay recorded %s as %s, but %s had answered the dot with %s", r.name(), e.State, no.Host, no.Reply)
	}
}

// stoppedSince reports whether a process ended after the fact e; when there is
// no such fact, whether one ever did.
func (c *Checker) stoppedSince(e *event) bool {
	n := len(c.stops)
	return n > 0 && (e == nil || c.stops[n-1].seq > e.seq)
}

// hushed reports whether the relay may have recorded what came of the last
// attempt for r without a word: its process ended before it could say so.
func (c *Checker) hushed(r *rcpt) bool {
	return r.begun != nil && (r.outcome == nil || r.outcome.seq < r.begun.seq) && c.stoppedSince(r.begun)
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

// report takes the relay's word that a report is stored.
func (c *Checker) report(e *event) {
	m := c.mailOf(e)
	about := c.spool.entries[QueueID(e.Text)]
	if m != nil {
		m.report = e
		c.sender(m, nullSender)
		if e.From != "" && e.From != nullSender {
			c.rcpt(m, e.From).owed = true
		}
	}
	if about == nil || about.mail == nil {
		return
	}
	if x := c.spool.entries[e.Queue]; x != nil && x.control.since != nil && about.control.erased != nil &&
		x.control.since.At > about.control.erased.At {
		c.violate(CleanExactly, "report late "+about.mail.id, []*event{about.control.erased, x.control.since, e},
			"%s was removed before the report on it was stored", about.mail.id)
	}
	if x := c.spool.entries[e.Queue]; c.disk && (x == nil || x.control.since == nil) {
		c.violate(NothingLost, "report "+e.Message, []*event{about.control.erased, e},
			"the relay says that the report %s on %s is stored, but the disk does not hold it", e.Queue, about.name())
		return
	}
	for _, to := range e.To {
		c.reportOn(c.rcpt(about.mail, to), e, e.Message)
	}
}

// reportSeen takes a report that arrived at a server.
func (c *Checker) reportSeen(e *event) {
	if e.Text == "" || (e.Reply != "failed" && e.State != Failed && e.State != Unknown) {
		return // a delay, a success, or nothing that we can tell
	}
	m := c.message(e.Text)
	for _, to := range e.To {
		r := c.rcpt(m, to)
		r.seen++
		if r.seenAs == nil {
			r.seenAs = e
		}
		c.reportOn(r, e, e.Message)
		if e.State != Unknown && r.accepted > 0 && r.given <= 1 {
			c.violate(TrueReports, "failed "+r.name(), []*event{r.first.at, e},
				"%s was reported as failed, but %s had accepted it", r.name(), r.first.at.Host)
		}
	}
}

// reportOn counts a report on r. The same report may be met several times: it
// is stored, and seen by the server that accepts it.
func (c *Checker) reportOn(r *rcpt, e *event, id string) {
	if r.mail.null() {
		c.violate(NothingLost, "null "+r.name(), []*event{r.mail.submit, e},
			"%s was reported to the null sender, to which nothing is ever reported", r.name())
	}
	again := id != "" && has(r.reports, id)
	stored := e.Kind == FactReport && r.reported != nil && r.reported.Kind == FactReport
	if again && !(stored && r.reported.Queue != e.Queue) {
		return
	}
	if len(r.reports) >= r.allowed() {
		c.violate(NothingLost, "reported "+r.name(), []*event{r.reported, e}, "%s was reported more than once", r.name())
		return
	}
	r.reports = append(r.reports, id)
	r.reported = e
}

// reportable reports whether somebody has to be told about r.
func (r *rcpt) reportable() bool { return r.state.Reportable() && !r.mail.null() && r.mail.from != "" }

// fated reports whether the fate of r is known to somebody: a server has the
// mail, or the sender is being told.
func (r *rcpt) fated() bool {
	return r.accepted > 0 || len(r.reports) > 0 || r.state == Delivered || (r.state.Final() && !r.reportable())
}

// settled reports whether nothing is left to do for r: for a relay that says
// what it believes, that it believes so; for another, what is true.
func (c *Checker) settled(r *rcpt) bool {
	if !r.state.Final() && (!c.believes || r.mail.entry.gone()) {
		return r.fated()
	}
	return r.state.Final() && (!r.reportable() || len(r.reports) > 0)
}

// excused reports whether r waits for a person: held, or in a damaged entry.
func (c *Checker) excused(r *rcpt) bool {
	return r.state == Held || c.maybeHeld(r) || (r.mail.entry != nil && r.mail.entry.damaged != nil)
}

// maybeHeld reports whether r may be held, although the relay never said so:
// its process ended when it was about to, and the next one, when it was ready,
// had not taken it up.
func (c *Checker) maybeHeld(r *rcpt) bool {
	return c.hushed(r) && r.doubt != nil && r.doubt.seq > r.begun.seq && r.doubt.Text == DoubtHold.String() &&
		c.stoppedSince(r.doubt) && c.fair.last > r.doubt.seq
}

// finishLost judges NOTHING-LOST at the end.
func (c *Checker) finishLost() {
	for _, m := range c.mail {
		for _, r := range m.rcpts {
			if r.owed && !c.excused(r) {
				c.judgeLost(m, r)
			}
		}
	}
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
	case r.reportable() && len(r.reports) == 0:
		if (x == nil && c.ended) || (x.gone() && !c.maybeReported(x)) {
			lost("it is " + r.state.String() + ", and the sender was never told")
		}
	case r.fated(), m.null() && c.hushed(r):
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
