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
	// lanes are those in which something waits, in order; turn is the first that
	// has its turn, when it has something to do.
	lanes []*lane
	turn  spec.Lane
	// loading is true while the read number read, of the lane reading, is under way;
	// missed is the first line that it may have missed.
	loading bool
	reading spec.Lane
	read    uint64
	missed  Waiting
	// ready is true while the destination is in Queue.ready, heaped while it
	// is in Queue.timed, with its place and the time it is ordered by.
	ready, heaped bool
	place         int
	at            spec.Wall
	// paused is true when no attempt is to begin here.
	paused bool
	// reach is what is known of the destination. holds counts what is on its way
	// that changes this, or what waits there: it keeps the destination in memory.
	reach reach
	holds int
}

const never = spec.Wall(1<<63 - 1)

func (q *Queue) destination(name string) *destination {
	d := q.destinations[name]
	if d == nil {
		d = &destination{
			name: name, paused: slices.Contains(q.paused, name), reach: reach{limit: q.policy.Limits.First()},
		}
		q.destinations[name] = d
	}
	return d
}

// page is how many groups a lane's window may hold: with those of the others
// enough to keep the destination's deliveries busy. One that is dead has none.
func (q *Queue) page(d *destination) int {
	all := max(8, 4*q.policy.Limits.DeliveriesPerDestination)
	if d.reach.dead(q.clock.now()) {
		all = 8
	}
	return max(2, all/max(1, len(d.lanes)))
}

// spare is how many groups there is memory for.
func (q *Queue) spare() int { return q.policy.Limits.WindowGroups - q.window - q.promised }

// room is how many groups a lane's window may hold now. When memory is short it
// is one, so that each destination can go on, and that only when its delivery can
// begin at once.
func (q *Queue) room(d *destination, l *lane) int {
	now := q.clock.now()
	switch {
	case q.spare() >= 0:
		return q.page(d)
	case q.recovery.ready && q.active < q.policy.Limits.Deliveries && q.free(d) <= now && l.first(now) != nil && d.next(now) == l:
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
	l := d.lane(line.Lane)
	if d.paused && !q.lapsed(m, d) {
		q.passBy(m, d, l)
		return
	}
	if l.more && line.name() > l.cursor {
		l.next = min(l.next, due)
		d.miss(line)
		q.place(d)
		return
	}
	g := &group{message: m, destination: d, line: line, due: due}
	at, _ := slices.BinarySearchFunc(l.waiting, g, byKey)
	l.waiting = slices.Insert(l.waiting, at, g)
	m.groups = append(m.groups, g)
	q.window++
	if len(l.waiting) > q.room(d, l) {
		q.evict(d, l)
	}
	q.place(d)
}

func byKey(a, b *group) int {
	return cmp.Or(cmp.Compare(a.line.Due, b.line.Due), cmp.Compare(a.line.ID, b.line.ID))
}

// evict leaves the last group of the window to the disk. All that comes before
// it is in the window, unless it was beyond the cursor itself: recovery puts
// groups there before it is known what else the disk holds.
func (q *Queue) evict(d *destination, l *lane) {
	last := l.waiting[len(l.waiting)-1]
	name := last.line.name()
	before := name[:len(name)-1]
	if !l.more {
		l.more, l.cursor, l.next = true, before, last.due
	}
	l.cursor, l.next = min(l.cursor, before), min(l.next, last.due)
	q.drop(last)
	d.miss(last.line)
	q.forget(last.message)
}

// drop takes a group out of memory.
func (q *Queue) drop(g *group) {
	g.leave()
	m := g.message
	m.groups = slices.DeleteFunc(m.groups, func(h *group) bool { return h == g })
	q.window--
}

// leave takes a group out of the window of its lane, if it is there.
func (g *group) leave() {
	l := g.destination.findLane(g.line.Lane)
	if l == nil {
		return
	}
	if i := slices.Index(l.waiting, g); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

// place orders the destination by its next due time, or lets it go when
// nothing is left of it.
func (q *Queue) place(d *destination) {
	d.tidy()
	if d.ready {
		return
	}
	at := q.nextAt(d)
	idle := at == never && d.active == 0 && len(d.lanes) == 0 && !d.loading && d.holds == 0
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
