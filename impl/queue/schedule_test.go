package queue

import (
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// hourly gives x.test a schedule of its own.
func hourly(p *spec.Policy) {
	p.ScheduleAt = map[string]spec.Schedule{"x.test": {First: time.Hour, Max: time.Hour, Numerator: 1, Denominator: 1, Lifetime: 90 * time.Minute}}
	p.DelayWarningAt = map[string]time.Duration{"x.test": 30 * time.Minute}
}

func TestEachRecipientIsDueByTheScheduleOfHisDestination(t *testing.T) {
	r := started(t, hourly)
	r.queued("m1", "a@x.test", "b@y.test")
	now := r.core.clock.now()
	for _, b := range r.begins {
		r.end(b, spec.Defer)
	}
	due := func(i int) time.Duration { return r.entry("m1").Recipients[i].Due.Sub(now) }
	if due(0) != time.Hour || due(1) != 5*time.Minute {
		t.Errorf("due after %v and %v", due(0), due(1))
	}
	r.restart()
	n := len(r.begins)
	if r.pass(time.Hour - time.Second); len(r.begins) != n+1 || r.begun().Dest != "y.test" {
		t.Fatalf("begun in the first hour after a restart: %v", r.begins[n:])
	}
	if r.pass(time.Second); r.begun().Dest != "x.test" {
		t.Errorf("begun after it: %v", r.begins[n:])
	}
	r.sound()
}

// TestEachRecipientEndsWithTheLifetimeOfHisDestination: and the message lives on
// for the other.
func TestEachRecipientEndsWithTheLifetimeOfHisDestination(t *testing.T) {
	r := started(t, hourly)
	r.queued("m1", "a@x.test", "b@y.test")
	for _, b := range r.begins {
		r.end(b, spec.Defer)
	}
	r.pass(5 * time.Minute)
	r.end(r.begun(), spec.Defer)
	r.pass(55 * time.Minute)
	for _, b := range r.begins[3:] {
		r.end(b, spec.Defer)
	}
	r.pass(29 * time.Minute)
	if to := r.entry("m1").Recipients; to[0].State != spec.Queued || to[1].State != spec.Queued {
		t.Fatalf("after 89 minutes they are %v and %v", to[0].State, to[1].State)
	}
	r.pass(time.Minute)
	r.flush()
	if to := r.entry("m1").Recipients; to[0].State != spec.Failed || to[1].State != spec.Queued {
		t.Errorf("after 90 minutes they are %v and %v", to[0].State, to[1].State)
	}
	r.sound()
}
