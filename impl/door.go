package impl

import (
	"context"
	"errors"
	"sync"
)

// ErrStopped is returned to a caller that comes after the relay has stopped, or
// that is not done when it stops.
var ErrStopped = errors.New("the relay has stopped")

// A door lets callers from outside in from when recovery is over until the
// relay stops, and lets Run wait until the last is out. Nobody comes in
// earlier: recovery erases content that no message owns, and content that a
// caller is writing has none yet.
type door struct {
	mu     sync.Mutex
	opened bool
	shut   bool
	err    error // why it will not open
	// waiting are those who came before it was opened, in order.
	waiting []chan error
	inside  sync.WaitGroup
}

// enter waits until the door is open. When it returns nil the caller is inside
// and must leave.
func (d *door) enter(ctx context.Context) error {
	d.mu.Lock()
	switch {
	case d.shut:
		d.mu.Unlock()
		return ErrStopped
	case d.opened:
		defer d.mu.Unlock()
		if d.err == nil {
			d.inside.Add(1)
		}
		return d.err
	}
	turn := make(chan error, 1)
	d.waiting = append(d.waiting, turn)
	d.mu.Unlock()
	select {
	case err := <-turn:
		if err != nil {
			return err
		}
		return d.enter(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (d *door) leave() { d.inside.Done() }

// open lets in those who wait, and who comes from now on; with an error it
// turns them away. start begins a goroutine: one for each, so that each goes on
// at an instant of its own.
func (d *door) open(err error, start func(func())) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened, d.err = true, err
	for _, turn := range d.waiting {
		start(func() { turn <- err })
	}
	d.waiting = nil
}

// close lets nobody in any more and waits for those inside.
func (d *door) close() {
	d.mu.Lock()
	d.shut = true
	d.mu.Unlock()
	d.inside.Wait()
}
