package sim

import "time"

// A Point is a moment at which the relay can be crashed: before or after a line
// of the trace, or before or after an operation of a seam. All that a process
// knows is lost with it; so two moments between which no time passed and the
// world did not change are one point, and it has one name. What the core
// decides in between, nobody can have noticed.
type Point struct {
	// Line is a line of the trace, Seam an operation of a seam, both from 1;
	// one of them is set.
	Line, Seam int
	After      bool
	// Pending is how many batches are not durable then: the disk may keep
	// any first few of them.
	Pending int
	// Process is the number of the process that runs.
	Process int
	// At is when, since the start of the world.
	At time.Duration
}

// marks finds the points of a run.
type marks struct {
	// on is set when they are asked for.
	on bool
	// changes counts what changed in the world. seen is its value, and the
	// time, at the latest point.
	changes int
	seen    struct {
		changes int
		at      time.Duration
	}
	all []Point
}

// changed notes that something has changed that outlives the process.
func (m *marks) changed() { m.changes++ }

// mark adds a point, unless it is the latest one.
func (w *world) mark(line, seam int, after bool) {
	m := &w.marks
	if !m.on || !w.relay.alive() {
		return
	}
	now := w.now()
	if len(m.all) > 0 && m.seen.changes == m.changes && m.seen.at == now {
		return
	}
	m.seen.changes, m.seen.at = m.changes, now
	m.all = append(m.all, Point{line, seam, after, len(w.disk.pending), w.relay.number, now})
}

// ops counts operations of the relay's seams.
type ops struct{ all, store, lookup, dial int }

// An operation is one use of a seam by a process. Its number counts those of
// the relay from 1; 0 is one that does not count.
type operation struct {
	process *process
	number  int
}

// cross is called, with the lock held, when a process begins an operation of a
// seam, and over of what it returns when the operation is over. At both the
// relay may be crashed.
func (w *world) cross(p *process) operation {
	if p == w.nature || p != w.relay || !p.alive() || w.over {
		return operation{}
	}
	w.ops.all++
	o := operation{p, w.ops.all}
	w.crossing(o.number, false)
	return o
}

func (o operation) over() {
	if o.number > 0 && o.process.alive() {
		o.process.world.crossing(o.number, true)
	}
}

// across calls f as an operation of a seam.
func (p *process) across(f func()) {
	w := p.world
	w.mu.Lock()
	o := w.cross(p)
	w.mu.Unlock()
	f()
	w.mu.Lock()
	o.over()
	w.mu.Unlock()
}

// crossing is one side of an operation.
func (w *world) crossing(n int, after bool) {
	w.mark(0, n, after)
	for _, s := range w.crashes {
		if !s.over && s.Seam == n && s.When.After == after && w.now() >= s.At {
			w.crash(s)
			return
		}
	}
}
