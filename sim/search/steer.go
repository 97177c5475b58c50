package search

import (
	"math/rand/v2"

	"github.com/postonce/postonce/spec/coverage"
)

// A Steer chooses the focus of the worlds to come: one in two in turn, the
// other where worlds reached most that was new. A world is named by its number
// alone, so steering decides only which worlds run, never what they are.
type Steer struct {
	rand    *rand.Rand
	turn    int
	reached coverage.Coverage
	// yield is how many new points the worlds of a focus reached, of late.
	yield [classes]float64
}

// NewSteer returns a Steer that always chooses alike.
func NewSteer(seed uint64) *Steer { return &Steer{rand: rand.New(rand.NewPCG(seed, 1))} }

// Next returns the focus for the next worlds.
func (s *Steer) Next() int {
	s.turn++
	if s.turn%2 == 0 {
		return s.turn / 2 % int(classes)
	}
	total := 0.0
	for _, y := range s.yield {
		total += y + 0.1
	}
	at := s.rand.Float64() * total
	for c, y := range s.yield {
		if at -= y + 0.1; at < 0 {
			return c
		}
	}
	return s.turn % int(classes)
}

// Reached tells what worlds of a focus have reached.
func (s *Steer) Reached(focus int, c *coverage.Coverage) {
	fresh := 0
	for _, g := range coverage.Groups() {
		for _, p := range g.Points() {
			if c.Reached(p) && !s.reached.Reached(p) {
				fresh++
			}
		}
	}
	s.reached.Merge(c)
	for i := range s.yield {
		s.yield[i] *= 0.99
	}
	s.yield[focus] += float64(fresh)
}
