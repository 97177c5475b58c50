// Package coverage says what runs reached: which transitions of recipient
// states, which cells of the verdict table, which kinds of faults, and which of
// those while a recipient stood where.
//
// A Run reads the facts of one run, as spec.Checker does. A Coverage is what it
// found, and what several found together.
package coverage

import (
	"fmt"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A Point is one thing that a run can reach. Its value has no meaning outside
// of a process; String does.
type Point uint16

// A Group is one kind of points.
type Group uint8

// The groups.
const (
	// Transitions: a recipient went from one state to another.
	Transitions Group = iota + 1
	// Cells: the relay met an event at a stage.
	Cells
	// Faults: a fault of a kind fired.
	Faults
	// Pairs: it fired while a recipient that it concerned was somewhere.
	Pairs
)

// Groups lists all groups in order.
func Groups() []Group { return []Group{Transitions, Cells, Faults, Pairs} }

// groupNames are how points of a group begin as text.
var groupNames = [...]string{Transitions: "transition", Cells: "cell", Faults: "fault", Pairs: "pair"}

// String names the group in plural.
func (g Group) String() string {
	switch g {
	case Transitions:
		return "state transitions"
	case Cells:
		return "verdict cells"
	case Faults:
		return "fault kinds"
	case Pairs:
		return "pairs of fault and place"
	}
	return fmt.Sprintf("Group(%d)", uint8(g))
}

// A Place is where a recipient stands when a fault fires: finer than its state.
type Place uint8

// The places, in the order in which a recipient passes them.
const (
	// Submitting: the submitter has begun, and the relay has not said that the
	// message is in its spool.
	Submitting Place = iota
	// Waiting: queued or parked, and no attempt is under way.
	Waiting
	// Attempting: an attempt is under way, and the intent is not durable.
	Attempting
	// Intended: the intent is durable, and the dot has not left.
	Intended
	// Dotted: the dot has left, and the outcome is not durable.
	Dotted
	// Doubtful: the process ended between intent and outcome, and the next has
	// not decided.
	Doubtful
	// Held: in doubt, waiting for an operator.
	Held
	// Final: its state is final, and the message is still in the spool.
	Final

	places = iota
)

var placeNames = [...]string{"submitting", "waiting", "attempting", "intent", "dot", "doubt", "held", "final"}

// String returns the place's name.
func (p Place) String() string {
	if int(p) < places {
		return placeNames[p]
	}
	return fmt.Sprintf("Place(%d)", uint8(p))
}

// Places lists all places in order.
func Places() []Place {
	all := make([]Place, places)
	for i := range all {
		all[i] = Place(i)
	}
	return all
}

// Points are numbered group by group, in grids some of whose places are no
// points: what cannot be is not counted.
const (
	states = int(spec.Deleted) + 1 // 0 is "new": nothing was known before
	stages = int(spec.StageIdle)
	events = int(spec.TooMany)
	// faults is the number of kinds; a test holds it against spec.Faults.
	faults = 41

	firstTransition = 0
	firstCell       = firstTransition + 2*states*states
	firstFault      = firstCell + stages*events
	firstPair       = firstFault + faults
	points          = firstPair + faults*places
)

// TransitionPoint returns the point of a recipient's going from one state to
// another; from 0 for its first. Restarted is true when a process of the relay
// began in between. It is no point when it would be unlawful.
func TransitionPoint(from, to spec.RecipientState, restarted bool) (p Point, ok bool) {
	if !to.Valid() || from > spec.Deleted || !lawful(from, to) {
		return 0, false
	}
	n := firstTransition + int(from)*states + int(to)
	if restarted {
		n += states * states
	}
	return Point(n), true
}

func lawful(from, to spec.RecipientState) bool {
	if from == 0 {
		return to == spec.Queued
	}
	return from.CanBecome(to)
}

// CellPoint returns the point of a cell of the verdict table. It is no point
// when the event cannot occur there.
func CellPoint(stage spec.Stage, event spec.Event) (p Point, ok bool) {
	if !spec.CanOccur(stage, event) {
		return 0, false
	}
	return Point(firstCell + int(stage-1)*events + int(event-1)), true
}

// FaultPoint returns the point of a kind of fault. It is no point when it is
// not in the set.
func FaultPoint(f spec.Fault) (p Point, ok bool) {
	i := faultIndex(f)
	return Point(firstFault + i), i >= 0
}

// PairPoint returns the point of a kind of fault that fires while a recipient
// that it concerns is at a place. It is no point when a fault of this kind
// concerns nobody there; see concerns.
func PairPoint(f spec.Fault, at Place) (p Point, ok bool) {
	i := faultIndex(f)
	if i < 0 || int(at) >= places || !concerns(f.Place(), at) {
		return 0, false
	}
	return Point(firstPair + i*places + int(at)), true
}

// faultTable lists the kinds, once.
var faultTable = spec.Faults()

func faultIndex(f spec.Fault) int {
	for i, g := range faultTable {
		if f == g {
			return i
		}
	}
	return -1
}

// concerns reports whether faults at such a place can concern a recipient that
// stands at another one. A fault of a connection, or on the way to one,
// concerns those for whom it is held; what befalls the process or its clock,
// everybody; a damaged entry, those in it while the relay is down.
func concerns(where spec.FaultPlace, at Place) bool {
	switch where {
	case spec.PlaceConnect, spec.PlaceDNS, spec.PlaceHandshake:
		return at == Attempting
	case spec.PlaceServer:
		return at == Attempting || at == Intended || at == Dotted || at == Waiting || at == Held || at == Final
	case spec.PlaceProcess, spec.PlaceClock:
		return true
	case spec.PlaceDisk:
		return at == Waiting || at == Doubtful || at == Held || at == Final
	}
	return false
}

// Points lists the points of a group in order.
func (g Group) Points() []Point {
	var all []Point
	add := func(p Point, ok bool) {
		if ok {
			all = append(all, p)
		}
	}
	switch g {
	case Transitions:
		for _, restarted := range [...]bool{false, true} {
			for from := spec.RecipientState(0); from <= spec.Deleted; from++ {
				for to := spec.Queued; to <= spec.Deleted; to++ {
					add(TransitionPoint(from, to, restarted))
				}
			}
		}
	case Cells:
		for _, stage := range spec.Stages() {
			for _, event := range spec.Events() {
				add(CellPoint(stage, event))
			}
		}
	case Faults:
		for _, f := range faultTable {
			add(FaultPoint(f))
		}
	case Pairs:
		for _, f := range faultTable {
			for _, at := range Places() {
				add(PairPoint(f, at))
			}
		}
	}
	return all
}

// StateName names a state of a transition; 0 is "new".
func StateName(s spec.RecipientState) string {
	if s == 0 {
		return "new"
	}
	return s.String()
}

// Group returns the group that p belongs to.
func (p Point) Group() Group {
	switch n := int(p); {
	case n < firstCell:
		return Transitions
	case n < firstFault:
		return Cells
	case n < firstPair:
		return Faults
	}
	return Pairs
}

// words are what a point is made of, as text.
func (p Point) words() []string {
	n := int(p)
	switch p.Group() {
	case Transitions:
		restarted := n >= states*states
		n %= states * states
		words := []string{StateName(spec.RecipientState(n / states)), StateName(spec.RecipientState(n % states))}
		if restarted {
			words = append(words, afterRestart)
		}
		return words
	case Cells:
		n -= firstCell
		return []string{spec.Stage(n/events + 1).String(), spec.Event(n%events + 1).String()}
	case Faults:
		return []string{string(faultTable[n-firstFault])}
	}
	n -= firstPair
	return []string{string(faultTable[n/places]), Place(n % places).String()}
}

// afterRestart ends the text of a transition across a restart.
const afterRestart = "restarted"

// String returns the point as text, the same in every process: "cell/rcpt/4yz".
func (p Point) String() string {
	if int(p) >= points {
		return fmt.Sprintf("Point(%d)", uint16(p))
	}
	return groupNames[p.Group()] + "/" + strings.Join(p.words(), "/")
}

// Title says the point for a person, within its group: "queued → intent".
func (p Point) Title() string {
	words := p.words()
	switch p.Group() {
	case Transitions:
		title := words[0] + " → " + words[1]
		if len(words) > 2 {
			title += ", across a restart"
		}
		return title
	case Cells:
		return words[0] + " × " + words[1]
	case Faults:
		return words[0]
	}
	return words[0] + " × " + words[1]
}

// ParsePoint is the inverse of String.
func ParsePoint(text string) (Point, error) {
	group, rest, _ := strings.Cut(text, "/")
	a, b, _ := strings.Cut(rest, "/")
	b, tail, more := strings.Cut(b, "/")
	var p Point
	ok := false
	switch {
	case more && (group != groupNames[Transitions] || tail != afterRestart):
	case group == groupNames[Transitions]:
		from, err := spec.ParseRecipientState(a)
		to, toErr := spec.ParseRecipientState(b)
		if (err == nil || a == StateName(0)) && toErr == nil {
			p, ok = TransitionPoint(from, to, more)
		}
	case group == groupNames[Cells]:
		stage, err := spec.ParseStage(a)
		event, eventErr := spec.ParseEvent(b)
		if err == nil && eventErr == nil {
			p, ok = CellPoint(stage, event)
		}
	case group == groupNames[Faults]:
		p, ok = FaultPoint(spec.Fault(a))
	case group == groupNames[Pairs]:
		for _, at := range Places() {
			if at.String() == b {
				p, ok = PairPoint(spec.Fault(a), at)
			}
		}
	}
	if !ok || p.String() != text {
		return 0, fmt.Errorf("coverage: there is no point %q", text)
	}
	return p, nil
}
