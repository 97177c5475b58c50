package spec

// Who is told that mail failed: its sender; of that of the null sender the
// postmaster, if the policy names one, or nobody. A part of NOTHING-LOST.

// reader returns whom reports on failure of m go to: its sender, as far as that is
// known; of the null sender's the postmaster, or else nobody, which is "<>".
func (m *mail) reader() string {
	if m.null() && m.postmaster != "" {
		return m.postmaster
	}
	return m.from
}

// unread reports whether there is nobody who could be told of r: of mail to the
// postmaster he is not told.
func (r *rcpt) unread() bool {
	return r.mail.reader() == nullSender || r.mail.null() && r.address == r.mail.postmaster
}

// untold reports whether nobody is to be told that r failed or is unknown.
func (r *rcpt) untold() bool { return r.unread() || !r.mixed && !r.notify.Failure() }

// tellsNobody takes the relay's word that nobody is told.
func (c *Checker) tellsNobody(e *event) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	for _, to := range e.To {
		r := c.rcpt(m, to)
		r.hush = e
		if m.from != "" && !r.unread() && !m.twins {
			c.violate(NothingLost, "untold "+r.name(), []*event{m.submit, r.outcome, e},
				"the relay tells nobody that %s is %s, though %s is to be told", r.name(), e.State, m.reader())
		}
	}
}

// finishUntold finds, at the end, mail of the null sender that failed without a
// word: an operator reads of it in the log, or nobody ever knows.
func (c *Checker) finishUntold() {
	for _, m := range c.mail {
		for _, r := range m.rcpts {
			if !r.state.Reportable() || r.hush != nil || !r.unread() || !r.notify.Failure() || r.mixed || m.twins || r.outcome == nil ||
				c.cutShort(r.outcome) || c.recent(r.outcome) {
				continue
			}
			c.violate(NothingLost, "unheard "+r.name(), []*event{m.submit, r.outcome},
				"%s is %s, there is nobody to be told, and the relay does not say so", r.name(), r.state)
		}
	}
}
