package mutants

import (
	"strings"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec/seam"
)

// A disk is a store whose batches are tampered with.
type disk struct {
	seam.Store
	tamper func([]seam.Op) []seam.Op
}

func (d disk) Apply(ops []seam.Op, done func(error)) { d.Store.Apply(d.tamper(ops), done) }

func tampered(h *seam.Host, tamper func([]seam.Op) []seam.Op) {
	h.Store = disk{h.Store, tamper}
}

// filter keeps the ops for which keep is true.
func filter(ops []seam.Op, keep func(seam.Op) bool) []seam.Op {
	var kept []seam.Op
	for _, op := range ops {
		if keep(op) {
			kept = append(kept, op)
		}
	}
	return kept
}

// noReports drops messages from the null sender that the relay makes itself.
func noReports(h *seam.Host) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		report := ""
		for _, op := range ops {
			if op.Key.Space == seam.SpaceControl && !op.Delete {
				if e, err := queue.DecodeEntry(op.Value); err == nil && e.Sender == "" && strings.HasPrefix(e.Message, string(e.ID)) {
					report = string(e.ID)
				}
			}
		}
		return filter(ops, func(op seam.Op) bool { return report == "" || !strings.Contains(op.Key.Name, report) })
	})
}

func leavesBodies(h *seam.Host) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		return filter(ops, func(op seam.Op) bool { return op.Key.Space != seam.SpaceBody || !op.Delete })
	})
}

// cleansEarly takes the intent for the outcome.
func cleansEarly(h *seam.Host) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		for _, op := range ops {
			if op.Key.Space == seam.SpaceIntent && !op.Delete {
				id := op.Key.Name
				return []seam.Op{
					{Key: seam.Key{Space: seam.SpaceControl, Name: id}, Delete: true},
					{Key: seam.Key{Space: seam.SpaceBody, Name: id + "/00000000"}, Delete: true},
				}
			}
		}
		return ops
	})
}

func noIndex(h *seam.Host) {
	tampered(h, func(ops []seam.Op) []seam.Op {
		return filter(ops, func(op seam.Op) bool { return op.Key.Space != seam.SpaceDue })
	})
}

// acksEarly calls done as soon as the batch is on its way.
func acksEarly(h *seam.Host) { h.Store = hasty{h.Store, h.Start} }

type hasty struct {
	seam.Store
	start func(func())
}

func (h hasty) Apply(ops []seam.Op, done func(error)) {
	h.start(func() { done(nil) })
	h.Store.Apply(ops, func(error) {})
}
