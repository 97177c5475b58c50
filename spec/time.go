package spec

import "time"

// Wall is a wall-clock time in nanoseconds since the Unix epoch, UTC. It is
// what is stored and shown; it can jump.
type Wall int64

// Mono is a reading of a monotonic clock, in nanoseconds since an arbitrary
// start within one process. Intervals are measured with it; it never jumps
// and means nothing to another process.
type Mono int64

// WallOf converts a time to a Wall.
func WallOf(t time.Time) Wall { return Wall(t.UnixNano()) }

// Time converts w to a time in UTC.
func (w Wall) Time() time.Time { return time.Unix(0, int64(w)).UTC() }

// Add returns the time d after w.
func (w Wall) Add(d time.Duration) Wall { return w + Wall(d) }

// Sub returns how long after u the time w is; negative when it is before.
func (w Wall) Sub(u Wall) time.Duration { return time.Duration(w - u) }

// String formats w as RFC 3339 with nanoseconds, always nine digits, so that
// columns of times line up and equal times are equal text.
func (w Wall) String() string { return w.Time().Format("2006-01-02T15:04:05.000000000Z") }

// Add returns the reading d after m.
func (m Mono) Add(d time.Duration) Mono { return m + Mono(d) }

// Sub returns how long after u the reading m was taken.
func (m Mono) Sub(u Mono) time.Duration { return time.Duration(m - u) }

// An Instant is one moment read from both clocks; every event of the queue
// carries one.
type Instant struct {
	Wall Wall
	Mono Mono
}
