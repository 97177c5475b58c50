package queue

import (
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// hourlyRetries gives x.test a schedule of its own.
func hourlyRetries(p *spec.Policy) {
	p.ScheduleAt = map[string]spec.Schedule{"x.test": {First: time.Hour, Max: time.Hour, Numerator: 1, Denominator: 1, Lifetime: 90 * time.Minute}}
	p.DelayWarningAt = map[string]time.Duration{"x.test": 30 * time.Minute}
}

func TestEachRecipientIsDueByTheScheduleOfHisDestination(t *testing.T) {
	r := started(t, hourlyRetries)
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

// refuse ends an attempt in which the server has refused all with one reply.
func (r *rig) refuse(b Begin, reply spec.Reply) {
	e := Settle{Job: b.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: r.freshID()}
	for _, to := range b.To {
		t := Trouble{Host: "mx.test", Stage: spec.StageRCPT, Event: spec.Reply4, Reply: reply}
		e.Results = append(e.Results, Result{Recipient: to, Verdict: spec.Defer, Trouble: t})
	}
	r.do(e)
	r.flush()
}

// TestABackoffBeginsWithItsCause: it grows while that lasts, whatever process sees
// it, and what ends otherwise goes by the schedule and all attempts.
func TestABackoffBeginsWithItsCause(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.Limits.DeadAfter = 0
		p.Backoffs[spec.CauseGreylisted] = spec.Backoff{First: time.Minute, Max: time.Hour, Numerator: 3, Denominator: 1}
		p.Backoffs[spec.CauseUnreached] = spec.Backoff{First: 7 * time.Minute, Max: time.Hour, Numerator: 2, Denominator: 1}
	})
	grey := spec.Reply{Code: 450, Enhanced: "4.7.1", Lines: []string{"Wait"}}
	busy := spec.Reply{Code: 450, Enhanced: "4.2.1", Lines: []string{"Busy"}}
	r.queued("m1", "a@x.test")
	for i, c := range []struct {
		reply   spec.Reply
		restart bool
		want    time.Duration
	}{
		{grey, false, time.Minute},
		{grey, true, 3 * time.Minute},
		{busy, false, 20 * time.Minute},
		{grey, false, time.Minute},
		{spec.Reply{}, true, 7 * time.Minute},
		{spec.Reply{}, true, 14 * time.Minute},
		{grey, false, time.Minute},
		{grey, false, 3 * time.Minute},
	} {
		if c.reply.Code == 0 {
			r.miss(r.begun())
		} else {
			r.refuse(r.begun(), c.reply)
		}
		if got := r.entry("m1").Recipients[0].Due.Sub(r.core.clock.now()); got != c.want {
			t.Errorf("after attempt %d it waits %v, want %v", i+1, got, c.want)
		}
		if c.restart {
			r.restart()
		}
		r.pass(c.want)
	}
	r.sound()
}

// TestEachRecipientEndsWithTheLifetimeOfHisDestination: and the message lives on
// for the other.
func TestEachRecipientEndsWithTheLifetimeOfHisDestination(t *testing.T) {
	r := started(t, hourlyRetries)
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
