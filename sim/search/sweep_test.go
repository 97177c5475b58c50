package search

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func newRelay(h seam.Host, c sim.Config) (sim.Relay, error) {
	return impl.New(impl.Config{Policy: c.Policy, Listen: c.Listen}, h)
}

func TestScratchSweep(t *testing.T) {
	start := time.Now()
	runs, points := 0, 0
	for _, n := range scenarios.Names() {
		sc, _ := scenarios.Load(n)
		b := time.Now()
		s := &Sweep{Depth: 1}
		r := &runner{t: t, relay: newRelay}
		out := s.do(r, sc)
		runs += out.Runs
		points += out.Points
		if out.Broken > 0 || time.Since(b) > 2*time.Second {
			fmt.Println(out, time.Since(b))
		}
		for _, f := range out.Found {
			for _, v := range f.Result.Violations {
				fmt.Println(v.Story(f.Result.Began))
			}
			fmt.Println(f.Result.Panic)
			for _, p := range f.Scenario.Plan[len(sc.Plan):] {
				fmt.Printf("   %+v\n", p)
			}
		}
	}
	fmt.Println(runs, points, time.Since(start))
	_ = spec.NeverTwice
}
