package seamtest

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

// A ledger gives batches to a store and writes down what done says about them.
type ledger struct {
	t     rapid.TB
	store seam.Store

	mu sync.Mutex
	// said holds the number of every batch in the order of the calls of done.
	said []int
	// calls counts the calls of done by batch.
	calls []int
	// inside counts the calls of done that have not returned; most is the
	// greatest value that it had.
	inside, most int
}

// A promise is the answer that a store owes for one batch.
type promise struct {
	number int
	// said has room for a second answer, so that a store that calls done too
	// often is found out and not blocked.
	said chan error
}

func newLedger(t rapid.TB, store seam.Store) *ledger { return &ledger{t: t, store: store} }

// apply gives a batch to the store and does not wait.
func (l *ledger) apply(ops ...seam.Op) *promise {
	l.mu.Lock()
	p := &promise{number: len(l.calls), said: make(chan error, 2)}
	l.calls = append(l.calls, 0)
	l.mu.Unlock()
	l.store.Apply(ops, func(err error) {
		l.enter(p.number)
		// Gives a second call of done, which must not be under way, a chance
		// to begin.
		runtime.Gosched()
		l.leave()
		select {
		case p.said <- err:
		default: // The third call; the count has it.
		}
	})
	return p
}

func (l *ledger) enter(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, number)
	l.calls[number]++
	l.inside++
	l.most = max(l.most, l.inside)
}

func (l *ledger) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside--
}

// wait returns what done was told about a batch.
func (l *ledger) wait(p *promise) error {
	l.t.Helper()
	timer := time.NewTimer(watchdog)
	defer timer.Stop()
	select {
	case err := <-p.said:
		return err
	case <-timer.C:
		broken(l.t, clauseDone, "done of batch %d was not called within %v", p.number, watchdog)
		return nil
	}
}

// durable waits for a batch and fails when the disk did not take it.
func (l *ledger) durable(p *promise) {
	l.t.Helper()
	if err := l.wait(p); err != nil {
		l.t.Fatalf("done of batch %d was given an error on a healthy disk: %v", p.number, err)
	}
}

// acknowledged returns how many batches done was called for, and the order.
func (l *ledger) acknowledged() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int(nil), l.said...)
}

// doneElsewhere checks that done does not run inside Apply. It compares
// goroutines: whether Apply has returned by then says nothing.
func doneElsewhere(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	caller := goroutine()
	for _, ops := range [][]seam.Op{{put(seam.SpaceControl, "a", "1")}, nil, {del(seam.SpaceControl, "a")}} {
		runner := make(chan string, 2)
		store.Apply(ops, func(error) { runner <- goroutine() })
		timer := time.NewTimer(watchdog)
		select {
		case r := <-runner:
			if r == caller {
				broken(t, clauseDone, "done of a batch of %d operations ran in the goroutine that called Apply", len(ops))
			}
		case <-timer.C:
			broken(t, clauseDone, "done of a batch of %d operations was not called within %v", len(ops), watchdog)
		}
		timer.Stop()
	}
}

// goroutine returns the number of the running goroutine, which the head of its
// stack trace gives: "goroutine 7 [running]:".
func goroutine() string {
	head := make([]byte, 64)
	head = head[:runtime.Stack(head, false)]
	return string(bytes.Fields(head)[1])
}

// doneInOrder applies many batches at once and checks order, number and
// nesting of the calls of done.
func doneInOrder(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	l := newLedger(t, store)
	const batches = 300
	promises := make([]*promise, 0, batches)
	for i := range batches {
		var ops []seam.Op
		// An empty batch is a batch: it too waits for what came before.
		if i%7 != 3 {
			ops = append(ops, put(seam.SpaceControl, strconv.Itoa(i), "value"))
		}
		if i%5 == 0 {
			write(t, store, put(seam.SpaceBody, strconv.Itoa(i), "chunk"))
		}
		promises = append(promises, l.apply(ops...))
	}
	for _, p := range promises {
		l.durable(p)
	}
	closed(t, store)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, calls := range l.calls {
		if calls != 1 {
			broken(t, clauseDone, "done of batch %d was called %d times", i, calls)
		}
	}
	for i, number := range l.said {
		if i != number {
			broken(t, clauseSequence, "call %d of done was for batch %d", i, number)
		}
	}
	if l.most > 1 {
		broken(t, clauseSequence, "%d calls of done ran at the same time", l.most)
	}
}
