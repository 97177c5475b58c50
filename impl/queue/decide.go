package queue

import (
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
)

// decide carries out an operator's word.
func (q *Queue) decide(e Decide) {
	q.operators = append(slices.Clip(q.operators), e.Ticket)
	if !q.recovery.ready {
		q.decline(e, errNotReady)
		return
	}
	if e.Decision.About() == "" {
		q.decline(e, fmt.Errorf("no decision is called %q: choose retry, delivered or report, or hold, release, retry-now, reroute, bounce or delete", e.Decision))
		return
	}
	if err := e.Decision.trouble(); err != nil {
		q.decline(e, err)
		return
	}
	if m := q.messages[e.ID]; m != nil {
		q.carryOut(m, e)
		return
	}
	if _, busy := q.decisions[e.ID]; busy {
		q.decline(e, busyError(e.ID))
		return
	}
	q.loadMessage(e)
}

// decline releases an operator for whom nothing is done.
func (q *Queue) decline(e Decide, err error) {
	q.operators = withoutTicket(q.operators, e.Ticket)
	q.release = Decided{e.Ticket, e.ID, err}
}

func withoutTicket(tickets []uint64, ticket uint64) []uint64 {
	return slices.DeleteFunc(slices.Clone(tickets), func(t uint64) bool { return t == ticket })
}

func busyError(id spec.QueueID) error {
	return fmt.Errorf("another decision on %s is being carried out", id)
}

// A decision is one that waits for its message to be read.
type decision struct {
	Decide
	read uint64 // which read is under way
}

func (q *Queue) loadMessage(e Decide) {
	q.decisions[e.ID] = decision{e, q.reads.begin()}
	q.act(Load{Kind: LoadMessage, ID: e.ID})
}

func (q *Queue) loadedMessage(e Loaded) {
	d, ok := q.decisions[e.Load.ID]
	if !ok {
		return
	}
	stale := q.reads.stale(d.read, d.ID)
	q.reads.end(d.read)
	if stale && q.messages[d.ID] == nil {
		// It was in memory meanwhile, and changed: what was read may say that
		// somebody waits who has got the mail.
		q.loadMessage(d.Decide)
		return
	}
	delete(q.decisions, d.ID)
	var m *message
	if len(e.Entries) == 1 {
		m = q.decode(e.Entries[0])
	}
	if m == nil {
		q.decline(d.Decide, fmt.Errorf("no message %s in the spool", d.ID))
		return
	}
	q.carryOut(m, d.Decide)
}

func (q *Queue) carryOut(m *message, e Decide) {
	chosen, err := q.chosen(m, e)
	if err != nil {
		q.decline(e, err)
		q.forget(m)
		return
	}
	read := slices.ContainsFunc(chosen, func(r *Recipient) bool { return q.policy.Reader(m.entry.Sender, r.Address) != "" })
	if read && (e.Decision == DecideReport || e.Decision == DecideBounce) {
		q.end(m, e, chosen)
		return
	}
	c := &commit{message: m, release: Decided{Ticket: e.Ticket, ID: e.ID}}
	for _, r := range chosen {
		way := q.underWay(m, r)
		c.changes(q.dest(m, r))
		q.change(m, r, e.Decision, way)
		c.changes(q.dest(m, r))
		if e.Decision.again() {
			q.order(m, q.dest(m, r))
		}
		if !way { // else the end of its attempt says what became of it
			c.facts = append(c.facts, q.outcome(m, "", r))
			c.facts = append(c.facts, q.untold(m, r)...)
		}
	}
	q.commit(c, q.update(c, m))
}

// About says in words which recipients a decision can be about; empty when
// there is no such decision.
func (d Decision) About() string {
	switch d.word() {
	case DecideRetry, DecideDelivered, DecideReport:
		return "that is held in doubt"
	case DecideHold:
		return "that waits and is not parked already"
	case DecideRelease:
		return "that is parked"
	case DecideNow:
		return "that waits, is not parked and is not in doubt"
	case DecideBounce, DecideDelete:
		return "that is not final"
	case decideReroute:
		return "that waits and was never in doubt"
	}
	return ""
}

// again reports whether a decision wants an attempt.
func (d Decision) again() bool { return d == DecideRetry || d == DecideRelease || d == DecideNow }

// Concerns reports whether a decision can be about a recipient.
func (d Decision) Concerns(r *Recipient) bool {
	switch d.word() {
	case DecideRetry, DecideDelivered, DecideReport:
		return r.State == spec.Held
	case DecideHold:
		return !r.Parked && (r.State == spec.Queued || r.State == spec.Intent)
	case DecideRelease:
		return r.Parked
	case DecideNow:
		return !r.Parked && (r.State == spec.Queued || r.State == spec.Intent)
	case DecideBounce, DecideDelete:
		return !r.State.Final()
	case decideReroute:
		return r.State == spec.Queued && !r.Doubted
	}
	return false
}

// chosen returns the recipients that a decision is about, or why there are
// none. What a delivery holds is not taken from under its feet: it may be at a
// server the next moment, and nobody could say what became of it.
func (q *Queue) chosen(m *message, e Decide) ([]*Recipient, error) {
	var all []*Recipient
	busy := ""
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if m.gone || !e.means(r.Address) {
			continue
		}
		if e.Decision.word() == decideReroute && q.underWay(m, r) {
			busy = r.Address // said to be done, it would be done for all but the one
		}
		if !e.Decision.Concerns(r) {
			continue
		}
		switch e.Decision.word() {
		case DecideNow, DecideBounce, DecideDelete, decideReroute:
			if q.underWay(m, r) || e.Decision.word() == decideReroute && q.claimed(m, r) {
				busy = r.Address
				continue
			}
		case DecideRetry, DecideDelivered, DecideReport, DecideHold, DecideRelease: // see change
		}
		all = append(all, r)
	}
	switch {
	case busy != "" && (e.Decision != DecideNow || len(all) == 0):
		return nil, fmt.Errorf("%s is being delivered to %s: try again when that attempt is over", e.ID, busy)
	case len(all) == 0:
		return nil, fmt.Errorf("%s has no recipient %s%s", e.ID, e.Decision.About(), of(e.Recipient))
	case q.closing(m, all):
		return nil, busyError(e.ID)
	}
	return all, nil
}

// underWay reports whether a delivery has a recipient and has not said yet what
// became of it.
func (q *Queue) underWay(m *message, r *Recipient) bool {
	if r.State == spec.Intent {
		return true
	}
	for _, j := range q.jobs { // any order: one is enough
		if j.message == m && j.closing == nil && r.State == spec.Queued && r.Attempts < j.attempt && slices.Contains(j.to, r.Address) {
			return true
		}
	}
	return false
}

// change changes a recipient as an operator decided. For one that is under way
// no more than the mark is changed: its delivery does the rest.
func (q *Queue) change(m *message, r *Recipient, d Decision, underWay bool) {
	now, expires := q.clock.now(), q.expires(m, q.dest(m, r))
	switch d.word() {
	case DecideRetry:
		r.State, r.Doubted, r.Due = spec.Queued, true, now
	case DecideHold:
		r.Parked = true
	case DecideRelease:
		r.Parked = false
		if !underWay {
			r.Due = max(r.Due, now)
		}
	case DecideNow:
		r.Due = min(r.Due, now)
	case DecideDelivered:
		r.State = spec.Delivered
	case DecideReport:
		r.State = spec.Unknown
	case DecideBounce:
		if r.State == spec.Held || r.Doubted {
			r.State = spec.Unknown
		} else {
			r.State = spec.Failed
		}
		r.Last = returned(r)
	case DecideDelete:
		r.State = spec.Deleted
	case decideReroute:
		q.reroute(m, r, d)
	}
	r.Parked = r.Parked && !r.State.Final()
	if d.again() && !underWay && now >= expires {
		// Once its lifetime is over, being due after its end is what gets it one
		// more attempt.
		r.Due = max(r.Due, now, expires+1)
	}
}

// end ends recipients of whom the sender is to be told: the header of the
// message is read for that. Meanwhile nothing begins where they wait.
func (q *Queue) end(m *message, e Decide, chosen []*Recipient) {
	results := make([]Result, len(chosen))
	var waiting commit
	for i, r := range chosen {
		if r.State == spec.Held {
			results[i] = Result{Recipient: r.Address, Verdict: spec.InDoubt, Trouble: r.Last}
			continue
		}
		results[i] = Result{Recipient: r.Address, Verdict: spec.FailRecipient, Trouble: returned(r)}
		waiting.changes(q.dest(m, r))
	}
	j := q.close(m, results)
	j.ticket, j.blocked = e.Ticket, waiting.dests
	m.unsure = slices.Concat(m.unsure, j.blocked)
	q.holdOf(j.blocked)
	q.withdraw(m, j.blocked)
}

// returned is what ends a recipient that an operator gives up. X.0.0 is for
// what RFC 3463 has no code for (section 3.1); it has none for this.
func returned(r *Recipient) Trouble {
	const text = "5.0.0 the operator of this relay returned the message"
	t := Trouble{At: r.Last.At, Event: spec.Reply5, Reply: spec.Reply{Enhanced: "5.0.0"}, Text: text}
	if last := r.Last.String(); last != "" {
		t.Text += "; before that, " + last
	}
	return t
}

// closing reports whether one of some recipients is being ended already: what
// was decided of it stands, and is stored when the header has been read.
func (q *Queue) closing(m *message, recipients []*Recipient) bool {
	for _, j := range q.jobs { // any order: one is enough
		if j.message == m && slices.ContainsFunc(j.closing, func(c Result) bool {
			return slices.ContainsFunc(recipients, func(r *Recipient) bool { return r.Address == c.Recipient })
		}) {
			return true
		}
	}
	return false
}

func of(recipient string) string {
	if recipient == "" {
		return ""
	}
	return " for " + recipient
}
