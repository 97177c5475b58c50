package queue

import (
	"maps"
	"slices"

	"github.com/postonce/postonce/spec"
)

// Clone returns a core in the same state. The two share nothing that a step
// changes, so stepping one does not show in the other; they do share what is
// only ever replaced: the policy, index lines, facts, results, addresses.
//
// A search needs it, to go on from one state in several ways. It is meant for
// a core that holds little: it takes time quadratic in what is in memory.
func (q *Queue) Clone() *Queue {
	c := cloner{
		make([]twin[message], 0, len(q.messages)), make([]twin[destination], 0, len(q.destinations)), make([]twin[group], 0, q.window),
	}
	d := *q
	d.messages = make(map[spec.QueueID]*message, len(q.messages))
	for id, m := range q.messages { // any order: each goes to its own place
		d.messages[id] = c.message(m)
	}
	d.destinations = make(map[string]*destination, len(q.destinations))
	for name, dest := range q.destinations { // any order: each goes to its own place
		d.destinations[name] = c.destination(dest)
	}
	d.timed = each(q.timed, c.destination)
	d.ready = each(q.ready, c.destination)
	d.reads.left = maps.Clone(q.reads.left)
	d.jobs = make(map[string]*job, len(q.jobs))
	for id, j := range q.jobs { // any order: each goes to its own place
		k := *j
		k.message, k.group = c.message(j.message), c.group(j.group)
		d.jobs[id] = &k
	}
	d.pending = make(map[uint64]*commit, len(q.pending))
	for seq, p := range q.pending { // any order: each goes to its own place
		r := *p
		r.message, r.fresh = c.message(p.message), each(p.fresh, c.message)
		d.pending[seq] = &r
	}
	d.shares = make(map[string]*share, len(q.shares))
	for address, s := range q.shares { // any order: each goes to its own place
		t := *s
		d.shares[address] = &t
	}
	d.decisions = maps.Clone(q.decisions)
	d.actions = nil
	return &d
}

// A cloner knows the twin of each thing it has cloned: the state is a graph.
type cloner struct {
	messages     []twin[message]
	destinations []twin[destination]
	groups       []twin[group]
}

type twin[T any] struct{ old, new *T }

// twinOf returns the twin of old, and whether it was there already.
func twinOf[T any](all *[]twin[T], old *T) (*T, bool) {
	for _, t := range *all {
		if t.old == old {
			return t.new, true
		}
	}
	t := twin[T]{old, new(T)}
	*t.new = *old
	*all = append(*all, t)
	return t.new, false
}

// each clones a list of pointers.
func each[T any](list []*T, clone func(*T) *T) []*T {
	if list == nil {
		return nil
	}
	twins := make([]*T, len(list))
	for i, old := range list {
		twins[i] = clone(old)
	}
	return twins
}

func (c *cloner) message(old *message) *message {
	if old == nil {
		return nil
	}
	m, known := twinOf(&c.messages, old)
	if !known {
		m.entry.Recipients = slices.Clone(old.entry.Recipients)
		m.groups = each(old.groups, c.group)
	}
	return m
}

func (c *cloner) destination(old *destination) *destination {
	if old == nil {
		return nil
	}
	d, known := twinOf(&c.destinations, old)
	if !known {
		d.lanes = each(old.lanes, func(l *lane) *lane {
			twin := *l
			twin.waiting = each(l.waiting, c.group)
			return &twin
		})
	}
	return d
}

func (c *cloner) group(old *group) *group {
	if old == nil {
		return nil
	}
	g, known := twinOf(&c.groups, old)
	if !known {
		g.message, g.destination = c.message(old.message), c.destination(old.destination)
	}
	return g
}
