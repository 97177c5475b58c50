package spec

import (
	"fmt"
	"time"
)

// NEVER-TWICE, and the doubt windows that license its exception.

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
	if c.policy.InDoubtFor(r.dest) != DoubtRetry && !r.decided("retry", before.at) {
		tell("")
		return
	}
	began := a.began
	if began <= before.at.seq && a.session == before.session {
		began = a.at.seq // the commands of the second transaction were not seen
	}
	if began < before.at.seq {
		tell("; both were under way at once, so there was nothing to be in doubt about")
		return
	}
	window := c.window(r, before, began)
	if window == "" {
		tell("; it had said so, and nothing kept the relay from hearing it and writing it down")
		return
	}
	c.licences = append(c.licences, Licence{r.mail.id, r.address, window, before.at.Fact, a.at.Fact})
}

// slack is how much earlier than the time-out for the dot, seen from the
// server, the relay may give up: its clock started when it sent the dot.
const slack = time.Minute

// window says what may have kept the relay from knowing, before the fact
// numbered until, that a server had accepted r; it is empty when the relay
// must have known.
func (c *Checker) window(r *rcpt, a *acceptance, until int) string {
	host := a.at.Host
	for _, stop := range c.stops {
		// It may also end after the dot has left, but before it arrives.
		written := r.outcome != nil && r.outcome.seq > a.began && r.outcome.seq < stop.seq
		if stop.seq > a.began && stop.seq < until && !written {
			return fmt.Sprintf("%s between the transaction at %s and the record of its outcome, at %s", noun(stop), host, stop.At)
		}
	}
	if f := c.lostReply(a, until); f != nil {
		return fmt.Sprintf("reply lost at %s: %s", host, f.Text)
	}
	if a.replied == nil || a.replied.seq >= until {
		return fmt.Sprintf("reply lost at %s: none was written before the relay went on", host)
	}
	if late := a.replied.At.Sub(a.at.At); late >= c.policy.Timeouts.Dot-slack {
		return fmt.Sprintf("reply late at %s: it came %s after the acceptance", host, ago(late))
	}
	return ""
}

// noun says what ended a process.
func noun(stop *event) string {
	switch stop.Kind {
	case FactCrash:
		return "crash"
	case FactHalt:
		return "halt"
	}
	return "stop"
}
