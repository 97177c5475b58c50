package impl

import (
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A clock reads both clocks of the machine. The monotonic one counts from when
// this clock was made; the wall clock may be set at any time.
type clock struct {
	host  seam.Host
	began time.Time // with its monotonic reading
	wall  spec.Wall // what the wall clock said then
}

func newClock(host seam.Host) clock {
	return clock{host: host, began: time.Now(), wall: spec.WallOf(host.Now())}
}

func (c *clock) now() spec.Instant {
	return spec.Instant{Wall: spec.WallOf(c.host.Now()), Mono: spec.Mono(time.Since(c.began))}
}

// gap is by how much the wall clock was set since this clock was made.
func (c *clock) gap(now spec.Instant) time.Duration {
	return now.Wall.Sub(c.wall) - time.Duration(now.Mono)
}
