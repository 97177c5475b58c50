package search

import (
	"testing"
)

// BenchmarkSweep runs what a worker of simrun sweep does: a part of the runs of
// some stories, among them the longest.
func BenchmarkSweep(b *testing.B) {
	runs := 0
	bench(b, func(t *testing.T, r *runner) {
		for name, parts := range map[string]int{
			"plain/one-recipient": 8, "crash/after-acceptance-report": 8, "reply/every-rset": 8, "fair/per-destination-limit": 8, "expiry/five-days": 64,
			"plain/150-recipients": 64, "cut/long-body": 64,
		} { // any order: each is a sweep of its own
			runs += (&Sweep{Depth: 1, Part: 1, Parts: parts}).do(r, load(t, name)).Runs
		}
	})
	b.ReportMetric(float64(runs)/b.Elapsed().Seconds(), "runs/s")
}

// BenchmarkExplore runs random worlds of all kinds.
func BenchmarkExplore(b *testing.B) {
	worlds := 0
	bench(b, func(_ *testing.T, r *runner) {
		for focus := range Focuses {
			worlds += (&Explore{First: 0, Count: 20, Focus: focus}).do(r).Worlds
		}
	})
	b.ReportMetric(float64(worlds)/b.Elapsed().Seconds(), "worlds/s")
}

// BenchmarkPlain runs small worlds in which nothing goes wrong.
func BenchmarkPlain(b *testing.B) {
	worlds := 0
	bench(b, func(_ *testing.T, r *runner) {
		worlds += (&Explore{First: 0, Count: 100, Focus: int(plain)}).do(r).Worlds
	})
	b.ReportMetric(float64(worlds)/b.Elapsed().Seconds(), "worlds/s")
}

// bench measures f. A bubble wants a T, which a benchmark has not: so a test
// runs within the benchmark.
func bench(b *testing.B, f func(t *testing.T, r *runner)) {
	b.ReportAllocs()
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) {
		r := &runner{t: t, relay: newRelay}
		for b.Loop() {
			f(t, r)
		}
	}}})
}
