package spec

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// DefaultSchedule returns five minutes, doubling up to four hours, each shorter by
// up to a tenth, for five days. RFC 5321 section 4.5.4.1 asks for a give-up time of at least 4 to 5
// days and, as a rule, at least 30 minutes between attempts; it allows the
// first ones to come sooner, which greylisting servers reward.
func DefaultSchedule() Schedule {
	return Schedule{First: 5 * time.Minute, Max: 4 * time.Hour, Numerator: 2, Denominator: 1, Jitter: 10, Lifetime: 5 * 24 * time.Hour}
}

// Interval returns how long to wait after the attempt-th failed attempt,
// counting from 1. It never falls from one attempt to the next and is never
// more than Max.
func (s Schedule) Interval(attempt int) time.Duration { return s.backoff().Interval(attempt) }

// backoff returns the intervals of the schedule.
func (s Schedule) backoff() Backoff { return Backoff{s.First, s.Max, s.Numerator, s.Denominator} }

// Interval returns the n-th interval, counting from 1. It never falls from one to
// the next and is never more than Max.
func (s Backoff) Interval(n int) time.Duration {
	d := min(s.First, s.Max)
	if s.Numerator <= s.Denominator || s.Denominator <= 0 {
		return d
	}
	num, den := time.Duration(s.Numerator), time.Duration(s.Denominator)
	for range n - 1 {
		// d*num/den, exactly, without overflowing for what Validate allows.
		next := d/den*num + d%den*num/den
		if next >= s.Max {
			return s.Max
		}
		if next <= d {
			return d // rounding swallowed the growth; it would for ever
		}
		d = next
	}
	return d
}

// IntervalFor is Interval for one message at one destination: shorter by up to
// Jitter percent. By how much hangs on the three alone, so that who knows them can
// say it, and a process that is started anew says the same.
func (s Schedule) IntervalFor(id QueueID, destination string, attempt int) time.Duration {
	return s.jittered(s.Interval(attempt), id, destination, attempt)
}

// jittered returns an interval as the jitter makes it.
func (s Schedule) jittered(d time.Duration, id QueueID, destination string, attempt int) time.Duration {
	if s.Jitter <= 0 {
		return d
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", id, destination, attempt)
	// FNV spreads its last bytes little; a step of the finalizer of MurmurHash3 does.
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	const bits = 20
	return d - d/100*time.Duration(s.Jitter)>>bits*time.Duration(x>>(64-bits))
}

// Next returns when a recipient is due again whose attempt failed at now: after an
// interval, but no later than the end of the lifetime of a message that was
// submitted at submitted; and never before now.
func (s Schedule) Next(now Wall, interval time.Duration, submitted Wall) Wall {
	return max(now, min(now.Add(interval), s.Expires(submitted)))
}

// ScheduleFor returns the schedule of mail for a destination. Of a message with
// recipients at several, each goes by its own.
func (p Policy) ScheduleFor(destination string) Schedule {
	if len(p.ScheduleAt) > 0 {
		if s, ok := p.ScheduleAt[strings.ToLower(destination)]; ok {
			return s
		}
	}
	return p.Schedule
}

// DelayWarningFor returns after how long mail for a destination is delayed.
func (p Policy) DelayWarningFor(destination string) time.Duration {
	if len(p.DelayWarningAt) > 0 {
		if after, ok := p.DelayWarningAt[strings.ToLower(destination)]; ok {
			return after
		}
	}
	return p.DelayWarning
}

// Schedules returns the global schedule and those of destinations, in order of
// their names.
func (p Policy) Schedules() []Schedule {
	all := []Schedule{p.Schedule}
	for _, at := range slices.Sorted(maps.Keys(p.ScheduleAt)) {
		all = append(all, p.ScheduleAt[at])
	}
	return all
}

// validateSchedules returns the first error of the schedules and delay warnings.
func (p Policy) validateSchedules() error {
	if err := p.Schedule.Validate(); err != nil {
		return err
	}
	if err := p.Backoffs.validate(); err != nil {
		return err
	}
	if p.DelayWarning < 0 {
		return fmt.Errorf("delay warning: %v is in the past; write 0 for none", p.DelayWarning)
	}
	for _, at := range slices.Sorted(maps.Keys(p.ScheduleAt)) {
		if err := keyTrouble("schedule", at); err != nil {
			return err
		}
		if err := p.ScheduleAt[at].Validate(); err != nil {
			return fmt.Errorf("at %.100q: %w", at, err)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(p.DelayWarningAt)) {
		if err := keyTrouble("delay warning", at); err != nil {
			return err
		}
		if after := p.DelayWarningAt[at]; after < 0 {
			return fmt.Errorf("delay warning at %.100q: %v is in the past; write 0 for none", at, after)
		}
	}
	return nil
}

// Expires returns when the lifetime ends of a message submitted at submitted.
// What is still deferred then fails.
func (s Schedule) Expires(submitted Wall) Wall { return submitted.Add(s.Lifetime) }

// The bounds within which the arithmetic of Interval and Next is exact.
const (
	longest   = 366 * 24 * time.Hour
	mostTerm  = 1_000_000
	mostRatio = 100
	// mostJitter keeps the intervals of a schedule that doubles apart.
	mostJitter = 50
)

// Validate returns an error when the schedule makes no sense: intervals or a
// lifetime that are not positive, intervals that shrink, or numbers so large
// that they can only be mistakes.
func (s Schedule) Validate() error {
	if err := s.backoff().Validate(); err != nil {
		return fmt.Errorf("retry schedule: %w", err)
	}
	switch {
	case s.Jitter < 0 || s.Jitter > mostJitter:
		return fmt.Errorf("retry schedule: a jitter of %d%% is not one of 0 to %d%%", s.Jitter, mostJitter)
	case s.Lifetime <= 0:
		return fmt.Errorf("retry schedule: the lifetime is %s; it must be positive", ago(s.Lifetime))
	case s.Lifetime > longest:
		return fmt.Errorf("retry schedule: the lifetime %s is more than a year", ago(s.Lifetime))
	}
	return nil
}

// Validate returns an error when the back-off makes no sense.
func (s Backoff) Validate() error {
	switch {
	case s.First <= 0:
		return fmt.Errorf("the first interval is %s; it must be positive", ago(s.First))
	case s.Max < s.First:
		return fmt.Errorf("the longest interval %s is less than the first %s", ago(s.Max), ago(s.First))
	case s.Max > longest:
		return fmt.Errorf("the longest interval %s is more than a year", ago(s.Max))
	case s.Denominator < 1 || s.Denominator > mostTerm || s.Numerator > mostTerm:
		return fmt.Errorf("the factor %d/%d is not a ratio of numbers from 1 to %d", s.Numerator, s.Denominator, mostTerm)
	case s.Numerator < s.Denominator:
		return fmt.Errorf("the factor %d/%d is less than 1, so intervals would shrink", s.Numerator, s.Denominator)
	case s.Numerator > mostRatio*s.Denominator:
		return fmt.Errorf("the factor %d/%d is more than %d", s.Numerator, s.Denominator, mostRatio)
	}
	return nil
}
