package queue

import (
	"fmt"

	"github.com/postonce/postonce/spec"
)

// decide carries out an operator's word on recipients held in doubt.
func (q *Queue) decide(e Decide) {
	switch e.Decision {
	case DecideRetry, DecideDelivered, DecideReport:
	default:
		q.release = Decided{e.ID, fmt.Errorf("no decision is called %q: choose retry, delivered or report", e.Decision)}
		return
	}
	if m := q.messages[e.ID]; m != nil {
		q.carryOut(m, e)
		return
	}
	if _, busy := q.decisions[e.ID]; busy {
		q.release = Decided{e.ID, fmt.Errorf("another decision on %s is being carried out", e.ID)}
		return
	}
	q.loadMessage(e)
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
		q.release = Decided{d.ID, fmt.Errorf("no message %s in the spool", d.ID)}
		return
	}
	q.carryOut(m, d.Decide)
}

func (q *Queue) carryOut(m *message, e Decide) {
	var held []Result
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if r.State == spec.Held && (e.Recipient == "" || e.Recipient == r.Address) {
			held = append(held, Result{r.Address, spec.InDoubt, r.Last})
		}
	}
	if len(held) == 0 || m.gone {
		q.release = Decided{e.ID, fmt.Errorf("%s holds no recipient in doubt%s", e.ID, of(e.Recipient))}
		q.forget(m)
		return
	}
	if e.Decision == DecideReport && m.entry.Sender != "" {
		q.close(m, q.policy.Destination(held[0].Recipient), held).ticket = true
		return
	}
	c := &commit{message: m, release: Decided{ID: e.ID}}
	for _, h := range held {
		r := m.entry.recipient(h.Recipient)
		switch e.Decision {
		case DecideRetry:
			r.State, r.Due = spec.Queued, q.clock.now()
		case DecideDelivered:
			r.State = spec.Delivered
		case DecideReport:
			r.State = spec.Unknown
		}
		j := &job{dest: q.policy.Destination(r.Address)}
		c.changes(j.dest)
		c.facts = append(c.facts, q.outcome(m, j, r))
	}
	q.commit(c, q.update(c, m))
}

func of(recipient string) string {
	if recipient == "" {
		return ""
	}
	return " for " + recipient
}
