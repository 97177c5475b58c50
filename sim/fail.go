package sim

import (
	"fmt"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A failStep is an operation of the relay's machine that the plan lets fail.
type failStep struct {
	scenarios.Step
	met    int
	healed bool
}

// failing counts an operation of a kind and returns the step of the plan that
// makes it fail; nil when it works.
func (w *world) failing(p *process, kind string) *failStep {
	if p != w.relay || !p.alive() || w.over {
		return nil
	}
	ops := &w.ops.store
	switch kind {
	case "lookup":
		ops = &w.ops.lookup
	case "dial":
		ops = &w.ops.dial
	}
	ops.count++
	if w.marks.on {
		ops.at = append(ops.at, w.now())
	}
	if len(w.fails) > 0 {
		w.marks.changed() // the plan counts them over all processes
	}
	for _, f := range w.fails {
		if f.Op == kind && !f.healed && w.now() >= f.At && (ops.count == f.Nth || f.Forever && ops.count > f.Nth) {
			f.met++
			return f
		}
	}
	return nil
}

// fails returns why an operation of the store fails, nil when it works.
func (s *store) fails(what string) error {
	w := s.disk.world
	f := w.failing(s.owner, "store")
	if f == nil {
		return nil
	}
	s.owner.failed = f
	w.record(s.owner, spec.Fact{
		Actor: spec.ActorDisk, Kind: spec.FactFault, Faults: []spec.Fault{spec.FaultStore}, Text: fmt.Sprintf("%s fails", what),
	})
	if s.owner.dead {
		return errGone
	}
	return fmt.Errorf("%s: input/output error", what)
}

// cut breaks the relay's connections to a server.
func (w *world) cut(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit()
	h := w.network.host(name)
	for _, c := range w.relay.conns {
		if w.network.byIP[c.remote.AddrPort().Addr().Unmap()] != h {
			continue
		}
		w.record(w.nature, spec.Fact{
			Actor: spec.ActorNetwork, Kind: spec.FactFault, Session: c.link.session, Host: h.Name,
			Faults: []spec.Fault{spec.FaultLineCut}, Text: "the network breaks the connection",
		})
		c.out.sendReset()
		c.in.sendReset()
	}
}
