package mutants

import (
	"bytes"
	"strings"
	"time"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec/seam"
)

// Stores that are wrong about when something is durable, or in which batch.

// An eager store says "durable" at once of the batches that when picks; it
// stores them all the same, or drops them.
type eager struct {
	seam.Store
	start func(func())
	when  func([]seam.Op) bool
	drops bool
}

func (s eager) Apply(ops []seam.Op, done func(error)) {
	if !s.when(ops) {
		s.Store.Apply(ops, done)
		return
	}
	s.start(func() { done(nil) })
	if !s.drops {
		s.Store.Apply(ops, func(error) {})
	}
}

// hasOp reports whether a batch puts or deletes something in a space.
func hasOp(ops []seam.Op, space seam.Space, deletes bool) bool {
	for _, op := range ops {
		if op.Key.Space == space && op.Delete == deletes {
			return true
		}
	}
	return false
}

func intends(ops []seam.Op) bool { return hasOp(ops, seam.SpaceIntent, false) }

func noIntents(h *seam.Host) { h.Store = eager{h.Store, h.Start, intends, true} }

func hastyDot(h *seam.Host) { h.Store = eager{h.Store, h.Start, intends, false} }

func hastyOutcome(h *seam.Host) {
	h.Store = eager{h.Store, h.Start, func(ops []seam.Op) bool { return hasOp(ops, seam.SpaceIntent, true) }, false}
}

func leavesIntents(h *seam.Host) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		return filter(ops, func(op seam.Op) bool { return op.Key.Space != seam.SpaceIntent || !op.Delete })
	})
}

// A splitter makes two batches of one: what later picks comes after the rest.
// With a gap between them, nobody waits for it.
type splitter struct {
	seam.Store
	// later returns what picks the operations that are to come later; nil for
	// a batch that stays whole.
	later func(ops []seam.Op) func(seam.Op) bool
	gap   time.Duration
}

func (s splitter) Apply(ops []seam.Op, done func(error)) {
	picks := s.later(ops)
	if picks == nil {
		s.Store.Apply(ops, done)
		return
	}
	late, first := filter(ops, picks), filter(ops, func(op seam.Op) bool { return !picks(op) })
	if s.gap == 0 {
		s.Store.Apply(first, func(error) {})
		s.Store.Apply(late, done)
		return
	}
	s.Store.Apply(first, done)
	for i := range late {
		late[i].Value = bytes.Clone(late[i].Value)
	}
	time.AfterFunc(s.gap, func() { s.Store.Apply(late, func(error) {}) })
}

// removesLate leaves a message where it is for two hours when it is done.
func removesLate(h *seam.Host) {
	h.Store = splitter{h.Store, func(ops []seam.Op) func(seam.Op) bool {
		if !hasOp(ops, seam.SpaceControl, true) {
			return nil
		}
		return func(op seam.Op) bool {
			return op.Delete && (op.Key.Space == seam.SpaceControl || op.Key.Space == seam.SpaceBody)
		}
	}, 2 * time.Hour}
}

// removesFirst stores a report only after the message that it is about is gone.
func removesFirst(h *seam.Host) {
	h.Store = splitter{h.Store, func(ops []seam.Op) func(seam.Op) bool {
		report := madeReport(ops)
		if report == nil {
			return nil
		}
		return func(op seam.Op) bool { return strings.Contains(op.Key.Name, string(report.ID)) }
	}, 0}
}

// madeReport returns the report that a batch stores, nil when it stores none.
func madeReport(ops []seam.Op) *queue.Entry {
	for _, op := range ops {
		if op.Key.Space == seam.SpaceControl && !op.Delete {
			if e, err := queue.DecodeEntry(op.Value); err == nil && e.Sender == "" && strings.HasPrefix(e.Message, string(e.ID)) {
				return e
			}
		}
	}
	return nil
}

// rewritten changes the value of what a report stores in a space.
func rewritten(h *seam.Host, space seam.Space, value func(*queue.Entry, []byte) []byte) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		report := madeReport(ops)
		if report == nil {
			return ops
		}
		changed := filter(ops, func(seam.Op) bool { return true })
		for i, op := range changed {
			if op.Key.Space == space && !op.Delete && strings.HasPrefix(op.Key.Name, string(report.ID)) {
				changed[i].Value = value(report, op.Value)
			}
		}
		return changed
	})
}

func reportsToStranger(h *seam.Host) {
	rewritten(h, seam.SpaceControl, func(e *queue.Entry, _ []byte) []byte {
		e.Recipients[0].Address = "eve@example.org"
		return e.Encode()
	})
}

func reportsStranger(h *seam.Host) {
	rewritten(h, seam.SpaceBody, func(_ *queue.Entry, text []byte) []byte {
		return bytes.ReplaceAll(bytes.Clone(text), []byte("bob@"), []byte("eve@"))
	})
}

// restLater writes all but the first chunk of a content a moment later.
func restLater(h *seam.Host) { h.Store = tardy{h.Store} }

type tardy struct{ seam.Store }

func (s tardy) Write(ops []seam.Op) error {
	first := func(op seam.Op) bool { return strings.HasSuffix(op.Key.Name, "/00000000") || op.Delete }
	rest := filter(ops, func(op seam.Op) bool { return !first(op) })
	for i := range rest {
		rest[i].Value = bytes.Clone(rest[i].Value)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = s.Store.Write(rest) })
	return s.Store.Write(filter(ops, first))
}

// blindToIntents does not see, when it starts, what the process before was
// about to do.
func blindToIntents(h *seam.Host) { h.Store = blind{h.Store} }

type blind struct{ seam.Store }

func (s blind) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	if space == seam.SpaceIntent {
		return nil, nil
	}
	return s.Store.Scan(space, prefix, after, limit)
}
