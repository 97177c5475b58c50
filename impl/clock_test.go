package impl

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func TestIntervalsAreNotMeasuredByTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var skew time.Duration
		c := newClock(seam.Host{Wall: func() time.Time { return time.Now().Add(skew) }})
		began := c.now()
		for _, jump := range []time.Duration{0, 2 * time.Hour, -3 * 24 * time.Hour} {
			time.Sleep(time.Minute)
			skew += jump
			now := c.now()
			if got := now.Mono.Sub(began.Mono); got%time.Minute != 0 || got > 3*time.Minute {
				t.Errorf("after a jump by %s the interval is %s", jump, got)
			}
			if want := spec.WallOf(time.Now()).Add(skew); now.Wall != want {
				t.Errorf("after a jump by %s it is %s, want %s", jump, now.Wall, want)
			}
			if got := c.gap(now); got != skew {
				t.Errorf("the wall clock was set by %s; the gap is %s", skew, got)
			}
		}
	})
}

func TestQueueIDsBeginWithWhatTheWallClockSays(t *testing.T) {
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	i := newIDs(seam.Host{Wall: func() time.Time { return at }, Random: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }})
	if got, want := string(i.next()[:7]), digits(at.Unix(), 7); got != want {
		t.Errorf("a queue ID begins with %s, want %s", got, want)
	}
}
