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

// sane bounds a due time that may have been stored by another process, whose
// clock was ahead of ours: it is never further away than the longest interval
// of the schedule from when this process began. What is no further away than
// that from now may be our own, and stands.
func (c *clock) sane(due spec.Wall, longest time.Duration) spec.Wall {
	if due <= c.now().Add(longest) {
		return due
	}
	return max(c.now(), c.anchor.Wall.Add(longest))
}
