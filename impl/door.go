package impl

import (
	"errors"
	"sync"
)

// ErrStopped is returned to a caller that comes after the relay has stopped.
var ErrStopped = errors.New("the relay has stopped")

// A door lets callers from outside in while the relay runs, and lets Run wait
// until the last is out.
type door struct {
	mu     sync.Mutex
	shut   bool
	inside sync.WaitGroup
}

// enter reports whether the caller may go on; if so it must leave.
func (d *door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	d.inside.Add(1)
	return true
}

func (d *door) leave() { d.inside.Done() }

// close lets nobody in any more and waits for those inside.
func (d *door) close() {
	d.mu.Lock()
	d.shut = true
	d.mu.Unlock()
	d.inside.Wait()
}
