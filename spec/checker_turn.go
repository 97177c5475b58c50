package spec

import "cmp"

// FAIR-AND-BOUNDED, between senders: at one destination their mail takes turns. Who
// has very much of it there does not hold up who has little. Senders who share a
// lane count as one, see Lane.

// A turn is what the relay has done for one lane at one destination, in order.
type turn struct {
	// begun are the last attempts that it began, the latest last; nil for none.
	begun [mostTurns]*event
	// last is the last word on it, whatever that was: also what ends or waits longer
	// without an attempt has had its turn.
	last *event
}

// mostTurns is how many attempts for others, of one lane, are too many to begin
// while mail of another lane is due. In turn there is one. A second one may have been
// chosen when no other mail was due.
const mostTurns = 3

func (l *load) turn(lane Lane) *turn {
	if l.turns == nil {
		l.turns = map[Lane]*turn{}
	}
	t := l.turns[lane]
	if t == nil {
		t = &turn{}
		l.turns[lane] = t
	}
	return t
}

// turns notes that the relay has said something of mail at a destination.
func (c *Checker) turns(e *event) {
	m := c.mailOf(e)
	if m == nil || m.from == "" || len(e.To) == 0 {
		return
	}
	dest := cmp.Or(e.Dest, c.policy.Destination(m.from, e.To[0]))
	t := c.fair.dest(dest).turn(LaneOf(m.from))
	t.last = e
	if e.Kind == FactAttempt {
		copy(t.begun[:], t.begun[1:])
		t.begun[mostTurns-1] = e
	}
}

// judgeTurn judges whose mail has begun since that of an attempt is due. It says
// nothing where the relay may have had other work with the index: where the clock
// was set it puts lines right first.
func (c *Checker) judgeTurn(j *job, here *load, due Wall) {
	m := j.mail
	if m.from == "" || m.twins || j.urgent || c.fair.since == 0 || here.reach.lost || c.clock.jump != nil {
		return
	}
	mine := LaneOf(m.from)
	since := max(due, c.fair.since, c.alone(here), here.touched)
	if last := here.turn(mine).last; last != nil {
		since = max(since, last.At)
	}
	for lane := Lane('a'); lane < 'a'+Lanes; lane++ {
		t := here.turns[lane]
		if lane == mine || t == nil || t.begun[0] == nil || t.begun[0].At <= since || c.endsInLane(mine, j.dest, since) {
			continue
		}
		first, last := t.begun[0], t.begun[mostTurns-1]
		c.violate(FairAndBounded, "turn "+j.start.Job, []*event{m.queued, first, last, j.start},
			"%s to %s was due for %s when its attempt began; meanwhile %d began there for another sender, and none for its own, %s",
			m.id, j.dest, ago(j.start.At.Sub(since)), mostTurns, m.from)
		return
	}
}

// endsInLane reports whether mail of a lane at a destination may have ended since a
// time, or may be about to, because its lifetime is over: that takes its turns too,
// and is told only when it is stored.
func (c *Checker) endsInLane(lane Lane, dest string, since Wall) bool {
	for _, m := range c.mail {
		end, _ := m.expires(c.policy)
		if LaneOf(m.from) != lane || c.farthest() < end.Add(-instant) {
			continue
		}
		for _, r := range m.rcpts {
			if r.dest == dest && r.owed && (!r.state.Final() || r.outcome == nil || r.outcome.At > since) {
				return true
			}
		}
	}
	return false
}
