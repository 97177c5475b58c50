package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/postonce/postonce/spec"
)

// A doubts keeps in mind which recipients have been sent a final dot and have
// no outcome stored yet: what a process that ends now leaves in doubt. There
// are no more of them than the relay's limits allow deliveries.
type doubts struct {
	next func(spec.Fact)

	mu   sync.Mutex
	open map[doubtful]string // the host that was sent the dot
}

// A doubtful is a recipient of a message in the spool.
type doubtful struct {
	queue   spec.QueueID
	address string
}

// newDoubts returns a doubts that passes facts on to next.
func newDoubts(next func(spec.Fact)) *doubts {
	return &doubts{next: next, open: map[doubtful]string{}}
}

// note takes a fact of the relay.
func (d *doubts) note(f spec.Fact) {
	d.mu.Lock()
	for _, to := range f.To {
		switch f.Kind {
		case spec.FactDot:
			d.open[doubtful{f.Queue, to}] = f.Host
		case spec.FactOutcome:
			delete(d.open, doubtful{f.Queue, to})
		}
	}
	d.mu.Unlock()
	d.next(f)
}

// count returns how many recipients are in doubt now.
func (d *doubts) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open)
}

// abandoned returns an error that says what is left undone by ending now.
func (d *doubts) abandoned() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open) == 0 {
		return errors.New("ended at once, on a second signal; nothing is left in doubt")
	}
	var lines []string
	for who, host := range d.open {
		lines = append(lines, fmt.Sprintf("  %s to %s, by %s", who.queue, who.address, host))
	}
	slices.Sort(lines)
	return fmt.Errorf("ended at once, on a second signal; servers were sent these and have not answered.\n"+
		"Whether they arrived nobody knows; the next start does with them what in_doubt says:\n%s", strings.Join(lines, "\n"))
}
