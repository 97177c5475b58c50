package spec

import (
	"slices"
	"strings"
)

// What senders asked to be told (RFC 3461), held against what they were told:
// a part of NOTHING-LOST, TRUE-REPORTS and WIRE-LAWFUL.

// notices names the reports about one recipient that say one thing, however they
// were learnt of, and how often such a one arrived.
type notices struct {
	ids   []string
	first *event
	seen  int
}

// asks learns what a fact says the sender wants to be told of its i-th recipient.
// What the submitter says comes first. Of a recipient who is named twice in one
// mail the first word counts; of one to whom two mails of one name went with
// different words, nothing is known.
func (c *Checker) asks(r *rcpt, e *event, i int) {
	asked := Notify(0)
	if i < len(e.Notify) {
		asked, _ = ParseNotify(e.Notify[i]) // what cannot be read asks for nothing
	}
	r.mixed = r.mixed || r.asking != nil && r.asking.Kind == FactSubmit && e.Kind == FactSubmit && asked != r.notify
	if r.asking == nil {
		r.asking, r.notify = e, asked
	}
}

// noticeOf returns the notices that say that a recipient is in a state: Queued is
// "delayed", Delivered is "relayed".
func (r *rcpt) noticeOf(said RecipientState) *notices {
	if said == Queued {
		return &r.delays
	}
	return &r.relays
}

// saidBy returns what a report that was seen says of a recipient, and whether
// that is anything we judge; zero is that it failed, or is unknown.
func saidBy(e *event) (said RecipientState, ok bool) {
	switch {
	case e.Reply == "delayed":
		return Queued, true
	case e.Reply == "relayed":
		return Delivered, true
	}
	return 0, e.Reply == "failed" || e.State == Failed || e.State == Unknown
}

// notice judges a report that r is delayed, or was relayed.
func (c *Checker) notice(r *rcpt, e *event, said RecipientState, id string) {
	n, what := r.noticeOf(said), "relayed"
	wanted := r.notify.Success()
	if said == Queued {
		// RFC 3461 section 4.1 lets a relay tell a delay to who asked for nothing.
		what, wanted = "delayed", r.notify.Delay() || r.notify == 0
	}
	facts := []*event{r.mail.submit, r.outcome, e}
	switch {
	case r.mail.null():
		c.violate(NothingLost, "null "+r.name(), facts, "%s was reported as %s to the null sender, to which nothing is ever reported", r.name(), what)
	case !wanted && !r.mixed:
		c.violate(NothingLost, what+" "+r.name(), facts, "%s was reported as %s, but its sender had asked for %s", r.name(), what, r.notify)
	}
	if id != "" && has(n.ids, id) {
		return
	}
	if len(n.ids) >= r.allowed() {
		c.violate(NothingLost, what+" twice "+r.name(), []*event{n.first, e}, "%s was reported as %s more than once", r.name(), what)
		return
	}
	n.ids = append(n.ids, id)
	if n.first == nil {
		n.first = e
	}
	if r.given > 1 || r.mail.twins {
		return
	}
	if said == Delivered {
		c.judgeRelayed(r, e)
	} else if e.Kind == FactReport && r.state.Final() {
		c.violate(TrueReports, "delayed "+r.name(), facts, "the relay stored a report that %s is delayed, which it had recorded as %s", r.name(), r.state)
	}
}

// judgeRelayed judges a report that a server took r and will say no more: a
// server must have, and must not have offered to tell the sender itself.
func (c *Checker) judgeRelayed(r *rcpt, e *event) {
	switch {
	case c.peers && r.accepted == 0 && !c.lied(r):
		c.violate(TrueReports, "relayed "+r.name(), []*event{r.outcome, e}, "%s was reported as relayed, but no server accepted it", r.name())
	case r.accepted == 1 && r.last.session.dsn && !r.last.session.muddled:
		c.violate(NothingLost, "relayed "+r.name(), []*event{r.last.at, e},
			"%s was reported as relayed, but %s, which took it, had offered DSN and tells the sender itself", r.name(), r.last.at.Host)
	}
}

// finishNotices finds, at the end, successes of which a sender who asked for it
// was never told: the server that took the mail did not offer to (RFC 3461
// section 5.2.2). What the end of a process may have kept the relay from saying,
// is taken for said.
func (c *Checker) finishNotices() {
	for _, m := range c.mail {
		for _, r := range m.rcpts {
			a := r.last
			if m.null() || r.mixed || r.given > 1 || m.twins || !r.notify.Success() || len(r.relays.ids) > 0 || r.state != Delivered ||
				a == nil || !a.session.offered || a.session.dsn || a.session.muddled || c.stoppedSince(a.at) || c.recent(r.outcome) ||
				c.heeded(r, "delivered", nil) {
				continue
			}
			c.violate(NothingLost, "unsaid "+r.name(), []*event{m.submit, a.at, r.outcome},
				"%s took %s and will not tell the sender, who had asked to hear of success and never did", a.at.Host, r.name())
		}
	}
}

// offers learns from the answer to EHLO or HELO whether a server tells senders
// what they asked for.
func (s *session) offers(e *event) {
	s.offered = true
	s.dsn = e.Stage == StageEHLO && slices.ContainsFunc(strings.FieldsFunc(strings.ToUpper(e.Reply), func(r rune) bool {
		return r == ' ' || r == '-' || r == '|' || r == '\n' || r == '\r'
	}), func(word string) bool { return word == "DSN" })
}

// judgePassedOn judges whether what the sender asked for about r is passed on to
// a server that offers DSN (RFC 3461 section 5.2.1). What is said to one that does
// not is the server's own to judge.
func (c *Checker) judgePassedOn(s *session, r *rcpt, e *event) {
	if !s.dsn || s.muddled || r.mixed || r.given > 1 || r.mail.twins || r.notify == 0 {
		return
	}
	said := ""
	for word := range strings.FieldsSeq(e.Text[strings.LastIndexByte(e.Text, '>')+1:]) {
		if value, ok := strings.CutPrefix(strings.ToUpper(word), "NOTIFY="); ok {
			said = value
		}
	}
	if n, err := ParseKeywords(said); err != nil || n != r.notify {
		c.violate(WireLawful, "notify "+r.name()+e.Host, []*event{r.mail.submit, e},
			"the relay names %s to %s, which offers DSN, without passing on that its sender had asked for %s", r.name(), e.Host, r.notify)
	}
}
