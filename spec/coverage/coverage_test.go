package coverage

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

func TestEveryPointHasATextOfItsOwn(t *testing.T) {
	if n := len(spec.Faults()); n != faults {
		t.Fatalf("there are %d kinds of faults, and the constant is %d", n, faults)
	}
	seen := map[string]bool{}
	last := Point(0)
	for _, g := range Groups() {
		for i, p := range g.Points() {
			text := p.String()
			if seen[text] || p.Group() != g || int(p) >= points || i > 0 && p <= last {
				t.Errorf("%s: seen before: %v, group %v, number %d after %d", text, seen[text], p.Group(), p, last)
			}
			seen[text], last = true, p
			if back, err := ParsePoint(text); err != nil || back != p {
				t.Errorf("%s is read as %v: %v", text, back, err)
			}
		}
	}
	for _, text := range []string{
		"", "cell", "cell/rcpt", "cell/rcpt/nxdomain", "cell/rcpt/4yz/restarted", "transition/delivered/queued", "transition/new/intent",
		"transition/queued/intent/", "transition/queued/intent/often", "fault/rain", "fault/cut/", "pair/cut/submitting", "pair/cut/bed", "moon/full",
	} {
		if p, err := ParsePoint(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}

func TestWhatCannotBeIsNoPoint(t *testing.T) {
	lawful := 0
	for from := spec.RecipientState(0); from <= spec.Deleted; from++ {
		for to := spec.RecipientState(0); to <= spec.Deleted; to++ {
			if _, ok := TransitionPoint(from, to, false); ok {
				lawful++
			}
		}
	}
	if lawful != 21 {
		t.Errorf("%d transitions, want the 20 of the states and the first", lawful)
	}
	for _, g := range []struct {
		group Group
		want  int
	}{{Transitions, 42}, {Cells, 125}, {Faults, faults}} {
		if n := len(g.group.Points()); n != g.want {
			t.Errorf("%d %v, want %d", n, g.group, g.want)
		}
	}
	if _, ok := FaultPoint("rain"); ok {
		t.Error("rain is a fault")
	}
	if _, ok := PairPoint(spec.FaultServFail, Held); ok {
		t.Error("a fault of the DNS concerns who is held")
	}
}

// drawn draws a coverage.
func drawn(t *rapid.T, name string) *Coverage {
	c := &Coverage{runs: rapid.Uint64Range(0, 9).Draw(t, name+" runs"), strange: rapid.Uint64Range(0, 2).Draw(t, name+" strange")}
	var all []Point
	for _, g := range Groups() {
		all = append(all, g.Points()...)
	}
	for _, p := range rapid.SliceOfN(rapid.SampledFrom(all), 0, 20).Draw(t, name) {
		c.counts[p] += rapid.Uint64Range(1, 1000).Draw(t, "times")
	}
	return c
}

// merged returns what coverages reached together.
func merged(all ...*Coverage) *Coverage {
	sum := new(Coverage)
	for _, c := range all {
		sum.Merge(c)
	}
	return sum
}

func TestMergingIsAssociativeAndCommutative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawn(t, "a"), drawn(t, "b"), drawn(t, "c")
		if *merged(merged(a, b), c) != *merged(a, merged(b, c)) {
			t.Error("(a+b)+c is not a+(b+c)")
		}
		if *merged(a, b) != *merged(b, a) {
			t.Error("a+b is not b+a")
		}
		if *merged(a, new(Coverage)) != *a {
			t.Error("a+nothing is not a")
		}
		if merged(a, b).New(a) || merged(a, b).New(b) {
			t.Error("something in a+b is new to it")
		}
	})
}

func TestACoverageSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t, "c")
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back := new(Coverage)
		if err := json.Unmarshal(data, back); err != nil || *back != *c {
			t.Fatalf("%s is read as %+v: %v", data, back, err)
		}
		if again, _ := json.Marshal(back); string(again) != string(data) {
			t.Fatalf("%s is written as %s", data, again)
		}
	})
	for _, bad := range []string{`{"points":{"cell/rcpt/rain":1}}`, `{"points":{"cell/rcpt/4yz":-1}}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), new(Coverage)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestNewIsWhatNobodyReached(t *testing.T) {
	a, b := new(Coverage), new(Coverage)
	a.counts[3]++
	b.counts[3]++
	if a.New(b) {
		t.Error("what both reached is new")
	}
	b.counts[4]++
	if !a.New(b) || b.New(a) {
		t.Error("what only one reached is not new")
	}
}

// names are the points reached, in order.
func names(c *Coverage) []string {
	var all []string
	for _, g := range Groups() {
		for _, p := range g.Points() {
			if c.Reached(p) {
				all = append(all, p.String())
			}
		}
	}
	return all
}

// reached runs a history and compares what it reached.
func reached(t *testing.T, history []spec.Fact, want ...string) {
	t.Helper()
	r := NewRun()
	for i := range history {
		r.Observe(&history[i])
	}
	if d := cmp.Diff(want, names(r.Coverage())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
