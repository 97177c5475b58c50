package queue

import (
	"fmt"
	"slices"

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
		ID: e.ID, Message: e.Message, Sender: e.Envelope.Sender, Body8Bit: e.Envelope.Body8Bit, Needs: e.Envelope.Needs,
		Size: e.Size, Submitted: now, Tracking: e.Envelope.Tracking,
	}, e.Envelope.Recipients, e.Envelope.Asked)
	c := &commit{release: Accepted{ID: e.ID}, facts: []spec.Fact{q.queued(m)}}
	q.commit(c, append(q.put(c, m), e.Ops...))
}

// adopt makes a message exist as submit does, but with recipients that have come
// further. Those who are final stand in the entry for an operator to see.
func (q *Queue) adopt(e Adopt) {
	var err error
	switch {
	case !q.recovery.ready:
		err = errNotReady
	case q.messages[e.Entry.ID] != nil:
		err = fmt.Errorf("the queue ID %s is taken", e.Entry.ID)
	default:
		err = e.Entry.Adoptable()
	}
	entry := e.Entry
	if err != nil {
		q.release = Accepted{entry.ID, fmt.Errorf("%w: %w", ErrRefused, err)}
		return
	}
	entry.Recipients = slices.Clone(entry.Recipients)
	for i := range entry.Recipients {
		entry.Recipients[i].Last = entry.Recipients[i].Last.short()
	}
	m := q.message(entry)
	c := &commit{release: Accepted{ID: entry.ID}, facts: []spec.Fact{q.queued(m)}}
	q.commit(c, append(q.put(c, m), e.Ops...))
}

// Adoptable returns why an entry of another relay's queue cannot be adopted, nil
// when it can. Who is named twice would get the mail twice.
func (e *Entry) Adoptable() error {
	if e.Done() {
		return fmt.Errorf("message %s has no recipient to whom it is still to be delivered", e.ID)
	}
	seen := make(map[string]bool, len(e.Recipients))
	for i := range e.Recipients {
		r := &e.Recipients[i]
		if r.State != spec.Queued && !r.State.Final() {
			return fmt.Errorf("message %s to %s is %s: only this relay can know what that means", e.ID, r.Address, r.State)
		}
		same := spec.Mailbox(r.Address)
		if seen[same] {
			return fmt.Errorf("message %s names %s twice", e.ID, r.Address)
		}
		seen[same] = true
	}
	return nil
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
	to := make([]string, 0, len(m.entry.Recipients))
	var notify []string
	for i := range m.entry.Recipients {
		r := &m.entry.Recipients[i]
		if r.State.Final() {
			continue
		}
		for r.Asked.Notify != 0 && len(notify) < len(to) {
			notify = append(notify, spec.Notify(0).String())
		}
		if r.Asked.Notify != 0 || notify != nil {
			notify = append(notify, r.Asked.Notify.String())
		}
		to = append(to, r.Address)
	}
	return spec.Fact{
		Kind: spec.FactQueued, Message: m.entry.Message, Queue: m.entry.ID, From: orNull(m.entry.Sender), To: to, Notify: notify,
		Needs: spec.Needed(m.entry.Body8Bit, m.entry.Needs),
		Due:   m.entry.Submitted.Add(q.policy.Schedule.Lifetime),
	}
}

// orNull writes the null sender as it is written everywhere.
func orNull(sender string) string {
	if sender == "" {
		return "<>"
	}
	return sender
}
