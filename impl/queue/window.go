package queue

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/postonce/postonce/spec"
)

// A group is the recipients of one message that wait for one destination.
type group struct {
	message     *message
	destination *destination
	line        Waiting // as it stands on disk
	due         spec.Wall
	active      bool
}

// A destination is one that has something waiting or running.
type destination struct {
	name   string
	active int
	// waiting is the window: groups in the order of their index keys.
	waiting []*group
	// more is true when the disk holds groups beyond cursor; next is when the
	// first of them is due.
	more   bool
	cursor string
	next   spec.Wall
	// loading is true while the read number read is under way; missed is the
	// first line that it may have missed.
	loading bool
	read    uint64
	missed  Waiting
	// ready is true while the destination is in Queue.ready, heaped while it
	// is in Queue.timed, with its place and the time it is ordered by.
	ready, heaped bool
	place         int
	at            spec.Wall
	// paused is true when no attempt is to begin here; later is then when the
	// first lapses of those who were met: see pause.go.
	paused bool
	later  spec.Wall
	// reach is what is known of the destination. holds counts what is on its way
	// that changes this, or what waits there: it keeps the destination in memory.
	reach reach
	holds int
}

const never = spec.Wall(1<<63 - 1)

// due returns when the destination next has something to do.
func (d *destination) due() spec.Wall {
	at := never
	if len(d.waiting) > 0 {
		at = d.waiting[0].due
	}
	if d.more && !d.loading {
		at = min(at, d.next)
	}
	return at
}

func (q *Queue) destination(name string) *destination {
	d := q.destinations[name]
	if d == nil {
		d = &destination{
			name: name, paused: slices.Contains(q.paused, name), later: never, reach: reach{limit: q.policy.Limits.First()},
		}
		q.destinations[name] = d
	}
	return d
}

// page is how many groups a destination's window may hold: enough to keep its
// deliveries busy. One that is dead has none.
func (q *Queue) page(d *destination) int {
	if d.reach.dead(q.clock.now()) {
		return 8
	}
	return max(8, 4*q.policy.Limits.DeliveriesPerDestination)
}

// spare is how many groups there is memory for.
func (q *Queue) spare() int { return q.policy.Limits.WindowGroups - q.window - q.promised }

// room is how many groups a destination's window may hold now. When memory is
// short it is one, so that each can go on, and that only when its delivery can
// begin at once.
func (q *Queue) room(d *destination) int {
	now := q.clock.now()
	switch {
	case q.spare() >= 0:
		return q.page(d)
	case q.recovery.ready && q.active < q.policy.Limits.Deliveries && q.free(d) <= now && d.waiting[0].due <= now:
		return 1
	}
	return 0
}

// enqueue puts the message's group at a destination into the window, unless it
// is there, or runs, or is beyond the cursor and will be loaded; or a batch is
// on its way that changes it.
func (q *Queue) enqueue(m *message, dest string) {
	if m.gone || slices.Contains(m.unsure, dest) {
		return
	}
	if line, ok := m.indexed(dest); ok {
		q.admit(m, line)
	}
}

// withdraw takes groups that wait out of their windows: a batch is on its way
// that changes them, and when it is durable they come back as they are then.
func (q *Queue) withdraw(m *message, dests []string) {
	for _, g := range slices.Clone(m.groups) {
		if !g.active && slices.Contains(dests, g.destination.name) {
			q.drop(g)
			q.place(g.destination)
		}
	}
}

func (q *Queue) admit(m *message, line Waiting) {
	due, queued := m.due(line.Destination)
	if !queued || slices.ContainsFunc(m.groups, func(g *group) bool { return g.destination.name == line.Destination }) {
		return
	}
	if now, _ := m.line(line.Destination); now != line {
		q.moved(m) // and admitted when that is durable
		return
	}
	d := q.destination(line.Destination)
	if d.paused && !q.lapsed(m, d) {
		q.passBy(m, d)
		return
	}
	if d.more && line.name() > d.cursor {
		d.next = min(d.next, due)
		d.miss(line)
		q.place(d)
		return
	}
	g := &group{message: m, destination: d, line: line, due: due}
	at, _ := slices.BinarySearchFunc(d.waiting, g, byKey)
	d.waiting = slices.Insert(d.waiting, at, g)
	m.groups = append(m.groups, g)
	q.window++
	if len(d.waiting) > q.room(d) {
		q.evict(d)
	}
	q.place(d)
}

func byKey(a, b *group) int {
	return cmp.Or(cmp.Compare(a.line.Due, b.line.Due), cmp.Compare(a.line.ID, b.line.ID))
}

// evict leaves the last group of the window to the disk. All that comes before
// it is in the window, unless it was beyond the cursor itself: recovery puts
// groups there before it is known what else the disk holds.
func (q *Queue) evict(d *destination) {
	last := d.waiting[len(d.waiting)-1]
	name := last.line.name()
	before := name[:len(name)-1]
	if !d.more {
		d.more, d.cursor, d.next = true, before, last.due
	}
	d.cursor, d.next = min(d.cursor, before), min(d.next, last.due)
	q.drop(last)
	d.miss(last.line)
	q.forget(last.message)
}

// drop takes a group out of memory.
func (q *Queue) drop(g *group) {
	d := g.destination
	if i := slices.Index(d.waiting, g); i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
	m := g.message
	m.groups = slices.DeleteFunc(m.groups, func(h *group) bool { return h == g })
	q.window--
}

// place orders the destination by its next due time, or lets it go when
// nothing is left of it.
func (q *Queue) place(d *destination) {
	if d.ready {
		return
	}
	at := q.nextAt(d)
	idle := at == never && d.active == 0 && len(d.waiting) == 0 && !d.more && !d.loading && d.holds == 0
	if free := d.reach.began.Add(q.policy.Limits.Pace()); idle && free > q.clock.now() {
		at, idle = free, false // what comes next may not go before
	}
	switch {
	case at == never && d.heaped:
		heap.Remove(&q.timed, d.place)
	case at != never && d.heaped:
		d.at = at
		heap.Fix(&q.timed, d.place)
	case at != never:
		d.at = at
		heap.Push(&q.timed, d)
	}
	if idle {
		delete(q.destinations, d.name)
	}
}

// timedHeap is a heap of destinations, the one due first on top; equals in
// order of name, so that the order never hangs on a map's.
type timedHeap []*destination

func (h timedHeap) Len() int { return len(h) }
func (h timedHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].name, h[j].name)) < 0
}
func (h timedHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *timedHeap) Push(x any) {
	d := x.(*destination)
	d.place, d.heaped = len(*h), true
	*h = append(*h, d)
}

// Pop is for container/heap.
func (h *timedHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	d.heaped = false
	return d
}
