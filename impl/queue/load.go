package queue

import (
	"fmt"
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
		last := ""
		for _, line := range e.Groups {
			d := q.destination(line.Destination)
			d.more, d.next = true, q.clock.sane(line.Due, q.policy.Schedule.Max)
			q.place(d)
			last = AfterDestination(line.Destination)
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

// loadedGroups fills the window of a destination.
func (q *Queue) loadedGroups(e Loaded) {
	d := q.destinations[e.Load.Destination]
	if d == nil || !d.loading {
		return
	}
	d.loading = false
	if stale := q.reads.end(d.read, e.Entries); stale || d.missed {
		// Something changed while it was read: read again.
		q.load(d)
		return
	}
	d.more, d.next = e.More, q.clock.sane(e.Next, q.policy.Schedule.Max)
	if n := len(e.Groups); n > 0 {
		d.cursor = e.Groups[n-1].name()
	}
	var lost []seam.Key
	for i, line := range e.Groups {
		if !q.take(d, line, e.Entries[i]) {
			lost = append(lost, line.Key())
		}
	}
	if len(lost) > 0 {
		q.act(q.eraseKeys(lost...))
	}
	q.place(d)
}

// take admits one loaded group; false when its index line leads nowhere.
func (q *Queue) take(d *destination, line Waiting, raw Raw) bool {
	m := q.decode(raw)
	if m == nil || m.gone {
		return false
	}
	if slices.Contains(m.unsure, d.name) {
		return true // what its commit leads to is admitted when it is durable
	}
	for _, now := range m.index {
		if now == line {
			q.admit(m, line)
			q.forget(m)
			return true
		}
	}
	q.forget(m)
	return false
}

// load reads the next page of a destination's groups.
func (q *Queue) load(d *destination) {
	d.read = q.reads.begin()
	d.loading, d.missed = true, false
	q.act(Load{Kind: LoadGroups, Destination: d.name, After: d.cursor, Limit: q.page()})
}

// reads tells whether what a read of messages brings is still true. A message in
// memory is the truth about itself; one that left memory after the read began
// may have changed since.
type reads struct {
	count, under uint64
	left         map[spec.QueueID]uint64 // message -> reads begun when it left
}

func (r *reads) begin() uint64 {
	r.count++
	r.under++
	return r.count
}

// end ends the read number n and reports whether the entries it brought have
// to be read again.
func (r *reads) end(n uint64, entries []Raw) (stale bool) {
	r.under--
	for _, raw := range entries {
		stale = stale || r.left[raw.ID] >= n
	}
	if r.under == 0 {
		clear(r.left)
	}
	return stale
}

func (r *reads) forgot(id spec.QueueID) {
	if r.under == 0 {
		return
	}
	if r.left == nil {
		r.left = map[spec.QueueID]uint64{}
	}
	r.left[id] = r.count
}
