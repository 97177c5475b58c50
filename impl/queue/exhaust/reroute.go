package exhaust

import (
	"slices"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// reroutes are the operator's words on where mail goes: there, and back.
var reroutes = [...]queue.Decision{queue.Reroute("elsewhere.test"), queue.Reroute()}

// isReroute reports whether a decision is one of these.
func isReroute(d queue.Decision) bool { return slices.Contains(reroutes[:], d) }

// judgePlace judges that an attempt begins where the disk says that its
// recipients belong: else power loss would send them elsewhere.
func (s *state) judgePlace(a queue.Begin) {
	e := s.disk.entry(a.ID)
	if e == nil {
		return // judged where it is known why
	}
	for i := range e.Recipients {
		r := &e.Recipients[i]
		if want := r.Destination(s.policy, e.Sender); slices.Contains(a.To, r.Address) && want != a.Dest {
			s.violate(spec.NextHopOrder, "an attempt for %s to %s begins at %s, and by the disk it belongs to %s", a.ID, r.Address, a.Dest, want)
		}
	}
}

// judgeRerouted judges that what an operator is told of a reroute is stored.
func (s *state) judgeRerouted(d queue.Decide) {
	e := s.disk.entry(d.ID)
	if e == nil || !isReroute(d.Decision) {
		return
	}
	via := ""
	if d.Decision == reroutes[0] {
		via = spec.Via([]string{"elsewhere.test"})
	}
	for i := range e.Recipients {
		if r := &e.Recipients[i]; d.Decision.Concerns(r) && (d.Recipient == "" || d.Recipient == r.Address) && r.Via != via {
			s.violate(spec.NextHopOrder, "the relay says that %s is rerouted before it is stored: power loss would undo it", d.ID)
		}
	}
}
