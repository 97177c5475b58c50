package sim

import (
	"math/rand/v2"
	"time"

	"github.com/postonce/postonce/spec"
)

// A clock hands out instants. Times are counted from the start of the world.
type clock struct {
	start time.Time
	// used holds the fractions of a second, in nanoseconds, that have been
	// handed out.
	used map[int32]struct{}
}

func newClock() clock { return clock{start: time.Now(), used: make(map[int32]struct{}, 256)} }

// now is the time since the start of the world.
func (c *clock) now() time.Duration { return time.Since(c.start) }

// wall is the present time as facts show it.
func (c *clock) wall() spec.Wall { return spec.WallOf(time.Now()) }

// claim returns the first instant at or after t, and after the present, whose
// fraction of a second nothing else has. A world would have to see a thousand
// million events to run out of them; then instants repeat fractions again.
func (c *clock) claim(t time.Duration) time.Duration {
	t = max(t, c.now()+1)
	for range int64(time.Second) {
		fraction := int32(t % time.Second)
		if _, taken := c.used[fraction]; !taken {
			c.used[fraction] = struct{}{}
			break
		}
		t++
	}
	return t
}

// A span is how long something takes.
type span struct{ least, most time.Duration }

// How long things take in a world without faults. They are short enough not to
// matter for what the rules say, and overlap, so that seeds differ in order.
var (
	segmentTime  = span{200 * time.Microsecond, 20 * time.Millisecond}
	connectTime  = span{time.Millisecond, 40 * time.Millisecond}
	acceptTime   = span{10 * time.Microsecond, time.Millisecond}
	wakeTime     = span{time.Microsecond, 50 * time.Microsecond}
	startTime    = span{time.Microsecond, 100 * time.Microsecond}
	queryTime    = span{time.Millisecond, 80 * time.Millisecond}
	syncTime     = span{500 * time.Microsecond, 8 * time.Millisecond}
	resetTime    = span{time.Millisecond, 30 * time.Millisecond}
	submitRetry  = 10 * time.Second
	submitFirst  = 100 * time.Millisecond
	submitPeriod = time.Hour
)

// draw returns a time within s.
func (s span) draw(r *rand.Rand) time.Duration {
	return s.least + time.Duration(r.Int64N(int64(s.most-s.least)+1))
}

// later claims an instant within s from now.
func (c *clock) later(r *rand.Rand, s span) time.Duration { return c.claim(c.now() + s.draw(r)) }
