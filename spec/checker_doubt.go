package spec

import (
	"fmt"
	"slices"
	"time"
)

// Doubt windows: what may have kept the relay from knowing what a server said
// to the final dot.

// slack is how much earlier than the time-out for the dot, seen from the
// server, the relay may give up: its clock started when it sent the dot.
const slack = time.Minute

// window says what may have kept the relay from knowing, before the fact
// until, that a server accepted r or was about to; it is empty when the relay
// must have known, or would have if it had waited.
func (c *Checker) window(r *rcpt, a *acceptance, until *event) string {
	host := a.at.Host
	for _, s := range c.stops {
		// It may also end after the dot has left, but before it arrives.
		written := r.outcome != nil && r.outcome.seq > a.began.seq && r.outcome.seq < s.seq
		if s.seq > a.began.seq && s.seq < until.seq && !written {
			return fmt.Sprintf("%s between the transaction at %s and the record of its outcome, at %s", noun(s), host, s.At)
		}
	}
	if f := c.lostReply(a, until.seq); f != nil {
		return fmt.Sprintf("reply lost at %s: %s", host, f.Text)
	}
	unwritten := a.replied == nil || a.replied.seq >= until.seq
	if end := a.session.closed; unwritten && end != nil && end.seq < until.seq && end.Text != ClosedByClient {
		return fmt.Sprintf("reply lost at %s: none was written before the connection ended", host)
	}
	switch {
	case c.gaveUp(r, a, until).Sub(a.dotted()) < c.policy.Timeouts.Dot-slack:
		return "" // it did not wait as long as it must
	case unwritten:
		return fmt.Sprintf("reply lost at %s: none was written before the relay went on", host)
	case a.replied.At.Sub(a.dotted()) >= c.policy.Timeouts.Dot-slack:
		return fmt.Sprintf("reply late at %s: it came %s after the dot", host, ago(a.replied.At.Sub(a.dotted())))
	}
	return ""
}

// noun says what ended a process.
func noun(s stop) string {
	if s.Kind == FactCrash {
		return "crash"
	}
	return "stop"
}

// dotted is when a transaction's dot was at the server, as far as known: from
// then on the relay waits. A server that was long about it says so by the time
// at which it read the dot.
func (a *acceptance) dotted() Wall {
	if a.dot != nil {
		return a.dot.At
	}
	return a.at.At
}

// gaveUp is when the relay waited no more for the answer to a dot: before the
// fact until, and no later than its own first word on what came of it.
func (c *Checker) gaveUp(r *rcpt, a *acceptance, until *event) Wall {
	at := until.At
	if e := r.gaveUp; e != nil && e.seq > a.began.seq && e.seq < until.seq && (a.dot == nil || e.seq > a.dot.seq) {
		at = min(at, e.At)
	}
	return at
}

// lostReply returns a fault that may have kept the reply to an acceptance from
// the client before the fact numbered until; nil when there was none. That the
// server was slow is none: a client must wait.
func (c *Checker) lostReply(a *acceptance, until int) *event {
	for _, f := range a.session.faults {
		if f.seq < until && muddles(f) && (a.replied == nil || f.seq < a.replied.seq) {
			return f // whatever it said next, it may have taken another reply for this one
		}
	}
	if a.heard != nil {
		return nil
	}
	if f := a.session.broken(); f != nil && f.seq < until {
		return f
	}
	for _, f := range a.session.faults {
		atDot := f.Stage == StageDot && f.seq >= a.began.seq
		if f.seq < until && (f.seq > a.at.seq || atDot) && !slow(f) {
			return f
		}
	}
	if f := c.trouble(a.session, a.began.seq); f != nil && f.seq < until {
		return f
	}
	return nil
}

// muddles reports whether a server said more than it was asked, or what is no
// reply: from then on its client may take one reply for another.
func muddles(f *event) bool {
	return slices.ContainsFunc(f.Faults, func(kind Fault) bool {
		return kind == FaultExtraReply || kind == FaultMalformed || kind == FaultEarly
	})
}

// slow reports whether a fault is only that a server takes its time, or never
// says anything.
func slow(f *event) bool {
	late := false
	for _, kind := range f.Faults {
		switch kind {
		case FaultDelay, FaultDrip, FaultSilence:
			late = true
		case FaultLost, FaultReply2:
		default:
			return false
		}
	}
	return late
}
