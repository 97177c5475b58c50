package queue

import (
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A reroute is a mark on a recipient, Via, that says to which destination it
// belongs whatever policy says: the hosts themselves, as for a route by sender.
// So all that goes by destinations goes by it: the index, limits, pauses, the
// next hops, and what TLS and logins apply there.
//
// It says where and not when, and it is not about what may have been taken
// already, neither while that is open nor afterwards: who is asked a second time
// must be able to know the mail again.

// Reroute is the decision that sends what waits to these hosts, in this order,
// whatever policy says; with none, back to where policy sends it.
func Reroute(hosts ...string) Decision {
	if len(hosts) == 0 {
		return decideReroute + " " + spec.AsRouted
	}
	return decideReroute + " " + Decision(spec.Via(hosts))
}

// decideReroute is the word; behind it stands spec.Via, or spec.AsRouted.
const decideReroute Decision = "reroute"

// word is the first word of a decision: what is decided.
func (d Decision) word() Decision {
	word, _, _ := strings.Cut(string(d), " ")
	return Decision(word)
}

// Reroutes reports whether a decision is one that Reroute made.
func (d Decision) Reroutes() bool { return d.word() == decideReroute }

// trouble says what is wrong with what stands behind the word.
func (d Decision) trouble() error {
	word, dest, _ := strings.Cut(string(d), " ")
	if word != string(decideReroute) || dest == spec.AsRouted {
		return nil
	}
	return spec.ViaTrouble(dest)
}

// reroute sets the mark of a recipient.
func (q *Queue) reroute(m *message, r *Recipient, d Decision) {
	_, r.Via, _ = strings.Cut(string(d), " ")
	if r.Via == spec.AsRouted {
		r.Via = ""
	}
	m.dests = slices.Clone(m.dests)
	i := slices.IndexFunc(m.entry.Recipients, func(x Recipient) bool { return x.Address == r.Address })
	m.dests[i] = q.dest(m, r)
	// Nobody waits longer there than its schedule lets anybody wait: what is due later
	// would look like the work of a clock that was wrong.
	r.Due = min(r.Due, q.clock.now().Add(q.policy.Longest(m.dests[i])))
}

// claimed reports whether a delivery runs that has a recipient, whether or not it
// has said what became of it. At another destination another one could begin,
// and the end of the first would be taken for that of the second.
func (q *Queue) claimed(m *message, r *Recipient) bool {
	for _, j := range q.jobs { // any order: one is enough
		if j.message == m && j.closing == nil && slices.Contains(j.to, r.Address) {
			return true
		}
	}
	return false
}
