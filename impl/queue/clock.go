package queue

import (
	"time"

	"github.com/postonce/postonce/spec"
)

// A clock turns monotonic readings into wall-clock times. It believes the wall
// clock once; what that does later is nobody's due time.
type clock struct {
	anchor spec.Instant
	mono   spec.Mono
	set    bool
}

func (c *clock) read(now spec.Instant) {
	if !c.set {
		c.anchor, c.set = now, true
	}
	c.mono = max(c.mono, now.Mono)
}

// now is the time by the clock's own count.
func (c *clock) now() spec.Wall { return c.anchor.Wall.Add(c.mono.Sub(c.anchor.Mono)) }

// at converts a wall-clock time to the monotonic reading at which it comes.
func (c *clock) at(w spec.Wall) spec.Mono { return c.anchor.Mono.Add(w.Sub(c.anchor.Wall)) }

// sane bounds a due time read from disk: when the wall clock went back before
// a restart, nothing waits longer than the schedule's longest interval.
func (c *clock) sane(due spec.Wall, longest time.Duration) spec.Wall {
	return min(due, c.now().Add(longest))
}
