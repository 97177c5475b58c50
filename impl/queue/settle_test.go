package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// TestAnEntryKeepsNoMoreOfRepliesThanReportsShow: a server may refuse each of a
// thousand recipients at length.
func TestAnEntryKeepsNoMoreOfRepliesThanReportsShow(t *testing.T) {
	r := started(t, nil)
	var to []string
	for i := range 100 {
		to = append(to, fmt.Sprintf("u%d@x.test", i))
	}
	r.queued("m1", to...)
	e := Settle{Job: r.begun().Job, Last: true, Fresh: r.freshID()}
	for _, address := range to {
		e.Results = append(e.Results, Result{Recipient: address, Verdict: spec.Defer, Trouble: Trouble{
			Host: "mx.test", Stage: spec.StageRCPT, Text: strings.Repeat("t", 60_000),
			Reply: spec.Reply{Code: 450, Lines: []string{"first", strings.Repeat("x", 30_000), strings.Repeat("y", 30_000)}},
		}})
	}
	r.do(e)
	r.flush()
	if n := len(r.disk[seam.ControlKey("m1")]); n > 100*5000 {
		t.Errorf("the control entry of 100 recipients has %d bytes", n)
	}
	last := r.entry("m1").Recipients[0].Last
	if want := "450 first " + strings.Repeat("x", 2043); last.Reply.String() != want {
		t.Errorf("kept of the reply: %d bytes, %.30q", len(last.Reply.String()), last.Reply)
	}
}

// TestTheEndOfTheLifetimeIsNoAttempt: two were made.
func TestTheEndOfTheLifetimeIsNoAttempt(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Schedule.Lifetime = 5 * time.Minute })
	r.queued("m1", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.pass(5 * time.Minute)
	for _, f := range r.facts {
		if f.Kind == spec.FactOutcome && f.State == spec.Failed && f.Attempt != 1 {
			t.Errorf("after one attempt: %v", f)
		}
	}
	if r.begun().Dest != "home.test" {
		t.Errorf("no report was sent, but %+v", r.begun())
	}
}

// TestWhatTheRelayBreaksOffIsTakenBack: with the intent, when its dot did not
// leave. The next process goes on as if nothing had been.
func TestWhatTheRelayBreaksOffIsTakenBack(t *testing.T) {
	for _, intended := range []bool{false, true} {
		r := started(t, nil)
		r.queued("m1", "a@x.test")
		r.end(r.begun(), spec.Defer)
		r.pass(5 * time.Minute)
		before := *r.entry("m1")
		if intended {
			r.intend(r.begun())
		}
		r.do(Stop{})
		b := r.begun()
		r.do(Settle{Job: b.Job, Last: true, Fresh: r.freshID(), Results: []Result{
			{Recipient: "a@x.test", Verdict: spec.Defer, Broken: true, Trouble: Trouble{Stage: spec.StageMAIL, Text: "broken off"}},
		}})
		r.flush()
		r.is("settled "+b.Job, "")
		if got := r.entry("m1").Recipients[0]; fmt.Sprint(got) != fmt.Sprint(before.Recipients[0]) {
			t.Errorf("intended %v: the recipient is %+v, was %+v", intended, got, before.Recipients[0])
		}
		r.restart()
		if b := r.begun(); b.Attempt != 2 || b.ID != "m1" {
			t.Errorf("intended %v: the next process begins %+v", intended, b)
		}
	}
}

// TestAWrongClockEndsNobody: it said 2000 while the message was taken, and is
// right at the next start.
func TestAWrongClockEndsNobody(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test")
	r.intend(r.begun())
	r.end(r.begun(), spec.Defer)
	r.now.Wall = spec.WallOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r.restart()
	if b := r.begun(); b.ID != "m1" || b.Attempt != 2 {
		t.Errorf("m1, a minute old, was not attempted, but: %+v", b)
	}
}
