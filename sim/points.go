package sim

import (
	"fmt"
	"time"

	"github.com/postonce/postonce/spec"
)

// A Point is a moment at which the relay can be crashed: before or after a line
// of the trace, or before or after an operation of a seam.
//
// All that a process knows is lost with it. What follows is decided by what
// outlives it: the disk, with what it has not acknowledged; the servers and
// submitters, with what is on the way to them; what they and the DNS have
// counted; and what it has claimed to be so. Moments between which none of this
// changed, and that are within a second, are one point: what comes after them
// differs no more than by how long things took, which the seed draws anyhow.
// Longer apart, what was not due may have become so. The point has the name of
// the last of them, by which the relay has said most: that it said too much
// shows only then.
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
	// At is when, since the start of the world; Since is the first moment that
	// is the same.
	At, Since time.Duration
}

// moment is how long at most moments are the same between which nothing changed.
const moment = time.Second

// marks finds the points of a run.
type marks struct {
	// on is set when they are asked for.
	on bool
	// fresh is true when something has changed since the latest point.
	fresh bool
	all   []Point
}

// changed notes that something has changed that outlives the process.
func (m *marks) changed() { m.fresh = true }

// told notes a fact. What the relay does and thinks is forgotten with it, and so
// is what the DNS answered, or that it could not connect; not what it has claimed
// to be so, for that was heard. What happens to the disk is noted when it does.
func (m *marks) told(f *spec.Fact) {
	switch f.Kind {
	case spec.FactAttempt, spec.FactAttemptEnd, spec.FactRoute, spec.FactDial, spec.FactIdle, spec.FactReuse, spec.FactTrouble, spec.FactDot, spec.FactReady,
		spec.FactQuery, spec.FactAnswer, spec.FactConnectFailed, spec.FactStored, spec.FactErased:
	default:
		m.changed()
	}
}

// mark adds a point, unless it is the latest one.
func (w *world) mark(line, seam int, after bool) {
	m := &w.marks
	if !m.on || !w.relay.alive() {
		return
	}
	p := Point{line, seam, after, len(w.disk.pending), w.relay.number, w.now(), w.now()}
	if last := len(m.all) - 1; last >= 0 && !m.fresh && p.At-m.all[last].Since < moment {
		p.Since = m.all[last].Since
		m.all[last] = p
		return
	}
	m.fresh = false
	m.all = append(m.all, p)
}

// ops counts operations of the relay's seams.
type ops struct {
	all                 int
	store, lookup, dial opsOf
}

// opsOf counts the operations of one kind; at is when they were, when points are
// asked for.
type opsOf struct {
	count int
	at    []time.Duration
}

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
	if o.number > maxOperations {
		w.end(fmt.Sprintf("the run has more than %d operations: the relay spins", maxOperations))
	}
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
