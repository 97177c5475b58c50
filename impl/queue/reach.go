package queue

import (
	"slices"

	"github.com/postonce/postonce/spec"
)

// A reach is what this process knows of how a destination can be reached. An
// attempt reaches it when a server there opens a session. It is forgotten with
// the last mail that waits there.
type reach struct {
	// limit is how many deliveries the destination gets at once, good how many
	// attempts reached it since that was found.
	limit, good int
	// fails is how many attempts in a row reached nobody, while the destination
	// was not dead; deaths how often it was found dead in a row. It is dead until
	// until, because of last. After that one attempt goes first: the limit is 1.
	fails, deaths int
	until         spec.Wall
	last          Trouble
	// began is when the last delivery began.
	began spec.Wall
	// ordered are messages that an operator wants attempted though it is dead.
	// It is only ever replaced.
	ordered []spec.QueueID
}

// dead reports whether nothing is to be attempted now.
func (r *reach) dead(now spec.Wall) bool { return r.deaths > 0 && now < r.until }

// learn takes from the end of an attempt what it says of its destination.
func (q *Queue) learn(j *job, results []Result) {
	if j.group == nil || j.closing != nil || q.stopping {
		return
	}
	r, most := &j.group.destination.reach, q.policy.Limits.DeliveriesPerDestination
	if len(results) == 0 || slices.ContainsFunc(results, func(res Result) bool { return !res.Unreached }) {
		r.fails, r.deaths, r.until, r.last, r.ordered = 0, 0, 0, Trouble{}, nil
		if r.good++; r.limit >= most || r.good >= r.limit {
			r.limit, r.good = min(r.limit+1, most), 0
		}
		return
	}
	r.limit, r.good = max(1, r.limit-1), 0
	now := q.clock.now()
	if r.deaths == 0 {
		r.fails++
	}
	switch after := q.policy.Limits.DeadAfter; {
	case after == 0, r.fails < after, r.dead(now): // one that began before says nothing new
		return
	}
	r.deaths++
	r.until, r.limit = now.Add(q.policy.Dead(j.dest, r.deaths)), 1
	r.last = results[0].Trouble.short()
	r.last.At = now
}

// hold keeps a destination in memory until it is let go: something on its way
// changes what waits there, or what is known of it.
func (q *Queue) hold(d *destination) { d.holds++ }

func (q *Queue) letGo(d *destination) {
	d.holds--
	q.place(d)
}

func (q *Queue) holdOf(dests []string) {
	for _, dest := range dests {
		q.hold(q.destination(dest))
	}
}

func (q *Queue) letGoOf(dests []string) {
	for _, dest := range dests {
		q.letGo(q.destination(dest))
	}
}

// nextAt returns when a destination next has something to do that it may. What is
// in its way, a delivery or a batch, places it again when it ends.
func (q *Queue) nextAt(d *destination) spec.Wall {
	free := q.free(d)
	if at := d.due(); at != never && free != never {
		return max(at, free)
	}
	return never
}

// free returns from when on a destination may have something done that is due.
// One that is dead has its mail put off, one message at a time: the others have
// their turns.
func (q *Queue) free(d *destination) spec.Wall {
	l, most := q.policy.Limits, d.reach.limit
	dead := d.reach.dead(q.clock.now())
	if dead {
		most = l.DeliveriesPerDestination
	}
	switch {
	case d.active >= most, dead && d.holds > 0:
		return never
	case dead || l.PerMinute == 0 || d.reach.began == 0:
		return 0
	}
	return d.reach.began.Add(l.Pace())
}

// atDead decides about the first due group of a dead destination, or about
// one behind it that an operator wants attempted.
func (q *Queue) atDead(g *group, now spec.Wall) {
	d := g.destination
	for _, l := range d.lanes {
		for _, w := range l.waiting {
			if w.due <= now && slices.Contains(d.reach.ordered, w.message.entry.ID) {
				q.begin(w, now)
				return
			}
		}
	}
	if now >= q.expires(g.message, d.name) || q.toWarn(g, now) {
		q.begin(g, now) // which ends it, or makes the one attempt that it has left
		return
	}
	q.putOff(g, now)
}

// toWarn reports whether the sender is to be told that somebody in a group has to
// wait: an attempt does that at its end.
func (q *Queue) toWarn(g *group, now spec.Wall) bool {
	to, _ := g.message.recipients(g, now)
	return slices.ContainsFunc(to, func(address string) bool { return q.delayed(g.message, g.message.entry.recipient(address)) })
}

// putOff stores that a group is due when its destination is not dead any more,
// or its lifetime ends. This is how it waits and still ends in time, and it is
// what a restart finds.
func (q *Queue) putOff(g *group, now spec.Wall) {
	m, d := g.message, g.destination
	to, _ := m.recipients(g, now)
	due := min(d.reach.until, q.expires(m, d.name))
	for _, address := range to {
		r := m.entry.recipient(address)
		r.Due = due
		if r.Attempts == 0 {
			r.Last = d.reach.last
		}
	}
	c := &commit{message: m, dests: []string{d.name}, moves: true, facts: []spec.Fact{{
		Kind: spec.FactPutOff, Message: m.entry.Message, Queue: m.entry.ID, Dest: d.name, To: to, Due: due, Text: d.reach.last.String(),
	}}}
	q.commit(c, q.update(c, m))
}

// order notes that an operator wants a message attempted at a destination,
// whatever is known of that.
func (q *Queue) order(m *message, dest string) {
	if d := q.destinations[dest]; d != nil && d.reach.deaths > 0 && !slices.Contains(d.reach.ordered, m.entry.ID) {
		d.reach.ordered = append(slices.Clip(d.reach.ordered), m.entry.ID)
	}
}

// obeyed notes that an attempt for a message begins.
func (r *reach) obeyed(id spec.QueueID) {
	if slices.Contains(r.ordered, id) {
		r.ordered = slices.DeleteFunc(slices.Clone(r.ordered), func(o spec.QueueID) bool { return o == id })
	}
}
