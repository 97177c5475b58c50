package queue

import (
	"fmt"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// submit makes a message exist: control entry, index lines and the rest of
// its content in one batch. The submitter is answered when that is durable.
func (q *Queue) submit(e Submit) {
	if q.stopping {
		q.release = Accepted{e.ID, errStopped}
		return
	}
	if len(e.Envelope.Recipients) == 0 || q.messages[e.ID] != nil {
		q.release = Accepted{e.ID, fmt.Errorf("message %s has no recipient, or its queue ID is taken", e.ID)}
		return
	}
	now := q.clock.now()
	m := q.newMessage(Entry{
		ID: e.ID, Message: e.Message, Sender: e.Envelope.Sender, Body8Bit: e.Envelope.Body8Bit,
		Size: e.Size, Submitted: now,
	}, e.Envelope.Recipients)
	q.messages[e.ID] = m
	ops := append(m.put(), e.Ops...)
	q.commit(&commit{message: m, release: Accepted{ID: e.ID}, facts: []spec.Fact{q.queued(m)}}, ops)
}

// newMessage completes an entry with its recipients, all due at once.
func (q *Queue) newMessage(e Entry, to []string) *message {
	for _, address := range to {
		if e.recipient(address) == nil { // RCPT twice for one mailbox is one delivery
			e.Recipients = append(e.Recipients, Recipient{Address: address, State: spec.Queued, Due: e.Submitted})
		}
	}
	m := &message{entry: e}
	m.index = m.entry.lines(q.policy)
	return m
}

// put returns the changes that store a new message but for its content.
func (m *message) put() []seam.Op {
	ops := make([]seam.Op, 0, len(m.index)+4)
	for _, line := range m.index {
		ops = append(ops, seam.Op{Key: line.Key()})
	}
	return append(ops, seam.Op{Key: seam.ControlKey(m.entry.ID), Value: m.entry.Encode()})
}

func (q *Queue) queued(m *message) spec.Fact {
	to := make([]string, len(m.entry.Recipients))
	for i := range to {
		to[i] = m.entry.Recipients[i].Address
	}
	return spec.Fact{
		Kind: spec.FactQueued, Message: m.entry.Message, Queue: m.entry.ID, From: orNull(m.entry.Sender), To: to,
		Due: m.entry.Submitted.Add(q.policy.Schedule.Lifetime),
	}
}

// orNull writes the null sender as it is written everywhere.
func orNull(sender string) string {
	if sender == "" {
		return "<>"
	}
	return sender
}
