package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// deferred is a rig with one message that every destination has deferred.
func deferred(t *testing.T, change func(*spec.Policy), to ...string) *rig {
	r := started(t, change)
	r.queued("m1", to...)
	for i := 0; i < len(r.begins); i++ {
		r.end(r.begins[i], spec.Defer)
	}
	r.begins, r.facts = nil, nil
	return r
}

// obey has the relay do what an operator says, until that is durable.
func (r *rig) obey(id spec.QueueID, d Decision) {
	r.t.Helper()
	released := r.decide(id, d)
	r.flush()
	r.is(released, "")
}

// says lists the outcomes noted since the last call, with their due times from
// now on.
func (r *rig) says() (all []string) {
	for _, f := range r.facts {
		if f.Kind == spec.FactOutcome {
			all = append(all, f.To[0]+" "+f.State.String())
		}
	}
	r.facts = nil
	return all
}

func (r *rig) wants(what string, got, want []string) {
	r.t.Helper()
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// attempted lists whom attempts were begun for since the last call.
func (r *rig) attempted() (all []string) {
	for _, b := range r.begins {
		all = append(all, b.To...)
	}
	r.begins = nil
	return all
}

func TestNoAttemptBeginsForWhatIsParked(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r := deferred(t, nil, "a@x.test", "b@y.test")
		r.tickets++
		r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: DecideHold})
		r.flush()
		r.wants("said", r.says(), []string{"a@x.test parked"})
		for k := range r.disk {
			if k.Space == seam.SpaceDue && strings.HasPrefix(k.Name, "x.test") {
				t.Errorf("the index leads to what is parked: %q", k.Name)
			}
		}
		if restart {
			r.restart()
		}
		r.pass(5 * time.Minute)
		r.wants("attempted", r.attempted(), []string{"b@y.test"})
		r.pass(20 * 24 * time.Hour) // it does not expire either
		r.wants("attempted", r.attempted(), nil)
		r.obey("m1", DecideRelease)
		r.wants("attempted after the release", r.attempted(), []string{"a@x.test"})
		r.sound()
	}
}

func TestWhatIsReleasedIsDueWhenItWas(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", DecideHold)
	r.pass(time.Minute)
	r.obey("m1", DecideRelease)
	r.pass(3 * time.Minute)
	r.wants("attempted early", r.attempted(), nil)
	r.pass(time.Minute)
	r.wants("attempted in time", r.attempted(), []string{"a@x.test"})
}

func TestWhatExpiredWhileParkedHasOneAttemptMore(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", DecideHold)
	r.pass(20 * 24 * time.Hour)
	r.obey("m1", DecideRelease)
	r.facts = nil
	r.end(r.begun(), spec.Defer)
	r.wants("said", r.says(), []string{"a@x.test failed"})
}

// TestAnAttemptUnderWayGoesOn: and what it defers is parked, though the
// lifetime ended meanwhile.
func TestAnAttemptUnderWayGoesOn(t *testing.T) {
	for _, intended := range []bool{false, true} {
		for _, restart := range []bool{false, true} {
			r := started(t, func(p *spec.Policy) { p.InDoubt = spec.DoubtRetry })
			r.queued("m1", "a@x.test")
			b := r.begun()
			if intended {
				r.intend(b)
			}
			r.facts = nil
			r.obey("m1", DecideHold)
			r.wants("said while it goes on", r.says(), nil)
			want := []string{"a@x.test parked"}
			if restart {
				r.restart()
				if !intended {
					want = nil // nobody asks
				}
			} else {
				r.now.Mono = r.now.Mono.Add(20 * 24 * time.Hour)
				r.end(b, spec.Defer)
			}
			r.wants("said at its end", r.says(), want)
			r.begins = nil
			r.pass(24 * time.Hour)
			r.wants("attempted", r.attempted(), nil)
			r.obey("m1", DecideRelease)
			r.wants("attempted after the release", r.attempted(), []string{"a@x.test"})
			r.sound()
		}
	}
}

func TestWhatIsDeliveredAfterAHoldIsDelivered(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test")
	r.intend(r.begun())
	r.obey("m1", DecideHold)
	r.end(r.begun(), spec.Proceed)
	if len(r.disk) > 0 {
		t.Errorf("the disk holds %v", r.disk)
	}
}

// TestAHoldOutlivesAnAttemptThatIsTakenBack: what an operator said is durable.
func TestAHoldOutlivesAnAttemptThatIsTakenBack(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test")
	b := r.begun()
	r.intend(b)
	r.obey("m1", DecideHold)
	r.do(Stop{})
	r.do(Settle{Job: b.Job, Last: true, Results: []Result{{Recipient: "a@x.test", Verdict: spec.Defer, Broken: true}}})
	r.flush()
	if e := r.entry("m1"); e == nil || e.Recipients[0].Standing() != spec.Parked {
		t.Errorf("the disk holds %+v", e)
	}
}

// TestADoubtEndsAHold: it waits for an operator anyway, and when he says to send it
// again, nothing else keeps it.
func TestADoubtEndsAHold(t *testing.T) {
	r := started(t, held)
	r.queued("m1", "a@x.test")
	b := r.begun()
	r.intend(b)
	r.obey("m1", DecideHold)
	r.facts, r.begins = nil, nil
	r.end(b, spec.InDoubt)
	r.wants("said", r.says(), []string{"a@x.test held"})
	r.obey("m1", DecideRetry)
	r.wants("attempted", r.attempted(), []string{"a@x.test"})
}

// TestWhatHasEndedIsNotParked: nobody can release it.
func TestWhatHasEndedIsNotParked(t *testing.T) {
	for _, d := range []Decision{DecideDelete, DecideBounce} {
		r := deferred(t, nil, "a@x.test", "b@y.test")
		for _, d := range []Decision{DecideHold, d, DecideRelease} {
			r.tickets++
			r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: d})
			r.flush()
		}
		r.is(fmt.Sprint("decided ", r.tickets), "no recipient that is parked")
		r.sound()
	}
}

func TestAHoldUndoneDuringAnAttemptIsNone(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test")
	b := r.begun()
	r.obey("m1", DecideHold)
	r.intend(b)
	r.obey("m1", DecideRelease)
	r.facts, r.begins = nil, nil
	r.end(b, spec.Defer)
	r.wants("said", r.says(), []string{"a@x.test queued"})
	r.pass(5 * time.Minute)
	r.wants("attempted", r.attempted(), []string{"a@x.test"})
}

func TestWhatIsRetriedNowIsDueNow(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@x.test")
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "b@x.test", Decision: DecideNow})
	r.flush()
	r.wants("said", r.says(), []string{"b@x.test queued"})
	r.wants("attempted", r.attempted(), []string{"b@x.test"})
}

func TestABounceIsReported(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r := deferred(t, nil, "a@x.test", "b@x.test")
		r.slow = true
		r.tickets++
		r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: DecideBounce})
		r.answer()
		r.pass(5 * time.Minute) // while the header is read and stored, nobody at x.test is attempted
		if restart {
			r.restart()
		}
		r.is("decided 1", "")
		r.wants("said", r.says(), []string{"a@x.test failed"})
		if e := r.entry("m1"); e == nil || e.Recipients[0].State != spec.Failed {
			t.Fatalf("m1: %+v", e)
		}
		to := r.attempted()
		slices.Sort(to)
		r.wants("attempted", to, []string{"b@x.test", "s@home.test"})
	}
}

// TestNoAttemptBeginsWhileABounceIsCarriedOut: its header is still read.
func TestNoAttemptBeginsWhileABounceIsCarriedOut(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@y.test")
	r.slow = true
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: DecideBounce})
	for _, l := range r.loads {
		r.do(r.load(l))
	}
	r.loads = nil
	r.pass(time.Hour)
	b := r.begun()
	r.wants("attempted", r.attempted(), []string{"b@y.test"})
	r.intend(b)
	r.end(b, spec.Proceed)
	r.is(r.decide("m1", DecideDelete), "another decision on m1")
	r.answer()
	r.flush()
	r.is("decided 1", "")
	r.sound()
}

// TestWhatWasInDoubtEndsAsUnknown: whoever ends it.
func TestWhatWasInDoubtEndsAsUnknown(t *testing.T) {
	for _, policy := range []spec.InDoubtPolicy{spec.DoubtHold, spec.DoubtRetry} {
		r := started(t, func(p *spec.Policy) { p.InDoubt = policy })
		r.queued("m1", "a@x.test")
		r.intend(r.begun())
		r.end(r.begun(), spec.InDoubt)
		r.facts = nil
		r.obey("m1", DecideBounce)
		r.wants("said", r.says(), []string{"a@x.test unknown"})
		r.sound()
	}
}

func TestNobodyIsToldOfWhatTheNullSenderSent(t *testing.T) {
	for verdict, state := range map[spec.Verdict]string{spec.Defer: "failed", spec.InDoubt: "unknown"} {
		for _, policy := range []spec.InDoubtPolicy{spec.DoubtHold, spec.DoubtRetry} {
			r := started(t, func(p *spec.Policy) { p.InDoubt = policy })
			r.do(Submit{ID: "m1", Message: "m1", Envelope: spec.Envelope{Recipients: []string{"a@x.test"}}})
			r.flush()
			r.intend(r.begun())
			r.end(r.begun(), verdict)
			r.facts = nil
			r.obey("m1", DecideBounce)
			r.wants("said", r.says(), []string{"a@x.test " + state})
			if len(r.disk) > 0 {
				t.Errorf("the disk holds %v", r.disk)
			}
		}
	}
}

func TestNothingIsLeftOfWhatIsDeleted(t *testing.T) {
	for _, policy := range []spec.InDoubtPolicy{spec.DoubtHold, spec.DoubtRetry} {
		r := started(t, func(p *spec.Policy) { p.InDoubt = policy })
		r.queued("m1", "a@x.test", "b@y.test")
		r.intend(r.begins[0])
		r.end(r.begins[0], spec.InDoubt)
		r.end(r.begins[1], spec.Defer)
		r.begins, r.facts = nil, nil
		released := r.decide("m1", DecideDelete)
		r.wants("said before it is durable", r.says(), nil)
		r.flush()
		r.is(released, "")
		r.wants("said", r.says(), []string{"a@x.test deleted", "b@y.test deleted"})
		if len(r.disk) > 0 {
			t.Errorf("the disk holds %v", r.disk)
		}
		r.pass(time.Hour)
		r.wants("attempted", r.attempted(), nil)
		if s := r.core.Sizes(); s != (Sizes{}) {
			t.Errorf("memory holds %+v", s)
		}
	}
}

func TestWhoIsNotDeletedGetsTheMail(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@x.test")
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: DecideDelete})
	r.flush()
	r.restart()
	r.pass(5 * time.Minute)
	r.wants("attempted", r.attempted(), []string{"b@x.test"})
}

// TestNothingIsTakenFromUnderADelivery: neither before its dot nor after. A
// recipient of whom it has spoken is not its any more.
func TestNothingIsTakenFromUnderADelivery(t *testing.T) {
	for _, d := range []Decision{DecideBounce, DecideDelete, DecideNow} {
		r := started(t, nil)
		r.queued("m1", "a@x.test", "b@x.test")
		b := r.begun()
		r.is(r.decide("m1", d), "is being delivered to b@x.test: try again")
		r.do(Intend{Job: b.Job, Host: "mx.test", To: []string{"b@x.test"}})
		r.flush()
		r.is(r.decide("m1", d), "is being delivered to b@x.test: try again")
		r.do(Settle{Job: b.Job, Results: []Result{{Recipient: "a@x.test", Verdict: spec.Defer}}})
		r.flush()
		r.tickets++
		r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: d})
		for _, c := range r.closes {
			r.do(r.header(c))
		}
		r.flush()
		r.is("decided 3", "")
		r.end(Begin{Job: b.Job, To: []string{"b@x.test"}}, spec.Proceed)
		r.sound()
	}
}

func TestWhatADecisionCannotBeAbout(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.is(r.decide("m1", DecideRelease), "m1 has no recipient that is parked")
	r.is(r.decide("m1", DecideRetry), "m1 has no recipient that is held in doubt")
	r.is(r.decide("m1", "burn"), "no decision is called")
	r.obey("m1", DecideHold)
	r.is(r.decide("m1", DecideHold), "not parked already")
	r.is(r.decide("m1", DecideNow), "that waits, is not parked")
	r.obey("m1", DecideDelete)
	r.is(r.decide("m1", DecideDelete), "no message m1")

	doubt := inDoubt(t, "a@x.test")
	doubt.is(doubt.decide("m1", DecideHold), "that waits")
	doubt.is(doubt.decide("m1", DecideNow), "not in doubt")
}
