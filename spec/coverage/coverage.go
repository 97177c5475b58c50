package coverage

import (
	"encoding/json"
	"fmt"
)

// A Coverage says how often points were reached, in how many runs. The zero
// Coverage is that of no run.
type Coverage struct {
	runs   uint64
	counts [points]uint64
	// strange counts faults whose kind is not in the set.
	strange uint64
}

// Runs returns how many runs it is of.
func (c *Coverage) Runs() int { return int(c.runs) }

// Count returns how often p was reached, in all runs together.
func (c *Coverage) Count(p Point) int {
	if int(p) >= points {
		return 0
	}
	return int(c.counts[p])
}

// Reached reports whether p was reached.
func (c *Coverage) Reached(p Point) bool { return c.Count(p) > 0 }

// Strange returns how many faults fired whose kind is not in spec.Faults, or
// that said none: nothing else is known of them.
func (c *Coverage) Strange() int { return int(c.strange) }

// Of returns how many points of a group were reached, and how many there are.
func (c *Coverage) Of(g Group) (reached, all int) {
	for _, p := range g.Points() {
		all++
		if c.counts[p] > 0 {
			reached++
		}
	}
	return reached, all
}

// Merge adds what o reached. The order of merging makes no difference.
func (c *Coverage) Merge(o *Coverage) {
	c.runs += o.runs
	c.strange += o.strange
	for i, n := range o.counts {
		c.counts[i] += n
	}
}

// New reports whether o reached a point that c has not.
func (c *Coverage) New(o *Coverage) bool {
	for i, n := range o.counts {
		if n > 0 && c.counts[i] == 0 {
			return true
		}
	}
	return false
}

// hit counts a point, if it is one.
func (c *Coverage) hit(p Point, ok bool) {
	if ok {
		c.counts[p]++
	}
}

// saved is a Coverage as JSON: points that were reached, by their text.
type saved struct {
	Runs    uint64            `json:"runs"`
	Strange uint64            `json:"strange,omitempty"`
	Points  map[string]uint64 `json:"points"`
}

// MarshalJSON implements json.Marshaler. Equal coverages are equal bytes.
func (c *Coverage) MarshalJSON() ([]byte, error) {
	s := saved{Runs: c.runs, Strange: c.strange, Points: map[string]uint64{}}
	for i, n := range c.counts {
		if n > 0 {
			s.Points[Point(i).String()] = n
		}
	}
	return json.Marshal(s) // sorts the keys
}

// UnmarshalJSON implements json.Unmarshaler. A point that is none is an error.
func (c *Coverage) UnmarshalJSON(data []byte) error {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	*c = Coverage{runs: s.Runs, strange: s.Strange}
	for text, n := range s.Points { // any order: each sets a count of its own
		p, err := ParsePoint(text)
		if err != nil {
			return err
		}
		c.counts[p] = n
	}
	return nil
}
