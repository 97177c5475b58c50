package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// pauses has the relay pause a destination, or resume it, until that is durable.
func (r *rig) pauses(dest string, resume bool) {
	r.t.Helper()
	r.tickets++
	r.do(Pause{Ticket: r.tickets, Destination: dest, Resume: resume})
	r.flush()
	r.is(fmt.Sprint("decided ", r.tickets), "")
}

func TestNoAttemptBeginsAtAPausedDestination(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r := deferred(t, nil, "a@x.test", "b@y.test")
		r.pauses("x.test", false)
		r.queued("m2", "c@x.test")
		if restart {
			r.restart()
		}
		r.pass(5 * time.Minute)
		r.wants("attempted", r.attempted(), []string{"b@y.test"})
		r.pauses("x.test", true)
		r.wants("attempted after the resume", r.attempted(), []string{"c@x.test", "a@x.test"})
		if restart {
			r.restart()
			r.wants("attempted in the next process", r.attempted(), []string{"c@x.test", "a@x.test", "b@y.test"})
		}
		r.sound()
	}
}

// TestAPauseLetsWhatRunsEnd: and what it defers waits.
func TestAPauseLetsWhatRunsEnd(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test", "b@x.test")
	b := r.begun()
	r.pauses("x.test", false)
	r.intend(b)
	r.do(Settle{Job: b.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: r.freshID(), Results: []Result{
		{Recipient: "a@x.test", Verdict: spec.Proceed}, {Recipient: "b@x.test", Verdict: spec.Defer},
	}})
	r.flush()
	r.wants("said", r.says(), []string{"a@x.test delivered", "b@x.test queued"})
	r.begins = nil
	r.pass(time.Hour)
	r.wants("attempted", r.attempted(), nil)
	r.pauses("x.test", true)
	r.wants("attempted after the resume", r.attempted(), []string{"b@x.test"})
	r.sound()
}

// TestAResumeWaitsForWhatIsDue: it makes nothing due that is not.
func TestAResumeWaitsForWhatIsDue(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.pauses("x.test", false)
	r.pass(4 * time.Minute)
	r.pauses("x.test", true)
	r.wants("attempted at once", r.attempted(), nil)
	r.pass(time.Minute)
	r.wants("attempted when it was due", r.attempted(), []string{"a@x.test"})
}

// TestLifetimesEndAtAPausedDestination: no later than an interval after that,
// of mail that was attempted and of mail that never was, and nobody goes before
// his time.
func TestLifetimesEndAtAPausedDestination(t *testing.T) {
	for _, tt := range []struct {
		attempted, fresh, late int // late is more than a window holds
		restart                bool
	}{{attempted: 1}, {fresh: 1}, {attempted: 1, restart: true}, {fresh: 1, restart: true}, {1, 1, 40, false}, {1, 1, 40, true}} {
		t.Run(fmt.Sprintf("%+v", tt), func(t *testing.T) {
			r := started(t, nil)
			if tt.attempted > 0 {
				r = deferred(t, nil, "a@x.test")
			}
			r.pauses("x.test", false)
			if tt.fresh > 0 {
				r.queued("m2", "b@x.test")
			}
			life, between := r.policy.Schedule.Lifetime, r.policy.Schedule.Max
			r.pass(time.Hour)
			for i := range tt.late {
				r.queued(spec.QueueID(fmt.Sprintf("late%02d", i)), "c@x.test")
			}
			if tt.restart {
				r.restart()
			}
			r.says()
			r.pass(life - 2*time.Hour)
			r.wants("said before", r.says(), nil)
			for range int((time.Hour + between) / time.Minute) {
				r.pass(time.Minute)
			}
			all := r.says()
			if n := tt.attempted + tt.fresh; len(all) < n || len(all) > n+tt.late {
				t.Errorf("%d ended by then", len(all))
			}
			for range int(between / time.Minute) {
				r.pass(time.Minute)
			}
			if all = append(all, r.says()...); len(all) != tt.attempted+tt.fresh+tt.late {
				t.Errorf("%d ended in the end", len(all))
			}
			for _, b := range r.begins {
				if b.Dest == "x.test" {
					t.Errorf("an attempt was begun for %v", b.To)
				}
			}
			r.sound()
		})
	}
}

// TestWhatIsPausedIsNotHeldInMemory: neither mail that waits, nor a destination
// of which all is on disk.
func TestWhatIsPausedIsNotHeldInMemory(t *testing.T) {
	r := started(t, nil)
	r.pauses("x.test", false)
	for i := range 100 {
		r.queued(spec.QueueID(fmt.Sprintf("m%03d", i)), "a@x.test")
	}
	r.pass(10 * time.Hour)
	if s := r.core.Sizes(); s.Groups != 0 || s.Messages != 0 || s.Jobs != 0 {
		t.Errorf("in memory is %+v", s)
	}
	r.pauses("x.test", true)
	n := len(r.begins)
	for ; len(r.begins) > 0; n += len(r.begins) {
		all := r.begins
		r.begins = nil
		for _, b := range all {
			r.intend(b)
			r.end(b, spec.Proceed)
		}
	}
	if n != 100 || len(r.disk) != 0 {
		t.Errorf("%d of 100 were attempted; the disk holds %d keys", n, len(r.disk))
	}
}

// TestAReadUnderWayDoesNotOutliveAPause: what it brings was read for something
// else. A sweep is at its second page when the destination is resumed.
func TestAReadUnderWayDoesNotOutliveAPause(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.WindowGroups, p.Limits.Deliveries = 1, 100 })
	r.pauses("x.test", false)
	for i := range 20 {
		r.queued(spec.QueueID(fmt.Sprintf("m%02d", i)), "a@x.test")
	}
	r.slow = true
	r.restart()
	for len(r.loads) > 1 || r.loads[0].After == "" {
		l := r.loads
		r.loads = nil
		for _, l := range l {
			r.do(r.load(l))
		}
		r.flush()
	}
	r.pauses("x.test", true)
	r.answer()
	n := len(r.begins)
	for ; len(r.begins) > 0; n += len(r.begins) {
		all := r.begins
		r.begins = nil
		for _, b := range all {
			r.intend(b)
			r.end(b, spec.Proceed)
		}
	}
	if n != 20 {
		t.Errorf("%d of 20 were attempted", n)
	}
	r.sound()
}

// TestWhoHasAnAttemptMoreWaitsForTheResume: an operator had it tried after its
// lifetime, so that it does not end without.
func TestWhoHasAnAttemptMoreWaitsForTheResume(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@x.test")
	r.obey("m1", DecideHold)
	r.pauses("x.test", false)
	r.pass(r.policy.Schedule.Lifetime)
	r.obey("m1", DecideRelease)
	r.says()
	for range 20 {
		r.pass(time.Hour)
	}
	r.wants("said", r.says(), nil)
	r.pauses("x.test", true)
	r.wants("attempted after the resume", r.attempted(), []string{"a@x.test", "b@x.test"})
	r.sound()
}

// TestASecondPauseChangesNothing: nor does a resume of what is not paused.
func TestASecondPauseChangesNothing(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.pauses("x.test", true)
	r.pauses("x.test", false)
	r.pauses("x.test", false)
	r.pass(time.Hour)
	r.wants("attempted", r.attempted(), nil)
	r.pauses("x.test", true)
	r.wants("attempted after one resume", r.attempted(), []string{"a@x.test"})
}
