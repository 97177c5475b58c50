package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/reach"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim/search"
)

// Found tells what a search has found, each as a bug report: what is wrong, the
// smallest world that shows it, and how to see it again. broken is in how many
// worlds something was wrong.
func Found(w io.Writer, p Paint, runs []Run, broken int) {
	for _, r := range runs {
		fmt.Fprintf(w, "%s %s\n", p.mark(r.Status()), p.bold(r.File))
		Failure(w, p, r)
		fmt.Fprintf(w, "\n%s", indent("  ", string(scenarios.Format(r.Scenario))))
		fmt.Fprintf(w, "\n  %s\n\n", replayHint(r))
	}
	if broken > len(runs) {
		fmt.Fprintf(w, "%s in all; others like these are not told\n\n", number(broken, "broken world"))
	}
}

// A Sweep is what came of sweeping through scenarios.
type Sweep struct {
	Scenarios, Points, Runs, Crashes, Faults, Broken int
	// Done of Jobs were done before an interrupt.
	Done, Jobs int
	Real       time.Duration
}

// SweepSummary writes a line or two about a sweep.
func SweepSummary(w io.Writer, p Paint, s Sweep) {
	verdict := p.good("✓ all rules hold")
	switch {
	case s.Broken > 0:
		verdict = p.bad("✗ " + number(s.Broken, "world") + " broken")
	case s.Done < s.Jobs:
		verdict = p.doubt("? interrupted")
	}
	fmt.Fprintf(w, "%s · %s in %s: %s, %s\n", verdict, number(s.Points, "moment"), number(s.Scenarios, "scenario"),
		number(s.Crashes, "crash"), number(s.Faults, "failure"))
	fmt.Fprintf(w, "%s in %.1f s%s\n", number(s.Runs, "run"), s.Real.Seconds(), rate(s.Runs, s.Real, 0))
}

// rate is how many a second, and per core when cores are told.
func rate(n int, real time.Duration, cores int) string {
	if real <= 0 {
		return ""
	}
	a := float64(n) / real.Seconds()
	if cores == 0 {
		return fmt.Sprintf(": %s a second", thousands(int(a)))
	}
	return fmt.Sprintf(": %s a second, %s per core", thousands(int(a)), thousands(int(a/float64(cores))))
}

// An Explored is what came of running random worlds.
type Explored struct {
	search.Explored
	Cores int
	Real  time.Duration
}

// ExploreSummary writes some lines about random worlds.
func ExploreSummary(w io.Writer, p Paint, e Explored) {
	verdict := p.good("✓ all rules hold")
	if e.Broken > 0 {
		verdict = p.bad("✗ " + number(e.Broken, "world") + " broken")
	}
	parts := []string{verdict, number(e.Worlds, "world"), years(e.VirtualSeconds) + " of virtual time", number(e.Fired, "fault") + " fired"}
	fmt.Fprintln(w, strings.Join(parts, " · "))
	fmt.Fprintf(w, "%.1f s%s\n", e.Real.Seconds(), rate(e.Worlds, e.Real, e.Cores))
	if e.Coverage == nil {
		return
	}
	var reached []string
	gaps := reach.Gaps(e.Coverage)
	for _, g := range gaps { // of what can be reached, so that the total stays what it is
		reached = append(reached, fmt.Sprintf("%s of %s %s", thousands(g.Reached-len(g.Wrong)), thousands(g.All-len(g.Nevers)-len(g.Wrong)), g.Group))
	}
	fmt.Fprintf(w, "reached: %s\n", strings.Join(reached, ", "))
	wrongs(w, p, gaps)
}
