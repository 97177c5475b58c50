package spec

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// RETRY-ON-TIME: when an attempt may be made, and when no more.

// A refusal is what a server last said against a recipient at RCPT. It may be for
// good, or for now, or either where it is not clear.
type refusal struct {
	at        *event
	good, now bool
	// session is where it was said; heard is the fact that shows that the
	// client read it.
	session *session
	heard   *event
}

// judgeAttempt judges the beginning of an attempt for r.
func (c *Checker) judgeAttempt(r *rcpt, e *event) {
	if r.mail.twins {
		return
	}
	about := r.name() + " " + e.Job
	_, end := c.expires(r)
	switch {
	case r.job != nil:
		c.violate(RetryOnTime, about, []*event{r.begun, e}, "the relay began an attempt for %s while another one was under way", r.name())
	case r.state.Final():
		c.violate(RetryOnTime, about, []*event{r.outcome, e}, "the relay began an attempt for %s, which it had recorded as %s", r.name(), r.state)
	case c.judgeOrdered(r, e):
	case r.state == Held && !c.decided(r, "retry", r.outcome):
		c.violate(RetryOnTime, about, []*event{r.outcome, e}, "the relay began an attempt for %s, which is held for an operator", r.name())
	case e.reckoned() < c.soonest(r) && c.ordered(r, "retry-now"):
		r.due, r.dueFrom, r.dueMoves = e.reckoned(), 0, 0 // it is, whatever ends this attempt
	case (r.state == Queued || r.state == Parked) && e.reckoned() < c.soonest(r):
		c.violate(RetryOnTime, about, []*event{r.outcome, c.clock.jump, e}, "the relay began an attempt for %s %s before it was due",
			r.name(), ago(c.soonest(r).Sub(e.reckoned())))
	case r.defers > 0 && end != 0 && e.reckoned() > end && !c.wanted(r) && !c.rested(r) && !r.movedOn():
		c.violate(RetryOnTime, about, []*event{r.mail.queued, r.outcome, c.clock.jump, e}, "the relay began an attempt for %s after its lifetime had ended", r.name())
	}
}

// wanted reports whether an operator wanted an attempt since the last one, which
// the end of a process may have broken off.
func (c *Checker) wanted(r *rcpt) bool {
	again := r.told.again
	return again != nil && (r.begun == nil || again.seq > r.begun.seq || c.hushed(r))
}

// movedOn reports whether an operator sent r elsewhere since the last attempt. Its
// lifetime may be over there: it has one attempt.
func (r *rcpt) movedOn() bool {
	return r.way.moved != nil && (r.begun == nil || r.way.moved.seq > r.begun.seq)
}

// rested reports whether r was due so long before the process began that none can
// have run since, or its clock was wrong: the relay cannot tell the two apart, and
// may try once more.
func (c *Checker) rested(r *rcpt) bool {
	long := c.scheduleOf(r).Lifetime + c.policy.Longest(r.dest) - leeway // it looked at its clock after it was started
	_, by := r.dueBy()
	return r.state == Queued && c.clock.began > c.soonest(r).Add(long) && c.stoppedSince(by)
}

// scheduleOf is the schedule of r.
func (c *Checker) scheduleOf(r *rcpt) Schedule { return c.policy.ScheduleFor(r.dest) }

// expires is when the lifetime of r ends, as the relay reckons, at the earliest
// and at the latest; 0 when that is not known.
func (c *Checker) expires(r *rcpt) (earliest, latest Wall) {
	if earliest, latest = r.mail.expires(c.policy); earliest == 0 {
		return 0, 0
	}
	longer := c.longer(r)
	return earliest.Add(longer), latest.Add(longer)
}

// longer is by how much the lifetime of r is longer than that of mail which goes by
// the global schedule.
func (c *Checker) longer(r *rcpt) time.Duration {
	return c.scheduleOf(r).Lifetime - c.policy.Schedule.Lifetime
}

// expires is when the lifetime of m ends, as the relay reckons, at the earliest
// and at the latest, where the global schedule holds; 0 when that is not known.
// That is what the relay says of a message, which may have destinations with
// other schedules.
func (m *mail) expires(p Policy) (earliest, latest Wall) {
	end := Wall(0)
	switch {
	case m.queued != nil && m.queued.Due != 0:
		end = m.queued.Due
	case m.report != nil:
		end = p.Schedule.Expires(m.report.reckoned())
	case m.submit != nil:
		end = p.Schedule.Expires(m.submit.reckoned())
	default:
		return 0, 0
	}
	earliest, latest = end, end
	if m.queued == nil && m.report == nil && m.resubmit != nil {
		latest = p.Schedule.Expires(m.resubmit.reckoned()) // the relay may hold what was submitted last
	}
	if m.queued == nil && m.submit != nil && m.taken != 0 {
		// It took the mail when it had all of it, and not much later.
		latest = max(latest, min(p.Schedule.Expires(m.taken), end.Add(leeway)))
	}
	if m.queued == nil || m.queued.Due == 0 {
		earliest = end.Add(-leeway) // the relay had no time to say when, and its own reckoning began before ours
	}
	if m.endsFrom != 0 {
		earliest = min(earliest, m.endsFrom)
	}
	if m.endsBy != 0 {
		latest = min(latest, m.endsBy)
	}
	return earliest, latest
}

// leeway is how far a time that the relay computed may be from ours: it looked
// at its clock a little before or after the fact was made.
const leeway = time.Minute

// judgeLifetime judges the end of the lifetime that the relay gave a message.
func (c *Checker) judgeLifetime(m *mail, e *event) {
	if e.Due == 0 {
		return
	}
	earliest := e.At
	if m.submit != nil {
		earliest = min(m.submit.At, e.At)
	} else {
		earliest = earliest.Add(-time.Hour) // receiving it took its time
	}
	from, to := c.policy.Schedule.Expires(c.reckoned(earliest)), c.policy.Schedule.Expires(e.reckoned())
	if e.Due < from.Add(-leeway) || e.Due > to.Add(leeway) {
		c.violate(RetryOnTime, "lifetime "+m.id, []*event{m.submit, c.clock.jump, e},
			"the relay gave %s a lifetime until %s; the schedule says until %s", m.id, e.Due, to)
	}
}

// judgeDeferred judges the due time of the next attempt.
func (c *Checker) judgeDeferred(r *rcpt, e *event) {
	before, soonest := r.due, c.soonest(r)
	r.due, r.dueFrom, r.dueMoves = e.Due, 0, 0
	if r.state == Held || c.decided(r, "retry", r.outcome) || c.judgeMovedUp(r, e, before, soonest) ||
		c.judgeRerouted(r, e, before, soonest) {
		return // an operator sent it back to the queue, where it is due at once, or elsewhere
	}
	r.defers++
	c.setsBack(r, e)
	if r.mail.twins {
		return
	}
	c.storedYounger(r.mail, e)
	end, _ := c.expires(r)
	if e.Due == 0 && r.mail.queued == nil {
		return // a log that begins in the middle, or leaves times out
	}
	if e.Due == 0 {
		c.violate(RetryOnTime, "no due "+r.name(), []*event{r.begun, e}, "the relay deferred %s without saying until when", r.name())
		return
	}
	if m := r.mail; r.begun == nil || m.queued == nil && m.report == nil && m.submit == nil {
		return // when its lifetime ends is not known
	}
	shortest, longest := c.intervals(r, e)
	least := c.reckoned(r.begun.At).Add(shortest)
	if end != 0 {
		least = min(least, end)
	}
	most := e.reckoned().Add(longest)
	switch {
	case e.Due < least:
		c.violate(RetryOnTime, "due "+r.name()+e.Due.String(), []*event{r.begun, c.clock.jump, e},
			"after attempt %d the relay made %s due %s too early", r.defers, r.name(), ago(least.Sub(e.Due)))
	case e.Due > most:
		c.violate(RetryOnTime, "due "+r.name()+e.Due.String(), []*event{r.begun, c.clock.jump, e},
			"after attempt %d the relay made %s due %s too late", r.defers, r.name(), ago(e.Due.Sub(most)))
	}
}

// refusedRecipient takes a server's refusal of a recipient.
func (c *Checker) refusedRecipient(e *event) {
	s := c.session(e)
	for _, to := range e.To {
		var r *rcpt
		if e.Message != "" {
			r = c.rcpt(c.message(e.Message), to)
		} else {
			from := canonical(e.From)
			if from == "" {
				from = s.from
			}
			r = c.resolve(from, to)
		}
		if r == nil {
			if strings.HasPrefix(e.Reply, "5") && !c.ownAffair(e) {
				c.wire.lastNo.set(s.addr, e.seq) // it may concern all who dialled there
			}
			continue
		}
		c.judgeRefusedForGood(r, e)
		if s.mailRefused || c.ownAffair(e) {
			continue
		}
		r.no = s.refuses(r, e)
		r.no.now = r.no.now || strings.HasPrefix(e.Reply, "530") && viaHosts(r.dest) != nil // see ownAffair
		if len(s.unheard) < 1000 {
			s.unheard = append(s.unheard, r)
		}
	}
}

// refuses takes what a server says against r at RCPT.
func (s *session) refuses(r *rcpt, e *event) refusal {
	no := refusal{at: e, session: s}
	others := slices.ContainsFunc(s.to, func(other *rcpt) bool { return other != r })
	unclear := s.muddled || s.blurred || len(s.twins) > 0 || !has(s.to, r)
	for _, taken := range [...]bool{true, false} {
		if taken != others && !unclear {
			continue
		}
		event := EventAt(StageRCPT, replyOf(e.Reply), taken)
		no.good = no.good || event == Reply5
		no.now = no.now || event == Reply4 || event == Reply421 || event == TooMany
	}
	s.to = slices.DeleteFunc(s.to, func(other *rcpt) bool { return other == r })
	return no
}

// replyOf takes apart a reply as facts quote it.
func replyOf(text string) Reply {
	code, text, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(code)
	if err != nil {
		return Reply{}
	}
	r := Reply{Code: n, Lines: []string{text}}
	if word, rest, _ := strings.Cut(text, " "); strings.HasPrefix(word, code[:1]+".") && strings.Count(word, ".") == 2 && strings.Trim(word, ".0123456789") == "" {
		r.Enhanced, r.Lines[0] = word, rest
	}
	return r
}

// heard notes that the client went on after what the server said in this
// transaction, so that it has read it. It has not if it went on at once: such
// a command was pipelined (RFC 2920 section 3.1), unless it is the content,
// which waits for the reply to DATA.
func (s *session) heard(e *event) {
	if s.broken() != nil {
		return
	}
	read := func(said *event) bool { return e.Kind == FactAccepted || e.At.Sub(said.At) >= blink }
	for _, r := range s.unheard {
		if r.no.session == s && r.no.heard == nil && read(r.no.at) {
			r.no.heard = e
		}
	}
	for _, r := range s.denied {
		// Another attempt may have begun since, which knows of no refusal yet.
		if r.dotNo != nil && r.dotNo.Session == e.Session && read(r.dotNo) {
			r.dotNoHeard = e
		}
	}
	for _, a := range s.taken {
		if a.replied != nil && a.replied.At.Sub(a.at.At) < promptly && read(a.replied) {
			a.heard = e
		}
	}
	s.unheard, s.denied, s.taken = s.unheard[:0], s.denied[:0], s.taken[:0]
}

// judgeRefusedForGood judges that r is named again to a server after one
// refused it for good and the relay knew.
func (c *Checker) judgeRefusedForGood(r *rcpt, e *event) {
	no := r.no
	if no.at == nil || no.heard == nil || r.given > 1 || !no.good || no.now {
		return
	}
	if strings.HasPrefix(no.at.Reply, "503") {
		return // it speaks of the order of commands
	}
	if (c.stoppedSince(no.at) && r.state != Failed) || c.trouble(no.session, no.at.seq) != nil {
		return // it may have forgotten, or never have heard
	}
	if s := c.session(e); s != no.session && s.began != nil && s.began.seq < no.at.seq {
		return // it was named before that, and the server was slow to read it
	}
	c.violate(RetryOnTime, "refused for good "+r.name(), []*event{no.at, r.outcome, e},
		"the relay named %s to %s again, though %s had refused it for good: %s", r.name(), e.Host, no.at.Host, no.at.Reply)
}
