package queue

import (
	"cmp"
	"slices"

	"github.com/postonce/postonce/spec"
)

// A lane is what waits at a destination for the senders who share it: a window,
// and on disk what comes after.
type lane struct {
	id spec.Lane
	// waiting is the window: groups in the order of their index keys.
	waiting []*group
	// more is true when the disk holds groups beyond cursor; next is when the
	// first of them is due.
	more   bool
	cursor string
	next   spec.Wall
	// later is, where the destination is paused, when the first lapses of those who
	// were met: see pause.go.
	later spec.Wall
}

// due returns when the lane next has something to do.
func (l *lane) due() spec.Wall {
	at := never
	if len(l.waiting) > 0 {
		at = l.waiting[0].due
	}
	if l.more {
		at = min(at, l.next)
	}
	return at
}

// first returns the first group of the window, if it is due at now.
func (l *lane) first(now spec.Wall) *group {
	if len(l.waiting) > 0 && l.waiting[0].due <= now {
		return l.waiting[0]
	}
	return nil
}

// findLane returns the lane of that name, nil when nothing waits there.
func (d *destination) findLane(id spec.Lane) *lane {
	if at, ok := slices.BinarySearchFunc(d.lanes, id, byID); ok {
		return d.lanes[at]
	}
	return nil
}

// lane returns the lane of that name, which is made if need be.
func (d *destination) lane(id spec.Lane) *lane {
	at, ok := slices.BinarySearchFunc(d.lanes, id, byID)
	if !ok {
		d.lanes = slices.Insert(d.lanes, at, &lane{id: id, later: never})
	}
	return d.lanes[at]
}

func byID(l *lane, id spec.Lane) int { return cmp.Compare(l.id, id) }

// due returns when the destination next has something to do. A read that is
// under way is for the lane that has its turn: the others wait for theirs.
func (d *destination) due() spec.Wall {
	at := never
	if d.loading {
		return at
	}
	for _, l := range d.lanes {
		at = min(at, l.due())
	}
	return at
}

// next returns the lane that has its turn at now: of those that have something to
// do the first that comes after the last one that had a turn. Nil is none.
func (d *destination) next(now spec.Wall) *lane {
	var first *lane
	for _, l := range d.lanes {
		if l.due() > now {
			continue
		}
		if l.id >= d.turn {
			return l
		}
		if first == nil {
			first = l
		}
	}
	return first
}

// had notes that a lane has had its turn.
func (d *destination) had(l *lane) {
	d.turn = 0 // in a single lane: it decides nothing
	if len(d.lanes) > 1 {
		d.turn = l.id + 1
	}
}

// tidy lets go of the lanes where nothing waits; where the destination is paused,
// that is not known. Whose turn it is counts as long as any is left.
func (d *destination) tidy() {
	empty := func(l *lane) bool { return !l.more && len(l.waiting) == 0 }
	if !d.paused && slices.ContainsFunc(d.lanes, empty) {
		d.lanes = slices.DeleteFunc(d.lanes, empty)
	}
	if len(d.lanes) == 0 && !d.loading {
		d.turn = 0
	}
}
