package spec

import "cmp"

// Reports: that there is one, that it goes to the sender, and that it says
// what was recorded.

// report takes the relay's word that a report is stored.
func (c *Checker) report(e *event) {
	m := c.mailOf(e)
	about := c.spool.entries[QueueID(e.Text)]
	if m != nil {
		if m.report == nil || e.State == 0 {
			m.report = e
		}
		for _, to := range e.To {
			if to = canonical(to); !has(m.names, to) {
				m.names = append(m.names, to)
			}
		}
		c.sender(m, nullSender)
		if e.From != "" && e.From != nullSender {
			c.rcpt(m, e.From).owed = true
		}
	}
	if about == nil || about.mail == nil {
		return
	}
	x := c.spool.entries[e.Queue]
	if x != nil && x.control.since != nil && about.control.erased != nil && x.control.since.At > about.control.erased.At {
		c.violate(CleanExactly, "report late "+about.mail.id, []*event{about.control.erased, x.control.since, e},
			"%s was removed before the report on it was stored", about.mail.id)
	}
	if c.disk && (x == nil || x.control.since == nil) {
		c.violate(NothingLost, "report "+e.Message, []*event{about.control.erased, e},
			"the relay says that the report %s on %s is stored, but the disk does not hold it", e.Queue, about.name())
		return
	}
	if m != nil {
		m.about = about.mail
	}
	c.judgeAddressee(about.mail, e.From, e)
	for _, to := range e.To {
		r := c.rcpt(about.mail, to)
		if e.State == Queued || e.State == Delivered {
			c.notice(r, e, e.State, e.Message)
			continue
		}
		if r.outcome != nil && !r.state.Reportable() && !about.mail.twins {
			c.violate(TrueReports, "reported "+r.name(), []*event{r.outcome, e},
				"the relay stored a report on %s, which it had recorded as %s", r.name(), r.state)
		}
		c.reportOn(r, e, e.Message)
	}
}

// judgeAddressee judges whom a report on m goes to: its sender, nobody else; of the
// null sender's the postmaster.
func (c *Checker) judgeAddressee(m *mail, to string, e *event) {
	switch reader := m.reader(); {
	case m.from == "" || reader == nullSender || to == "" || canonical(to) == reader:
	case m.null():
		c.violate(NothingLost, "addressee "+m.id, []*event{m.submit, e},
			"a report on %s goes to %s, but it is from the null sender, and the postmaster is %s", m.id, to, reader)
	default:
		c.violate(NothingLost, "addressee "+m.id, []*event{m.submit, e}, "a report on %s goes to %s, but its sender is %s", m.id, to, m.from)
	}
}

// reportSeen takes a report that arrived at a server. A copy for somebody else
// than the sender, or the null sender's postmaster, is none; our relay makes no such.
func (c *Checker) reportSeen(e *event) {
	said, ok := saidBy(e)
	if !ok {
		return // a success that a server tells of, or nothing that we can tell
	}
	var m *mail
	carrier := c.byID[e.Message]
	switch {
	case e.Text != "":
		m = c.message(e.Text)
	case carrier != nil && carrier.about != nil:
		m = carrier.about // it quotes nothing of the original, and need not
	default:
		return
	}
	if carrier != nil && !carrier.wentTo(m.reader()) {
		if carrier.report != nil {
			c.judgeAddressee(m, carrier.rcpts[0].address, e)
		}
		return
	}
	if carrier != nil && carrier.about == nil {
		carrier.about = m
	}
	for _, to := range e.To {
		r := c.rcpt(m, to)
		if said != 0 {
			r.noticeOf(said).seen++
			carrier.speaksOf(r)
			c.notice(r, e, said, e.Message)
			continue
		}
		r.seen++
		if r.seenAs == nil {
			r.seenAs = e
		}
		c.judgeSeen(carrier, r, e)
		c.reportOn(r, e, e.Message)
	}
}

// wentTo reports whether a server took m for an address; true when that is not
// known, neither of the address nor of anybody.
func (m *mail) wentTo(address string) bool {
	known := false
	for _, r := range m.rcpts {
		if r.accepted > 0 && r.address == address {
			return true
		}
		known = known || r.accepted > 0
	}
	return !known || address == ""
}

// speaksOf notes that a report was seen to name r.
func (m *mail) speaksOf(r *rcpt) {
	if m != nil && !has(m.seen, r.address) && len(m.seen) < 1000 {
		m.seen = append(m.seen, r.address)
	}
}

// judgeSeen holds what a report says of r against what the relay recorded, and
// against what servers did.
func (c *Checker) judgeSeen(carrier *mail, r *rcpt, e *event) {
	if r.mail.twins {
		return
	}
	if carrier != nil && carrier.report != nil && carrier.about != nil &&
		(carrier.about != r.mail || !has(carrier.names, r.address)) {
		c.violate(TrueReports, "names "+r.name()+e.Message, []*event{carrier.report, e},
			"the report %s speaks of %s, but it was stored on %s", e.Message, r.name(), carrier.about.id)
		return
	}
	carrier.speaksOf(r)
	if r.state.Reportable() && e.State != r.state {
		c.violate(TrueReports, "says "+r.name(), []*event{r.outcome, e},
			"%s was reported as %s, but the relay had recorded it as %s", r.name(), e.State, r.state)
		return
	}
	switch a := r.last; {
	case e.State != Unknown:
		if r.accepted > 0 && r.given <= 1 {
			c.violate(TrueReports, "failed "+r.name(), []*event{r.first.at, e},
				"%s was reported as failed, but %s had accepted it", r.name(), r.first.at.Host)
		}
	case r.outcome != nil || len(c.stops) > 0:
		// what was recorded was judged
	case a != nil && a.heard != nil:
		c.violate(TrueReports, "known "+r.name(), []*event{a.at, a.replied, e},
			"%s was reported as unknown, but %s had accepted it and said so", r.name(), a.at.Host)
	case a == nil && r.talk != nil && r.talk.dot == nil && r.talk.broken() == nil && r.no.at != nil:
		c.violate(TrueReports, "known "+r.name(), []*event{r.no.at, e},
			"%s was reported as unknown, but %s had refused it, and no final dot was sent", r.name(), r.no.at.Host)
	}
}

// reportOn counts a report on r. The same report may be met several times: it
// is stored, and seen by the server that accepts it.
func (c *Checker) reportOn(r *rcpt, e *event, id string) {
	if r.untold() && !r.unread() {
		c.violate(NothingLost, "unasked "+r.name(), []*event{r.mail.submit, e},
			"%s was reported as %s, but its sender had asked for %s", r.name(), cmp.Or(r.state, Failed), r.notify)
	}
	switch {
	case !r.unread():
	case r.mail.postmaster != "":
		c.violate(NothingLost, "null "+r.name(), []*event{r.mail.submit, e},
			"%s was reported, though it is from the null sender and to the postmaster, who is told nothing of his own mail", r.name())
	default:
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

// finishSeen finds, at the end, reports that were delivered and that do not
// speak of those on whom they were stored.
func (c *Checker) finishSeen() {
	for _, m := range c.mail {
		if m.report == nil || m.about == nil || m.about.reader() == nullSender || len(m.rcpts) == 0 || m.rcpts[0].first == nil || c.recent(m.rcpts[0].first.at) {
			continue
		}
		for _, to := range m.names {
			if r := c.rcpt(m.about, to); !has(m.seen, r.address) {
				c.violate(NothingLost, "mute "+r.name(), []*event{m.report, m.rcpts[0].first.at},
					"the report %s was delivered, but says nothing of %s", m.id, r.name())
			}
		}
	}
}
