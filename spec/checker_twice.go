package spec

import "fmt"

// NEVER-TWICE: no second acceptance, but across a doubt that licenses it.

// judgeTwice judges the acceptance a of r, when before was the last one.
func (c *Checker) judgeTwice(r *rcpt, before, a *acceptance) {
	if before == nil || r.accepted <= r.allowed() {
		return
	}
	facts := []*event{before.at, before.replied, r.outcome, r.begun, a.at}
	tell := func(why string) {
		c.violate(NeverTwice, fmt.Sprintf("%s %d", r.name(), r.accepted), facts,
			"%s accepted %s, which %s had accepted %s before%s", a.at.Host, r.name(), before.at.Host, ago(a.at.At.Sub(before.at.At)), why)
	}
	// A slow server may accept the first transaction when the second one is
	// long over. What counts is which of them the relay began first, and that
	// it was in doubt about that one when it began the other.
	first, second := before, a
	if a.began.seq < before.began.seq {
		first, second = a, before
	}
	if c.policy.InDoubtFor(r.dest) != DoubtRetry && !c.heeded(r, "retry", first.began) {
		tell("")
		return
	}
	began := second.began
	if first.session == second.session && began.seq <= first.at.seq {
		began = second.at // the commands of the second transaction were not seen
	}
	window := c.window(r, first, began)
	switch {
	case window != "":
		c.licences = append(c.licences, Licence{r.mail.id, r.address, window, before.at.Fact, a.at.Fact})
	case began.seq < first.at.seq && !c.closedBefore(first, began):
		tell("; both were under way at once, so there was nothing to be in doubt about")
	case first.replied == nil || first.replied.seq >= began.seq:
		tell("; it had not waited for the answer as long as it must, and nothing kept it from that")
	default:
		tell("; it had said so, and nothing kept the relay from hearing it and writing it down")
	}
}

// closedBefore reports whether the connection of a transaction was over before
// another one began.
func (c *Checker) closedBefore(a *acceptance, began *event) bool {
	return a.session.closed != nil && a.session.closed.seq < began.seq
}
