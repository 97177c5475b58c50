package spool

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// A compactor is Pebble's compaction scheduler: one compaction at a time, and
// none before the store is open. Pebble 2.1.7 begins compactions while it still
// opens; when it then fails to open, it takes the tables away under them and
// panics ("element has outstanding references"), and a panic in a goroutine of
// its own is one that nobody can recover from. A spool whose disk fails while
// it is opened has to say so instead.
type compactor struct {
	mu sync.Mutex
	db pebble.DBForCompaction
	// open is true once the store is, ended once it closes; running while a
	// compaction runs or one is being looked for; refused once one was
	// refused since: a place that becomes free goes to it, or Pebble would wait
	// for it before it takes more writes.
	open, ended, running, refused bool
	// asking counts calls of db, for which Unregister waits.
	asking sync.WaitGroup
}

// allow says that the store is open.
func (c *compactor) allow() {
	c.mu.Lock()
	c.open = true
	c.mu.Unlock()
	c.grant()
}

// Register implements pebble.CompactionScheduler.
func (c *compactor) Register(_ int, db pebble.DBForCompaction) { c.db = db }

// Unregister implements pebble.CompactionScheduler.
func (c *compactor) Unregister() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.asking.Wait()
}

// TrySchedule implements pebble.CompactionScheduler.
func (c *compactor) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open || c.ended || c.running {
		c.refused = true
		return false, nil
	}
	c.running = true
	return true, c
}

// grant gives the free place to a compaction that waits for one.
func (c *compactor) grant() {
	for c.take() {
		waiting, _ := c.db.GetWaitingCompaction()
		accepted := waiting && c.db.Schedule(c)
		c.asking.Done()
		if accepted || !c.free() {
			return
		}
	}
}

// take claims the one place in order to look for a compaction.
func (c *compactor) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open || c.ended || c.running {
		return false
	}
	c.running, c.refused = true, false
	c.asking.Add(1)
	return true
}

// free gives the place back, and reports whether somebody asked for it
// meanwhile.
func (c *compactor) free() (refused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	return c.refused
}

// Done implements pebble.CompactionGrantHandle.
func (c *compactor) Done() {
	c.free()
	c.grant()
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler; one
// compaction is always allowed.
func (c *compactor) UpdateGetAllowedWithoutPermission() {}

// Started implements pebble.CompactionGrantHandle.
func (c *compactor) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (c *compactor) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (c *compactor) CumulativeStats(pebble.CompactionGrantHandleStats) {}
