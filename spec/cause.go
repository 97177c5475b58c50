package spec

import (
	"fmt"
	"strings"
	"time"
)

// A Cause is a kind of trouble after which it is worth asking again sooner, or
// later, than after any other.
type Cause uint8

// The causes. They are stored, so their numbers stay.
const (
	// CauseOther is any trouble that is none of the others.
	CauseOther Cause = iota
	// CauseGreylisted: the server turns away whom it has not seen before, and takes
	// him when he comes back (RFC 6647). Whoever stays away for hours is late by
	// hours.
	CauseGreylisted
	// CauseMailboxFull: somebody has to make room first (RFC 3463: X.2.2).
	CauseMailboxFull
	// CauseUnreached: no server of the destination opened a session, or none let the
	// relay in where that has a login.
	CauseUnreached

	causes
)

var causeNames = [causes]string{CauseOther: "other", CauseGreylisted: "greylisted", CauseMailboxFull: "mailbox_full", CauseUnreached: "unreached"}

// String returns the cause's name as it stands in configuration files.
func (c Cause) String() string {
	if c.Valid() {
		return causeNames[c]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// Valid reports whether c is one of the causes above.
func (c Cause) Valid() bool { return c < causes }

// Causes lists the causes that can have a back-off, in order: all but CauseOther.
func Causes() []Cause { return []Cause{CauseGreylisted, CauseMailboxFull, CauseUnreached} }

// ParseCause is the inverse of String, for the causes that can have a back-off.
func ParseCause(name string) (Cause, error) {
	for _, c := range Causes() {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("no cause is called %q: choose greylisted, mailbox_full or unreached", name)
}

// CauseOf returns the cause of a deferral: of the reply that counted, as
// Reply.String has it, and whether no server of the destination opened a session.
//
// It decides when to ask again and nothing else: for that the words of a server
// will do, which no verdict hangs on. No code means greylisting alone. 450 and 451
// with 4.7.1 is what most greylisters say, some with no word about it ("451 4.7.1
// Try again later"); others have 4.2.0, or no enhanced code, and say so in words.
func CauseOf(reply string, unreached bool) Cause {
	r := replyOf(reply)
	text := strings.ToLower(r.Text())
	switch {
	case r.Class() == 4 && (strings.Contains(text, "greylist") || strings.Contains(text, "graylist")),
		(r.Code == 450 || r.Code == 451) && r.Enhanced == "4.7.1":
		return CauseGreylisted
	case r.Class() == 4 && r.Enhanced == "4.2.2":
		return CauseMailboxFull
	case unreached:
		return CauseUnreached
	}
	return CauseOther
}

// A Backoff is a row of growing intervals. All arithmetic is in integers.
type Backoff struct {
	// First is the first interval; each later one is the one before times
	// Numerator/Denominator, at most Max.
	First, Max             time.Duration
	Numerator, Denominator int64
}

// Backoffs are the back-offs after causes; one that is zero is that of the
// schedule. That of CauseOther is always zero.
type Backoffs [causes]Backoff

// A Setback is how many attempts in a row have ended with one cause that has a
// back-off; zero when the last one did not.
type Setback struct {
	Cause Cause
	Run   int
}

// After returns the setback after one more attempt, which ended with a cause.
func (b Backoffs) After(before Setback, cause Cause) Setback {
	switch {
	case b[cause] == Backoff{}:
		return Setback{}
	case before.Cause == cause:
		return Setback{cause, before.Run + 1}
	}
	return Setback{cause, 1}
}

// validate returns the first error of the back-offs.
func (b Backoffs) validate() error {
	for cause := range causes {
		if b[cause] == (Backoff{}) {
			continue
		}
		if cause == CauseOther {
			return fmt.Errorf("back-off: what has no cause of its own goes by the schedule")
		}
		if err := b[cause].Validate(); err != nil {
			return fmt.Errorf("back-off %s: %w", cause, err)
		}
	}
	return nil
}

// IntervalFor returns how long a message waits at a destination after an attempt:
// by the back-off of its setback, or else by the destination's schedule and all
// attempts so far. The jitter is the schedule's.
func (p Policy) IntervalFor(id QueueID, destination string, attempt int, b Setback) time.Duration {
	return p.ScheduleFor(destination).jittered(p.interval(destination, attempt, b), id, destination, attempt)
}

// interval is IntervalFor without jitter.
func (p Policy) interval(destination string, attempt int, b Setback) time.Duration {
	if own := p.Backoffs[b.Cause]; own != (Backoff{}) {
		return own.Interval(b.Run)
	}
	return p.ScheduleFor(destination).Interval(attempt)
}

// Longest returns the longest interval between two attempts at a destination.
func (p Policy) Longest(destination string) time.Duration {
	longest := p.ScheduleFor(destination).Max
	for _, b := range p.Backoffs {
		longest = max(longest, b.Max)
	}
	return longest
}

// Dead returns for how long a destination is dead that was found to be so times
// times, with no attempt between that reached it.
func (p Policy) Dead(destination string, times int) time.Duration {
	if b := p.Backoffs[CauseUnreached]; b != (Backoff{}) {
		return b.Interval(times)
	}
	return p.ScheduleFor(destination).Interval(times)
}
