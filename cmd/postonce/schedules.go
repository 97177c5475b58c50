package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/postonce/postonce/spec"
)

// scheduleAt is the schedule of one destination. What it does not say is as in
// schedule and delay_warning.
type scheduleAt struct {
	First    *duration `yaml:"first"`
	Factor   *factor   `yaml:"factor"`
	Max      *duration `yaml:"max"`
	Jitter   *percent  `yaml:"jitter"`
	Lifetime *duration `yaml:"lifetime"`
	Warning  *warning  `yaml:"delay_warning"`
}

// on returns s with what is said here in its place.
func (at scheduleAt) on(s spec.Schedule) spec.Schedule {
	if at.First != nil {
		s.First = time.Duration(*at.First)
	}
	if at.Factor != nil {
		s.Numerator, s.Denominator = at.Factor.numerator, at.Factor.denominator
	}
	if at.Max != nil {
		s.Max = time.Duration(*at.Max)
	}
	if at.Jitter != nil {
		s.Jitter = int(*at.Jitter)
	}
	if at.Lifetime != nil {
		s.Lifetime = time.Duration(*at.Lifetime)
	}
	return s
}

// backoffs are the intervals after attempts that end in one way.
type backoffs struct {
	Greylisted  *backoff `yaml:"greylisted"`
	MailboxFull *backoff `yaml:"mailbox_full"`
	Unreached   *backoff `yaml:"unreached"`
}

// backoff has the intervals after one cause. What it does not say is as in schedule.
type backoff struct {
	First  *duration `yaml:"first"`
	Factor *factor   `yaml:"factor"`
	Max    *duration `yaml:"max"`
}

// policy returns the back-offs as a policy has them, over a schedule.
func (b backoffs) policy(s spec.Schedule) (all spec.Backoffs) {
	for cause, one := range map[spec.Cause]*backoff{ // any order: each has its place
		spec.CauseGreylisted: b.Greylisted, spec.CauseMailboxFull: b.MailboxFull, spec.CauseUnreached: b.Unreached,
	} {
		if one != nil {
			on := scheduleAt{First: one.First, Factor: one.Factor, Max: one.Max}.on(s)
			all[cause] = spec.Backoff{First: on.First, Max: on.Max, Numerator: on.Numerator, Denominator: on.Denominator}
		}
	}
	return all
}

// policy returns the schedule as a policy has it.
func (s schedule) policy() spec.Schedule {
	return spec.Schedule{
		First: time.Duration(s.First), Max: time.Duration(s.Max), Lifetime: time.Duration(s.Lifetime),
		Numerator: s.Factor.numerator, Denominator: s.Factor.denominator, Jitter: int(s.Jitter),
	}
}

// schedules sets the schedules of destinations, and the back-offs, in a policy that
// has the global schedule.
func (c *config) schedules(p *spec.Policy) {
	p.Backoffs = c.Backoff.policy(p.Schedule)
	for key, at := range c.Schedules { // any order: destinations are different, once they are checked
		if p.ScheduleAt == nil {
			p.ScheduleAt = make(map[string]spec.Schedule)
		}
		p.ScheduleAt[destination(key)] = at.on(p.Schedule)
		if at.Warning != nil {
			if p.DelayWarningAt == nil {
				p.DelayWarningAt = make(map[string]time.Duration)
			}
			p.DelayWarningAt[destination(key)] = time.Duration(*at.Warning)
		}
	}
}

// schedules finds what is wrong with the schedules. Where the global one is wrong,
// what those of destinations take from it is not told again.
func (k *checker) schedules() {
	global := k.config.Schedule.policy()
	bad := scheduleTrouble(global)
	if bad != nil {
		k.at(key("schedule"), bad)
	}
	for cause, b := range k.config.Backoff.policy(global) {
		if err := b.Validate(); b != (spec.Backoff{}) && err != nil && bad == nil {
			k.at(key("backoff", spec.Cause(cause).String()), err)
		}
	}
	names := slices.Sorted(maps.Keys(k.config.Schedules))
	k.destinations("schedules", slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == defaultKey }), nil)
	for _, name := range names {
		if name == defaultKey {
			k.at(key("schedules", name), errors.New("write what is for all destinations under schedule: and delay_warning: instead"))
			continue
		}
		if err := scheduleTrouble(k.config.Schedules[name].on(global)); err != nil && bad == nil {
			k.at(key("schedules", name), err)
		}
	}
}

// scheduleTrouble returns why a schedule makes no sense, nil when it does.
func scheduleTrouble(s spec.Schedule) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Lifetime < s.First {
		return fmt.Errorf("the lifetime %v is less than the first interval %v: nothing would be tried again", s.Lifetime, s.First)
	}
	return nil
}
