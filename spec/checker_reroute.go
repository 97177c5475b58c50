package spec

import (
	"slices"
	"strings"
)

// What operators say of where mail goes: "reroute", and a destination or AsRouted.

const reroute = "reroute"

// A way is where a recipient goes by an operator's word: moved is the fact by
// which it was learnt last, doubt that it may have been taken.
type way struct{ moved, doubt *event }

// rerouteTo returns the destination that a word about r sends it to; empty when
// it is no such word.
func (c *Checker) rerouteTo(r *rcpt, e *event) string {
	words := strings.Fields(e.Text)
	i := slices.Index(words, reroute)
	switch {
	case i < 0 || i+1 == len(words):
		return ""
	case words[i+1] == AsRouted:
		return c.policy.Destination(r.mail.from, r.address)
	}
	return words[i+1]
}

// belongs takes what the relay says of where r goes, and judges the beginning of
// an attempt there. Destinations that no operator gave by their hosts are judged
// by the hosts that are dialled.
func (c *Checker) belongs(r *rcpt, e *event) {
	named := viaHosts(r.dest) != nil || viaHosts(e.Dest) != nil
	if e.Dest == "" || r.mail.from == "" || r.mail.twins || !named || hostName(e.Dest) == hostName(r.dest) {
		return
	}
	told := r.told.said[reroute]
	var order *event
	if c.unanswered(told, func(said *event) bool {
		order = said
		return hostName(c.rerouteTo(r, said)) == hostName(e.Dest) && c.unheard(r, said)
	}) {
		c.moves(r, e.Dest, order, e)
		return
	}
	if e.Kind != FactAttempt {
		return
	}
	who := "policy sends it"
	if r.way.moved != nil {
		who = "an operator has sent it"
	}
	c.violate(NextHopOrder, "belongs "+r.mail.id, []*event{r.mail.submit, r.way.moved, e},
		"the relay attempts %s at %s, but %s to %s", r.name(), e.Dest, who, r.dest)
}

// rerouted takes the relay's answer that r goes where an operator said. Where it
// has said since where r goes, that counts: answers need not come in order.
func (c *Checker) rerouted(r *rcpt, e *event) {
	said := r.told.said[reroute].done
	if said == nil || r.way.doubt != nil || r.state == Held || r.way.moved != nil && r.way.moved.seq > said.seq {
		return
	}
	c.moves(r, c.rerouteTo(r, e), said, e)
}

// moves takes it that r goes to another destination from now on. Where that may
// not be, since a server may have it, the relay made two deliveries of a doubt.
func (c *Checker) moves(r *rcpt, dest string, said, e *event) {
	if doubt := r.way.doubt; doubt != nil {
		c.violate(NextHopOrder, "rerouted "+r.name(), []*event{doubt, e},
			"the relay rerouted %s to %s, though a server of %s may have it: what is in doubt stays where it is", r.name(), dest, r.dest)
	}
	r.way.moved, r.idle = e, max(r.idle, e.At)
	if hostName(dest) == hostName(r.dest) {
		return
	}
	if r.waits {
		from := c.fair.dest(r.dest)
		from.waiting--
		c.forgets(from)
		c.fair.dest(dest).waiting++
	}
	r.dest = dest
	r.due = min(r.due, c.reckoned(said.At).Add(c.policy.Longest(dest))) // nobody waits longer there
}

// judgeRerouted judges the word that r waits elsewhere: it says where, and not
// when. It reports false when that is not why it is said.
func (c *Checker) judgeRerouted(r *rcpt, e *event, due, soonest Wall) bool {
	if e.Job != "" || !c.ordered(r, reroute) {
		return false
	}
	longest := e.reckoned().Add(c.policy.Longest(r.dest)) // nobody waits longer there
	soonest = min(soonest, longest.Add(-instant))
	if e.Due > longest.Add(instant) && !c.ordered(r, "retry-now") && !c.ordered(r, "release") {
		c.violate(RetryOnTime, "rerouted late "+r.name()+e.Due.String(), []*event{r.outcome, e},
			"the relay rerouted %s, and made it due %s later than anybody has to wait there", r.name(), ago(e.Due.Sub(longest)))
	}
	if due != 0 && e.Due < soonest && !c.ordered(r, "retry-now") && !c.ordered(r, "release") {
		c.violate(RetryOnTime, "rerouted "+r.name()+e.Due.String(), []*event{r.outcome, e},
			"the relay rerouted %s, and made it due %s earlier than it was", r.name(), ago(soonest.Sub(e.Due)))
	}
	return true
}

// destFor returns the destination for which an envelope is spoken of in a
// session; ok is false when it may be one of several.
func (c *Checker) destFor(s *session, to string) (dest string, ok bool) {
	dest = c.policy.Destination(s.from, to)
	for _, r := range c.pairs[pair{canonical(s.from), canonical(to)}] {
		if r.way.moved != nil || len(r.told.said[reroute].open) > 0 {
			r = c.resolve(s.from, to)
			return destOf(r), r != nil && r.job != nil && r.begun.seq < s.since()
		}
	}
	return dest, true
}

// destOf is where r goes; nil goes nowhere.
func destOf(r *rcpt) string {
	if r == nil {
		return ""
	}
	return r.dest
}

// since numbers the fact with which a transaction began.
func (s *session) since() int {
	if s.began == nil {
		return 0
	}
	return s.began.seq
}
