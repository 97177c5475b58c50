package exhaust

import (
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A word is what the operator says of the first destination.
type word uint8

const (
	pause word = iota + 1
	resume
)

// String names the word.
func (o word) String() string { return [...]string{"nothing", "pause", "resume"}[o] }

// first is the destination that the operator may pause.
func (w World) first() string { return "p.test" }

// pauseEvents lists what the operator can say of it. He resumes what the disk
// says to be paused, so that in the end nothing is.
func (s *state) pauseEvents(list []event) []event {
	switch {
	case !s.ready || s.pausing != 0:
	case s.marked():
		list = append(list, event{kind: pausing, x: uint8(resume)})
	case s.pauses > 0:
		list = append(list, event{kind: pausing, x: uint8(pause)})
	}
	return list
}

// marked reports whether the destination is paused by what is stored, durably
// or not yet.
func (s *state) marked() bool {
	key := queue.PausedKey(s.world.first())
	marked := s.disk.get(key) != nil
	for _, b := range s.unacked {
		for i := range b.changes {
			if b.changes[i].key == key {
				marked = !b.changes[i].gone
			}
		}
	}
	return marked
}

// pause is the operator's word.
func (s *state) pause(o word) {
	s.pausing = o
	if o == pause {
		s.pauses--
	}
	s.paused = s.paused && o != resume
	s.step(queue.Pause{Ticket: 99, Destination: s.world.first(), Resume: o == resume})
}

// answeredPause is the answer to it.
func (s *state) answeredPause(a queue.Decided) {
	key := seam.Key{Space: seam.SpacePaused, Name: s.world.first()}
	switch {
	case s.pausing == 0:
		s.violate(spec.Progress, "the relay answers an operator, who does not wait")
	case a.Err != nil:
		s.violate(spec.Progress, "the relay refuses a %s: %v", s.pausing, a.Err)
	case (s.disk.get(key) != nil) != (s.pausing == pause):
		s.violate(spec.RetryOnTime, "the relay says that a %s is done before it is stored: power loss would undo it", s.pausing)
	}
	s.paused, s.pausing = s.pausing == pause, 0
}
