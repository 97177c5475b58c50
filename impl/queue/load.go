package queue

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// loaded takes in what was read of the spool.
func (q *Queue) loaded(e Loaded) {
	if e.Err != nil {
		q.halt(fmt.Errorf("reading the spool: %w", e.Err))
		return
	}
	for _, name := range e.Unread {
		q.setAsideLine(name)
	}
	switch e.Load.Kind {
	case LoadGroups:
		q.loadedGroups(e)
		return
	case LoadMessage:
		q.loadedMessage(e)
		return
	case LoadIntents:
		for _, raw := range e.Entries {
			q.recoverIntent(raw)
		}
		q.readOn(e, lastID(e.Entries))
	case LoadWriting:
		q.loadedWriting(e)
	case LoadDestinations:
		q.recoverPaused(e.Paused)
		last := ""
		for _, line := range e.Groups {
			d := q.destination(line.Destination)
			l := d.lane(line.Lane)
			l.more, l.next = true, q.clock.sane(line.Due, q.policy.Longest(d.name))
			q.place(d)
			last = AfterLane(line.Destination, line.Lane)
		}
		for _, name := range e.Unread {
			last = max(last, name)
		}
		q.readOn(e, last)
	}
	q.recovery.loads--
	q.recovered()
}

func lastID(raws []Raw) string {
	if len(raws) == 0 {
		return ""
	}
	return string(raws[len(raws)-1].ID)
}

// readOn asks for the next page.
func (q *Queue) readOn(e Loaded, after string) {
	if e.More && after != "" {
		l := e.Load
		l.After = after
		q.read(l)
	}
}

// loadedWriting erases contents whose submission the process before did not
// finish: the submitter never saw a 250 for them.
func (q *Queue) loadedWriting(e Loaded) {
	var keys []seam.Key
	for _, raw := range e.Entries {
		keys = append(keys, seam.Key{Space: seam.SpaceWriting, Name: string(raw.ID)})
	}
	if keys = append(keys, e.Chunks...); len(keys) > 0 {
		q.act(q.eraseKeys(keys...))
	}
	q.readOn(e, lastID(e.Entries))
}

// loadedGroups fills the window of a lane.
func (q *Queue) loadedGroups(e Loaded) {
	d := q.destinations[e.Load.Destination]
	if d == nil || !d.loading {
		return
	}
	kept := q.sound(d, e)
	q.reads.end(d.read)
	q.loading, q.promised = q.loading-1, q.promised-e.Load.Limit
	missed := d.missed
	d.loading, d.missed = false, Waiting{}
	l := d.lane(e.Load.Lane)

	l.more, l.next = e.More, never
	if e.More {
		l.next = e.Next
	}
	if kept < len(e.Groups) {
		l.more, l.next = true, e.Groups[kept].Due
	}
	if missed != (Waiting{}) {
		l.more, l.next = true, min(l.next, missed.Due)
	}
	l.next = q.clock.sane(l.next, q.policy.Longest(d.name))
	if kept > 0 {
		last := e.Groups[kept-1]
		l.cursor = last.name()
		// Nothing is due before what stands before it, whatever a clock that was
		// ahead has made of it: else, when memory is short, the disk would be
		// read for it again and again, and bring only what is not due.
		l.next = max(l.next, q.clock.sane(last.Due, q.policy.Longest(d.name)))
	}
	var lost []seam.Key
	for i, line := range e.Groups[:kept] {
		if !q.take(d, line, e.Entries[i]) {
			lost = append(lost, line.Key())
		}
	}
	if len(lost) > 0 {
		q.act(q.eraseKeys(lost...))
	}
	if l := d.findLane(e.Load.Lane); l != nil {
		if kept == len(e.Groups) && l.first(q.clock.now()) == nil {
			d.had(l) // nothing begins: there are lines to be put right, or nothing is due
		}
		if d.paused {
			q.swept(d, l)
		}
	}
	q.place(d)
	q.first(d)
}

// sound returns how many groups of a page are true and leave none out before
// them. The others changed while they were read, or a group that was read too
// late or not at all belongs before them: they are read again, with the next
// page. All that were due before still stand before them, so that a page is
// taken whole where many new messages are queued behind it.
func (q *Queue) sound(d *destination, e Loaded) int {
	for i, line := range e.Groups {
		if q.reads.stale(d.read, line.ID) || d.missed != (Waiting{}) && line.name() >= d.missed.name() {
			return i
		}
	}
	return len(e.Groups)
}

// take admits one loaded group; false when its index line leads nowhere.
func (q *Queue) take(d *destination, line Waiting, raw Raw) bool {
	m := q.decode(raw)
	if m == nil {
		return false
	}
	defer q.forget(m)
	switch {
	case m.gone || m.entry.Done():
		return false
	case !slices.Contains(m.index, line):
		q.mend(m, line)
	case !slices.Contains(m.unsure, d.name): // else what is on its way there is admitted when it is durable
		q.admit(m, line)
	}
	return true
}

// mend stores the lines of a message anew, in place of one that it should not
// have. The index is by destination, and what a destination is hangs on the
// policy: when relay hosts were configured since, mail waits where nobody
// looks for it. Or it waits in no lane, from a time when there were none.
func (q *Queue) mend(m *message, line Waiting) {
	ops := []seam.Op{{Key: line.Key(), Delete: true}}
	for _, l := range m.index {
		ops = append(ops, seam.Op{Key: l.Key()})
	}
	q.commit(&commit{message: m, dests: m.waitsAt(), moves: true}, ops)
}

// load reads the next page of a lane's groups.
func (q *Queue) load(d *destination, l *lane) {
	limit := min(q.page(d), max(1, q.spare()))
	d.read, d.loading, d.reading, d.missed = q.reads.begin(), true, l.id, Waiting{}
	d.turn = l.id
	q.loading, q.promised = q.loading+1, q.promised+limit
	q.act(Load{Kind: LoadGroups, Destination: d.name, Lane: l.id, After: l.cursor, Limit: limit})
}

// miss notes a line that the read under way may have missed. The first in order
// is enough.
func (d *destination) miss(line Waiting) {
	if d.loading && line.Lane == d.reading && (d.missed == (Waiting{}) || line.name() < d.missed.name()) {
		d.missed = line
	}
}

// reads tells whether what a read of messages brings is still true. A message in
// memory is the truth about itself; one that left memory after the read began
// may have changed since.
type reads struct {
	count uint64
	// under are the reads under way, in order. It is only ever replaced.
	under []uint64
	left  map[spec.QueueID]uint64 // message -> reads begun when it left
}

func (r *reads) begin() uint64 {
	r.count++
	r.under = append(slices.Clip(r.under), r.count)
	return r.count
}

// stale reports whether what the read number n brought of a message has to be
// read again.
func (r *reads) stale(n uint64, id spec.QueueID) bool { return r.left[id] >= n }

// end ends the read number n. What only older reads can have seen is forgotten.
func (r *reads) end(n uint64) {
	r.under = slices.DeleteFunc(slices.Clone(r.under), func(m uint64) bool { return m == n })
	oldest := r.count + 1
	if len(r.under) > 0 {
		oldest = r.under[0]
	}
	if oldest > n { // else nothing changes
		maps.DeleteFunc(r.left, func(_ spec.QueueID, left uint64) bool { return left < oldest })
	}
}

func (r *reads) forgot(id spec.QueueID) {
	if len(r.under) == 0 {
		return
	}
	if r.left == nil {
		r.left = map[spec.QueueID]uint64{}
	}
	r.left[id] = r.count
}
