package sim_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// measuring is a relay that defers a message by five minutes, which it measures by
// a clock, and then attempts it again.
func measuring(now func(seam.Host) time.Time) stub {
	return func(ctx context.Context, h seam.Host) error {
		note := func(f spec.Fact) {
			f.Message, f.Queue, f.Job, f.Dest, f.To = "m9@submit.example", "Q9", "j9", "example.net", []string{"bob@example.net"}
			h.Note(f)
		}
		due := h.Now().Add(5 * time.Minute)
		h.Note(spec.Fact{Kind: spec.FactReady})
		note(spec.Fact{Kind: spec.FactQueued, From: "alice@example.org", Due: spec.WallOf(h.Now()).Add(spec.DefaultSchedule().Lifetime)})
		note(spec.Fact{Kind: spec.FactAttempt, Attempt: 1})
		note(spec.Fact{Kind: spec.FactAttemptEnd})
		note(spec.Fact{Kind: spec.FactOutcome, Attempt: 1, State: spec.Queued, Due: spec.WallOf(due)})
		for now(h).Before(due) && ctx.Err() == nil {
			time.Sleep(time.Second)
		}
		note(spec.Fact{Kind: spec.FactAttempt, Attempt: 2})
		<-ctx.Done()
		return nil
	}
}

// TestAnIntervalThatIsMeasuredByTheWallClockIsFound: where that jumps, and only
// there.
func TestAnIntervalThatIsMeasuredByTheWallClockIsFound(t *testing.T) {
	wall := seam.Host.Now
	monotonic := func(seam.Host) time.Time { return time.Now() }
	for name, test := range map[string]struct {
		now  func(seam.Host) time.Time
		jump string
		want spec.Rule
	}{
		"by the wall clock, which jumps forward":  {wall, "t+1m clock +2h\n", spec.RetryOnTime},
		"by the wall clock, which is set back":    {wall, "t+1m clock -1h\n", spec.FairAndBounded},
		"by the wall clock, which goes well":      {wall, "", ""},
		"by the monotonic clock, before a jump":   {monotonic, "t+1m clock +2h\n", ""},
		"by the monotonic clock, before one back": {monotonic, "t+1m clock -1h\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sc := parse(t, strings.Replace(quiet, "-- plan --\n", "-- plan --\n"+test.jump, 1))
			r := sim.Run(t, sc, measuring(test.now).factory, sim.Options{})
			for _, v := range r.Violations {
				if (v.Rule == spec.RetryOnTime || v.Rule == spec.FairAndBounded) && v.Rule != test.want {
					t.Errorf("unexpected: %s", v)
				}
			}
			if test.want != "" && !slices.ContainsFunc(r.Violations, func(v spec.Violation) bool { return v.Rule == test.want }) {
				t.Errorf("missing: %s; found %v", test.want, r.Violations)
			}
		})
	}
}
