package queue

import (
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A message is one that is in memory because something of it is: a group in a
// window, a job, or a commit that is not durable yet.
//
// One message may go to a thousand destinations, and is stepped for each of
// them. So what a step does with a message is at most linear in its recipients:
// it looks at one destination, and at the others only when they changed too.
type message struct {
	entry Entry
	// dests are the destinations of the entry's recipients, in their order: it is
	// only ever replaced. lane is that in which they wait there.
	dests []string
	lane  spec.Lane
	// groups are the groups in memory, waiting or active.
	groups []*group
	// commits counts batches about the message that are not durable yet; jobs
	// those that run.
	commits, jobs int
	// index is what stands in SpaceDue for the message, per destination, when
	// all batches so far are applied. It is only ever replaced.
	index []Waiting
	// unsure are the destinations that batches on their way are about, once
	// for each. It is only ever replaced.
	unsure []string
	// intent is true when SpaceIntent names the message.
	intent bool
	// renewed is true when the index does not say what the entry does, until a
	// batch stores both.
	renewed bool
	// gone is true from the batch on that removes the message.
	gone bool
}

// message brings an entry into memory.
func (q *Queue) message(e Entry) *message {
	m := &message{entry: e, dests: make([]string, len(e.Recipients)), lane: spec.LaneOf(e.Sender)}
	at := make(map[string]int, 1) // destination -> its line
	for i := range e.Recipients {
		r := &m.entry.Recipients[i]
		dest := q.dest(m, r)
		m.dests[i] = dest
		if !waits(r) {
			continue
		}
		line, ok := at[dest]
		if !ok {
			line = len(m.index)
			at[dest] = line
			m.index = append(m.index, Waiting{dest, r.Due, e.ID, m.lane})
		}
		m.index[line].Due = min(m.index[line].Due, r.Due)
	}
	return m
}

// dest is the destination of a recipient.
func (q *Queue) dest(m *message, r *Recipient) string {
	return r.Destination(q.policy, m.entry.Sender)
}

// newMessage completes an entry with its recipients, all due at once. A mailbox
// that is named twice is one recipient. asked is what was asked for about them,
// in their order.
func (q *Queue) newMessage(e Entry, to []string, asked []spec.Asked) *message {
	seen := make(map[string]bool, len(to))
	for i, address := range to {
		if key := spec.Mailbox(address); !seen[key] {
			seen[key] = true
			e.Recipients = append(e.Recipients, Recipient{
				Address: address, State: spec.Queued, Due: e.Submitted, Asked: spec.AskedOf(asked, i),
			})
		}
	}
	return q.message(e)
}

// waits reports whether the index leads to a recipient. Those in intent keep
// their line, so that it follows from the entry alone what the index holds. For
// one that is parked there is none: nothing is due.
func waits(r *Recipient) bool {
	return (r.State == spec.Queued || r.State == spec.Intent) && !r.Parked
}

// line returns the line that the index has to hold for a destination; ok is
// false when there is none.
func (m *message) line(dest string) (line Waiting, ok bool) {
	line = Waiting{dest, never, m.entry.ID, m.lane}
	for i, d := range m.dests {
		if r := &m.entry.Recipients[i]; d == dest && waits(r) {
			line.Due, ok = min(line.Due, r.Due), true
		}
	}
	return line, ok
}

// indexed returns the line that the index holds for a destination.
func (m *message) indexed(dest string) (line Waiting, ok bool) {
	i := slices.IndexFunc(m.index, func(w Waiting) bool { return w.Destination == dest })
	if i < 0 {
		return Waiting{}, false
	}
	return m.index[i], true
}

// reindex returns the changes that bring the index to what the entry says of
// some destinations.
func (m *message) reindex(dests []string) []seam.Op {
	var ops []seam.Op
	index := slices.Clone(m.index)
	for _, dest := range dests {
		at := slices.IndexFunc(index, func(w Waiting) bool { return w.Destination == dest })
		line, ok := m.line(dest)
		switch {
		case at >= 0 && ok && index[at] == line:
			continue
		case at >= 0:
			ops = append(ops, seam.Op{Key: index[at].Key(), Delete: true})
			index = slices.Delete(index, at, at+1)
		}
		if ok {
			ops = append(ops, seam.Op{Key: line.Key()})
			index = append(index, line)
		}
	}
	m.index = index
	return ops
}

// waitsAt lists the destinations that the index leads from.
func (m *message) waitsAt() []string {
	dests := make([]string, len(m.index))
	for i := range m.index {
		dests[i] = m.index[i].Destination
	}
	return dests
}

// due is when the queued recipients at a destination are due; ok is false
// when there are none.
func (m *message) due(dest string) (due spec.Wall, ok bool) {
	due = never
	for i, d := range m.dests {
		if r := &m.entry.Recipients[i]; d == dest && r.State == spec.Queued && !r.Parked {
			due, ok = min(due, r.Due), true
		}
	}
	return due, ok
}

// known takes up what a batch led to at some destinations, now that it is
// durable.
func (q *Queue) known(m *message, dests []string) {
	m.commits--
	m.jobs++ // keeps the message when a group of it is evicted at once
	for _, dest := range dests {
		q.enqueue(m, dest)
	}
	m.jobs--
	q.forget(m)
}

// forget drops a message from memory when nothing of it is there any more.
func (q *Queue) forget(m *message) {
	if m.commits == 0 && m.jobs == 0 && len(m.groups) == 0 {
		delete(q.messages, m.entry.ID)
		q.reads.forgot(m.entry.ID)
	}
}

// without returns a list from which one of each of the others is taken away.
func without(list, others []string) []string {
	if len(others) == 0 {
		return list
	}
	list = slices.Clone(list)
	for _, other := range others {
		if i := slices.Index(list, other); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	return list
}
