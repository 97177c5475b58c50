package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postonce/postonce/cmd/simrun/internal/reach"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec/coverage"
)

// TestTheLibraryReachesAllThatCanBeReached: every transition, every cell of
// the verdict table and every kind of fault has a story, or a reason why it
// cannot have one; and nothing that is said to be out of reach is reached.
func TestTheLibraryReachesAllThatCanBeReached(t *testing.T) {
	c := console{run: runWorlds, now: fixedTime}
	reached, runs, err := c.cover(t.Context(), selection{relay: honest})
	if err != nil {
		t.Fatal(err)
	}
	if reached.Runs() != len(runs) || reached.Strange() > 0 {
		t.Errorf("%d of %d runs were covered, and %d faults are of no known kind", reached.Runs(), len(runs), reached.Strange())
	}
	for _, g := range reach.Gaps(reached) {
		for _, n := range g.Wrong {
			t.Errorf("%v is reached, though: %s", n.Point, n.Why)
		}
		if g.Group == coverage.Pairs {
			continue // what happens together is for searches to find
		}
		for _, p := range g.Missing {
			t.Errorf("%v is reached by no story: tell one, or say in internal/reach why it cannot be reached", p)
		}
	}
}

// covers answers with what one point reached.
func covers(t *testing.T, text string) func(int, job) *sim.Result {
	return func(i int, j job) *sim.Result {
		r := holds(i, j)
		r.Coverage = new(coverage.Coverage)
		if err := r.Coverage.UnmarshalJSON([]byte(`{"runs":1,"points":{"` + text + `":3}}`)); err != nil {
			t.Error(err)
		}
		return r
	}
}

func TestCoverageAddsUpWhatScenariosReach(t *testing.T) {
	file := filepath.Join(t.TempDir(), "coverage.html")
	s := simrun(t, covers(t, "cell/rcpt/4yz"), "coverage", "crash/after-250", "doubt/report", "--html", file)
	s.want(t, sim.OK, "verdict cells             1 of 125", "  rcpt         -    -    6", "2 scenarios hold", "reset while connecting")
	for _, j := range s.jobs {
		if !j.coverage || !j.brief {
			t.Errorf("%s ran with %+v", j.scenario.Name, j)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(page), "Coverage of 2 runs") {
		t.Errorf("the page is %s: %v", page, err)
	}
	simrun(t, covers(t, "cell/rcpt/4yz"), "coverage", "crash/after-250", "--html", filepath.Join(file, "x")).want(t, sim.Usage, "coverage.html")
}

func TestCoverageCanSayOnlyWhatIsMissing(t *testing.T) {
	s := simrun(t, covers(t, "cell/rcpt/4yz"), "coverage", "crash/after-250", "--missing")
	s.want(t, sim.OK, "cell/rcpt/5yz\n")
	for _, not := range []string{"cell/rcpt/4yz", "cell/connect/cut", "holds"} {
		if strings.Contains(s.out, not) {
			t.Errorf("it says %q", not)
		}
	}
}

// A run that broke something covers what it reached; one that did not take
// place covers nothing.
func TestCoverageOfRunsThatDoNotHold(t *testing.T) {
	s := simrun(t, func(i int, j job) *sim.Result {
		if i > 0 {
			return nil
		}
		r := covers(t, "fault/cut")(i, j)
		r.Status = sim.Safety
		return r
	}, "coverage", "crash")
	s.want(t, sim.OK, "fault kinds               1 of  41", fmt.Sprintf("0 of 1 scenarios hold, 1 does not · %d not run", len(s.jobs)-1))
	simrun(t, func(int, job) *sim.Result { return nil }, "coverage", "crash").want(t, sim.NoVerdict)
}
