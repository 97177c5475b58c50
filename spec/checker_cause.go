package spec

import (
	"slices"
	"time"
)

// RETRY-ON-TIME: after how long a recipient is due again, by how often the relay
// has deferred it and why.

// setbacks are those that a recipient may have had: with each of some causes
// from least to most in a row. unseen is how many attempts the relay had no time to
// speak of.
type setbacks struct {
	causes      []Cause
	least, most int
	unseen      int
}

// causes are the causes that the relay may see in what deferred r. It goes by the
// reply, which it quotes; and else by whether a server let it in.
func (c *Checker) causes(r *rcpt, e *event) []Cause {
	if cause := CauseOf(e.Reply, false); cause != CauseOther {
		return []Cause{cause}
	}
	m := met{}
	if r.tried != nil {
		m = r.tried.met
	}
	switch missed := m.missed && !m.opened && !m.final; {
	case missed && !c.stoppedSince(r.begun):
		return []Cause{CauseUnreached}
	case missed || m == (met{}):
		return []Cause{CauseUnreached, CauseOther} // the next process may have ended it
	}
	return []Cause{CauseOther}
}

// setsBack takes a deferral of r.
func (c *Checker) setsBack(r *rcpt, e *event) {
	b, found := &r.setback, c.causes(r, e)
	unseen := max(0, e.Attempt-r.defers)
	again := slices.ContainsFunc(b.causes, func(before Cause) bool { return has(found, before) })
	switch {
	case unseen > b.unseen:
		b.least, b.most = 1, max(b.most+1, e.Attempt)
	case again && len(b.causes) == 1 && len(found) == 1:
		b.least, b.most = b.least+1, b.most+1
	case again:
		b.least, b.most = 1, b.most+1
	default:
		b.least, b.most = 1, 1
	}
	b.causes, b.unseen = found, unseen
}

// intervals are the shortest and the longest after which r is due again. The relay
// may have counted attempts of which it had no time to speak.
func (c *Checker) intervals(r *rcpt, e *event) (shortest, longest time.Duration) {
	shortest = time.Duration(1<<63 - 1)
	jitter := time.Duration(c.scheduleOf(r).Jitter)
	for _, cause := range r.setback.causes {
		for _, run := range [...]int{r.setback.least, r.setback.most} {
			for _, attempt := range [...]int{r.defers, max(r.defers, e.Attempt)} {
				d := c.policy.interval(r.dest, attempt, Setback{cause, run})
				least := d / 100 * (100 - jitter)
				if e.Queue != "" {
					d = c.policy.IntervalFor(e.Queue, r.dest, attempt, Setback{cause, run})
					least = d
				}
				shortest, longest = min(shortest, least), max(longest, d)
			}
		}
	}
	return shortest, longest
}
