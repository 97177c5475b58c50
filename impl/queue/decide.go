package queue

import (
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
)

// decide carries out an operator's word on recipients held in doubt.
func (q *Queue) decide(e Decide) {
	q.operators = append(slices.Clip(q.operators), e.Ticket)
	if !q.recovery.ready {
		q.decline(e, errNotReady)
		return
	}
	switch e.Decision {
	case DecideRetry, DecideDelivered, DecideReport:
	default:
		q.decline(e, fmt.Errorf("no decision is called %q: choose retry, delivered or report", e.Decision))
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
	var held []Result
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if r.State == spec.Held && (e.Recipient == "" || e.Recipient == r.Address) {
			held = append(held, Result{Recipient: r.Address, Verdict: spec.InDoubt, Trouble: r.Last})
		}
	}
	if len(held) == 0 || m.gone {
		q.decline(e, fmt.Errorf("%s holds no recipient in doubt%s", e.ID, of(e.Recipient)))
		q.forget(m)
		return
	}
	if q.closing(m, held) {
		q.decline(e, busyError(e.ID))
		return
	}
	if e.Decision == DecideReport && m.entry.Sender != "" {
		q.close(m, held).ticket = e.Ticket
		return
	}
	c := &commit{message: m, release: Decided{Ticket: e.Ticket, ID: e.ID}}
	for _, h := range held {
		r := m.entry.recipient(h.Recipient)
		switch e.Decision {
		case DecideRetry:
			// Once its lifetime is over, being due after its end is what gets
			// it one more attempt.
			r.State, r.Doubted, r.Due = spec.Queued, true, q.clock.now()
			if expires := q.expires(m); r.Due >= expires {
				r.Due = max(r.Due, expires+1)
			}
		case DecideDelivered:
			r.State = spec.Delivered
		case DecideReport:
			r.State = spec.Unknown
		}
		c.changes(q.policy.Destination(r.Address))
		c.facts = append(c.facts, q.outcome(m, "", r))
	}
	q.commit(c, q.update(c, m))
}

// closing reports whether one of some recipients is being ended already: what
// was decided of it stands, and is stored when the header has been read.
func (q *Queue) closing(m *message, results []Result) bool {
	for _, j := range q.jobs { // any order: one is enough
		if j.message == m && slices.ContainsFunc(j.closing, func(c Result) bool {
			return slices.ContainsFunc(results, func(r Result) bool { return r.Recipient == c.Recipient })
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
