package exhaust

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// An item is what the disk holds under one key. It is never changed.
type item struct {
	key   seam.Key
	value []byte
	// entry is what a control entry says, line what an index key says, and
	// about what a body that is a report says of recipients.
	entry *queue.Entry
	line  queue.Waiting
	about []told
}

// A change is one operation of a batch.
type change struct {
	item
	gone bool
}

// A batch is one that the core asked to store. It is never changed.
type batch struct {
	seq     uint64
	changes []change
	// effects are what becomes true when it is durable, besides what it says.
	effects []effect
}

// An effect is what the durability of a batch makes true of a mail.
type effect struct {
	kind effectKind
	mail string
	at   spec.Wall
}

type effectKind uint8

const (
	// notBefore: it is not to be attempted before a time.
	notBefore effectKind = iota
	// isRefused: a server refused it for good.
	isRefused
	// isDelivered and mayRetry are the operator's words.
	isDelivered
	mayRetry
	// isParked, isReleased and isDeleted are, too: no attempt, attempts again,
	// never one.
	isParked
	isReleased
	isDeleted
)

func newBatch(c queue.Commit) *batch {
	b := &batch{seq: c.Seq, changes: make([]change, len(c.Ops))}
	for i, op := range c.Ops {
		x := change{item: item{key: op.Key, value: op.Value}, gone: op.Delete}
		switch {
		case op.Delete:
		case op.Key.Space == seam.SpaceControl:
			x.entry, _ = queue.DecodeEntry(op.Value)
		case op.Key.Space == seam.SpaceBody:
			x.about = readReport(op.Value)
		}
		if op.Key.Space == seam.SpaceDue {
			x.line, _ = queue.ParseWaiting(op.Key.Name)
		}
		b.changes[i] = x
	}
	return b
}

// A disk is an ordered map. It is never changed: with makes another.
type disk []item

func order(a item, k seam.Key) int {
	return cmp.Or(cmp.Compare(a.key.Space, k.Space), strings.Compare(a.key.Name, k.Name))
}

// with returns the disk after a batch.
func (d disk) with(b *batch) disk {
	next := make(disk, len(d), len(d)+len(b.changes))
	copy(next, d)
	for _, x := range b.changes {
		at, there := slices.BinarySearchFunc(next, x.key, order)
		switch {
		case there && x.gone:
			next = slices.Delete(next, at, at+1)
		case there:
			next[at] = x.item
		case !x.gone:
			next = slices.Insert(next, at, x.item)
		}
	}
	return next
}

// get returns what stands under a key, or nil.
func (d disk) get(k seam.Key) *item {
	if at, there := slices.BinarySearchFunc(d, k, order); there {
		return &d[at]
	}
	return nil
}

// entry returns a message's control entry, or nil.
func (d disk) entry(id spec.QueueID) *queue.Entry {
	if x := d.get(seam.ControlKey(id)); x != nil {
		return x.entry
	}
	return nil
}

// A reading is what a read of the disk found: index lines, and the control
// entries of messages by their IDs, nil for one that is not there.
type reading struct {
	lines   []queue.Waiting
	ids     []spec.QueueID
	entries []*item
	paused  []string
	more    bool
	next    spec.Wall
}

func (r *reading) add(d disk, id spec.QueueID) {
	r.ids, r.entries = append(r.ids, id), append(r.entries, d.get(seam.ControlKey(id)))
}

// read reads what the core asks for, as the shell does (impl/load.go). Bodies
// in the making do not occur here: a submission's content comes in its batch.
func (d disk) read(l queue.Load) reading {
	var r reading
	if l.Kind == queue.LoadMessage {
		r.add(d, l.ID)
		return r
	}
	var last queue.Waiting
	wanted := queue.Waiting{Destination: l.Destination, Lane: l.Lane}
	for i := range d {
		switch k := d[i].key; {
		case l.Kind == queue.LoadIntents && k.Space == seam.SpaceIntent:
			r.add(d, spec.QueueID(k.Name))
		case l.Kind == queue.LoadDestinations && k.Space == seam.SpaceDue && !sameLane(d[i].line, last):
			last = d[i].line
			r.lines = append(r.lines, d[i].line)
		case l.Kind == queue.LoadDestinations && k.Space == seam.SpacePaused:
			r.paused = append(r.paused, k.Name)
		case l.Kind == queue.LoadGroups && k.Space == seam.SpaceDue && sameLane(d[i].line, wanted) && k.Name > l.After:
			if len(r.lines) == l.Limit {
				r.more, r.next = true, d[i].line.Due
				return r
			}
			r.lines = append(r.lines, d[i].line)
			r.add(d, d[i].line.ID)
		}
	}
	return r
}

func sameLane(a, b queue.Waiting) bool { return a.Destination == b.Destination && a.Lane == b.Lane }

// answer is the event that brings the reading to the core.
func (r reading) answer(l queue.Load) queue.Loaded {
	e := queue.Loaded{Load: l, Groups: r.lines, Paused: r.paused, More: r.more, Next: r.next}
	for i, id := range r.ids {
		raw := queue.Raw{ID: id}
		if x := r.entries[i]; x != nil {
			raw.Value = x.value
		}
		e.Entries = append(e.Entries, raw)
	}
	return e
}

// A told is what a report says of one recipient.
type told struct {
	recipient string
	state     string
}

// readReport reads the part of a report that is for programs (RFC 3464). It
// shares no code with the core that wrote it. Content that is no report tells
// of nobody.
func readReport(content []byte) []told {
	var all []told
	for line := range strings.Lines(string(content)) {
		if to, ok := strings.CutPrefix(line, "Final-Recipient: rfc822; "); ok {
			all = append(all, told{recipient: strings.TrimSpace(to)})
		}
		if state, ok := strings.CutPrefix(line, "X-Postonce-State: "); ok && len(all) > 0 {
			all[len(all)-1].state = strings.TrimSpace(state)
		}
	}
	return all
}
