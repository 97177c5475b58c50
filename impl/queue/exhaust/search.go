package exhaust

import (
	"cmp"

	"github.com/postonce/postonce/spec"
)

// A Progress says how far a search is.
type Progress struct {
	States, Transitions int
	// Depth is the most events that it takes to reach a state; while the
	// search goes on, the most that were gone through.
	Depth int
}

// A Result is what a search found.
type Result struct {
	Progress
	// Complete is true when every state was gone on from in every way.
	Complete bool
	// Violation is nil when no rule was broken.
	Violation *Violation
}

// Options bound a search.
type Options struct {
	// States is the most to look at; 0 is no bound. A state takes some 100
	// bytes.
	States int
	// Watch, when set, is called every few hundred states, and ends the search
	// by returning false.
	Watch func(Progress) bool

	wide int // in place of widest, for tests
}

const (
	// watchEvery is how many states are gone on from between calls of Watch.
	watchEvery = 256
	// widest is how many states may be open before the search goes deep: a
	// state that is open is held whole, in some 10,000 bytes.
	widest = 3000
)

// Run searches a world: from the first state it goes on in every way that
// there is, until there is nothing new, a rule is broken, or the bounds are
// reached.
func Run(w World, fresh func(spec.Policy) Core, o Options) Result {
	s := &search{setting: &setting{w, w.policy(), fresh}, options: o, seen: map[hash]uint32{}}
	v := s.run()
	r := Result{Progress: s.progress, Complete: v == nil && !s.cut, Violation: v}
	if r.Complete {
		r.Depth = s.distance()
	}
	return r
}

// A search goes wide first: nearest states first, so that what is wrong close
// to the beginning is found at once, by the shortest way. When more states are
// open than memory should hold, it goes deep from each of them, which needs
// memory only for one way at a time. States get numbers as they are seen.
type search struct {
	*setting
	options  Options
	progress Progress
	seen     map[hash]uint32
	// after says for each state where its successors begin in next, and how
	// many they are: the graph, for what is judged when all of it is known.
	after []span
	next  []uint32
	// expanded counts states gone on from, for Watch.
	expanded int
	cut      bool
	buffer   []byte
}

type span struct {
	begin uint32
	n     uint16
}

func (s *search) successors(n uint32) []uint32 {
	a := s.after[n]
	return s.next[a.begin : a.begin+uint32(a.n)]
}

// unknown stands in next for a successor that is not known yet.
const unknown = 1<<32 - 1

// A node is a state that is gone on from: its number, and the events that are
// left to go on by.
type node struct {
	*state
	n      uint32
	depth  int
	events []event
	done   int
}

func (s *search) run() *Violation {
	first := s.begin()
	if first.wrong != nil {
		return &Violation{Rule: first.wrong.Rule, Sentence: first.wrong.Sentence}
	}
	n, _ := s.see(first)
	open := []*node{{state: first, n: n}}
	for len(open) > 0 && !s.cut {
		x := open[0]
		open[0] = nil
		open = open[1:]
		var v *Violation
		if len(open) < cmp.Or(s.options.wide, widest) {
			v = s.goWide(x, &open)
		} else {
			v = s.goDeep(x)
		}
		if v != nil {
			return v
		}
	}
	if s.cut {
		return nil
	}
	return s.endless()
}

// goWide goes on from a state in every way and opens what is new.
func (s *search) goWide(x *node, open *[]*node) *Violation {
	if v := s.expand(x); v != nil {
		return v
	}
	for x.done < len(x.events) {
		y, v := s.advance(x)
		if v != nil {
			return v
		}
		if y != nil {
			*open = append(*open, y)
		}
	}
	return nil
}

// goDeep goes on from a state, and from what comes after it, until nothing
// new comes.
func (s *search) goDeep(x *node) *Violation {
	if v := s.expand(x); v != nil {
		return v
	}
	path := []*node{x}
	for len(path) > 0 && !s.cut {
		x := path[len(path)-1]
		if x.done == len(x.events) {
			path[len(path)-1] = nil
			path = path[:len(path)-1]
			continue
		}
		y, v := s.advance(x)
		if v == nil && y != nil {
			v = s.expand(y)
			path = append(path, y)
		}
		if v != nil {
			return v
		}
	}
	return nil
}

// expand lists the events that can happen in a state, and judges it when
// there is none but a crash.
func (s *search) expand(x *node) *Violation {
	s.expanded++
	s.progress.Depth = max(s.progress.Depth, x.depth)
	if s.expanded%watchEvery == 0 && s.options.Watch != nil && !s.options.Watch(s.progress) ||
		s.options.States > 0 && s.progress.States > s.options.States {
		s.cut = true
	}
	x.events = x.state.events(nil)
	s.after[x.n] = span{uint32(len(s.next)), uint16(len(x.events))}
	for range x.events {
		s.next = append(s.next, unknown)
	}
	if len(x.events) == 0 || x.events[0].kind == crashed {
		if x.judgeEnd(); x.wrong != nil {
			return s.tell(x.wrong, x.n, nil)
		}
	}
	return nil
}

// advance lets the next event of a state happen. It returns what that leads
// to, if it is new.
func (s *search) advance(x *node) (*node, *Violation) {
	e := x.events[x.done]
	y := x.state
	if x.done < len(x.events)-1 { // nothing else is made of the last one
		y = x.clone()
	}
	y.do(e)
	s.progress.Transitions++
	if y.wrong != nil {
		x.done++
		return nil, s.tell(y.wrong, x.n, &e)
	}
	m, fresh := s.see(y)
	s.next[s.after[x.n].begin+uint32(x.done)] = m
	x.done++
	if !fresh {
		return nil, nil
	}
	return &node{state: y, n: m, depth: x.depth + 1}, nil
}

// see returns the number of a state, and whether it is new.
func (s *search) see(x *state) (n uint32, fresh bool) {
	var h hash
	h, s.buffer = x.hash(s.buffer)
	if n, ok := s.seen[h]; ok {
		return n, false
	}
	n = uint32(len(s.after))
	s.seen[h] = n
	s.after = append(s.after, span{})
	s.progress.States++
	return n, true
}

// distance is the most events that it takes to reach a state by the shortest
// way.
func (s *search) distance() int {
	reached := make([]bool, len(s.after))
	reached[0] = true
	depth := -1
	for level := []uint32{0}; len(level) > 0; depth++ {
		var next []uint32
		for _, n := range level {
			for _, m := range s.successors(n) {
				if !reached[m] {
					reached[m] = true
					next = append(next, m)
				}
			}
		}
		level = next
	}
	return depth
}

// endless looks for a way to go on for ever: a state from which one comes back
// to it. There is none when everything, in any order and with any faults,
// comes to an end; and every end was judged.
func (s *search) endless() *Violation {
	const (
		unseen = iota
		under
		over
	)
	colour := make([]uint8, len(s.after))
	at := make([]uint16, len(s.after))
	for path := []uint32{0}; len(path) > 0; {
		x := path[len(path)-1]
		colour[x] = under
		if at[x] == s.after[x].n {
			colour[x] = over
			path = path[:len(path)-1]
			continue
		}
		y := s.successors(x)[at[x]]
		at[x]++
		switch colour[y] {
		case unseen:
			path = append(path, y)
		case under:
			return s.tell(&Violation{Rule: spec.Progress, Sentence: "this can go on for ever: from the last state one can come back to it"}, x, nil)
		}
	}
	return nil
}
