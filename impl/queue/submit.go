package queue

import (
	"fmt"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// submit makes a message exist: control entry, index lines and the rest of
// its content in one batch. The submitter is answered when that is durable.
func (q *Queue) submit(e Submit) {
	err := q.closed()
	if err == nil && (len(e.Envelope.Recipients) == 0 || q.messages[e.ID] != nil) {
		err = fmt.Errorf("message %s has no recipient, or its queue ID is taken", e.ID)
	}
	if err != nil {
		q.release = Accepted{e.ID, fmt.Errorf("%w: %w", ErrRefused, err)}
		return
	}
	now := q.clock.now()
	m := q.newMessage(Entry{
		ID: e.ID, Message: e.Message, Sender: e.Envelope.Sender, Body8Bit: e.Envelope.Body8Bit,
		Size: e.Size, Submitted: now,
	}, e.Envelope.Recipients)
	c := &commit{release: Accepted{ID: e.ID}, facts: []spec.Fact{q.queued(m)}}
	q.commit(c, append(q.put(c, m), e.Ops...))
}

// put takes a new message into memory and returns the changes that store it,
// but for its content, with a batch.
func (q *Queue) put(c *commit, m *message) []seam.Op {
	m.commits, m.unsure = 1, m.waitsAt()
	q.messages[m.entry.ID] = m
	c.fresh = append(c.fresh, m)
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
