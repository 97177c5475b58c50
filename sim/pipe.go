package sim

import (
	"math/rand/v2"
	"time"
)

// window is that of a connection of which the scenario says nothing else.
const window = 64 << 10

// A pipe is one direction of a connection. Segments arrive each at an instant
// of its own, in the order in which they were sent.
type pipe struct {
	world    *world
	random   *rand.Rand
	from, to *conn
	// window is how many bytes may be on the way or unread; then the writer
	// waits.
	window int
	// last is when the latest segment arrives.
	last time.Duration
	// flying counts the bytes on the way; arrived are those not yet read.
	flying  int
	arrived []byte
	// finSent, resetSent: no more is to come. fin, reset: they have arrived.
	finSent, resetSent, fin, reset bool
	// split makes reads return less than there is.
	split bool
	// updating is true while the writer is about to hear of more room.
	updating bool
}

// room is how many bytes may be sent now.
func (p *pipe) room() int { return p.window - p.flying - len(p.arrived) }

// arrival claims the instant at which a segment arrives that is sent now.
func (p *pipe) arrival(s span) time.Duration {
	p.last = p.world.claim(max(p.world.now()+s.draw(p.random), p.last+1))
	return p.last
}

// send sends a copy of b, which fits into the window.
func (p *pipe) send(b []byte) {
	segment, sent := append([]byte(nil), b...), p.world.now()
	p.flying += len(segment)
	p.world.marks.changed()
	p.world.after(p.arrival(segmentTime), func() {
		p.flying -= len(segment)
		switch {
		case p.reset, sent >= p.from.owner.void:
		case p.to.owner.dead:
			// A machine that is gone says nothing; kill has sent the RST.
		case p.to.closed:
			p.to.out.sendReset() // RFC 9293 section 3.5.2
		default:
			p.arrived = append(p.arrived, segment...)
			p.to.reader.wake()
		}
	})
}

// sendFin says that no more bytes come.
func (p *pipe) sendFin() {
	if p.finSent || p.resetSent {
		return
	}
	p.finSent = true
	p.world.marks.changed()
	p.world.after(p.arrival(segmentTime), func() {
		p.fin = true
		p.to.reader.wake()
	})
}

// sendReset breaks the connection off, after what was sent before. What has
// arrived by then can still be read, as on Linux.
func (p *pipe) sendReset() {
	if p.resetSent {
		return
	}
	p.resetSent = true
	p.world.marks.changed()
	p.world.after(p.arrival(resetTime), func() {
		p.reset = true
		p.to.reader.wake()
		p.to.writer.wake()
	})
}

// read moves what has arrived into b. The writer hears of the room, when it
// waits for some, as late as any segment.
func (p *pipe) read(b []byte) int {
	n := min(len(b), len(p.arrived))
	if n > 1 && p.split {
		n = 1 + p.random.IntN(n)
	}
	copy(b, p.arrived[:n])
	p.arrived = p.arrived[n:]
	if len(p.arrived) == 0 {
		p.arrived = nil
	}
	if p.from.writer.waiting > 0 && !p.updating {
		p.updating = true
		p.world.after(p.world.later(p.random, segmentTime), func() {
			p.updating = false
			p.from.writer.wake()
		})
	}
	return n
}
