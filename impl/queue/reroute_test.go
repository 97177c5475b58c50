package queue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// places lists where attempts were begun, and for whom, since the last call.
func (r *rig) places() (all []string) {
	for _, b := range r.begins {
		all = append(all, b.Dest+" "+strings.Join(b.To, ","))
	}
	slices.Sort(all)
	r.begins = nil
	return all
}

func TestWhatIsReroutedIsAttemptedThereWhenItWasDue(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r := deferred(t, nil, "a@x.test", "b@y.test")
		r.tickets++
		r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: Reroute("MX9.z.test:2525", "mx8.z.test")})
		r.flush()
		r.wants("said", r.says(), []string{"a@x.test queued"})
		for k := range r.disk {
			if k.Space == seam.SpaceDue && strings.HasPrefix(k.Name, "x.test") {
				t.Errorf("the index leads to where it was: %q", k.Name)
			}
		}
		if restart {
			r.restart()
		}
		r.pass(4 * time.Minute)
		r.wants("attempted early", r.places(), nil)
		r.pass(time.Minute)
		r.wants("attempted", r.places(), []string{"via:mx9.z.test:2525+mx8.z.test a@x.test", "y.test b@y.test"})
		r.sound()
	}
}

func TestWhatIsReroutedMayGoBack(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", Reroute("mx9.z.test"))
	r.obey("m1", Reroute())
	r.pass(5 * time.Minute)
	r.wants("attempted", r.places(), []string{"x.test a@x.test"})
	r.sound()
}

// TestReroutedRecipientsShareAnAttempt: they are one group, wherever they came
// from, and those who stay are another.
func TestReroutedRecipientsShareAnAttempt(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@y.test", "c@x.test")
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: "m1", Among: []string{"a@x.test", "b@y.test"}, Decision: Reroute("mx9.z.test")})
	r.flush()
	r.pass(5 * time.Minute)
	r.wants("attempted", r.places(), []string{"via:mx9.z.test a@x.test,b@y.test", "x.test c@x.test"})
	r.sound()
}

func TestAReroutedRecipientIsDeferredAndReportedAsAnyOther(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", Reroute("mx9.z.test"))
	r.pass(5 * time.Minute)
	r.end(r.begun(), spec.Defer)
	if b := r.begun(); b.Attempt != 2 {
		t.Errorf("attempt %d, want 2: a reroute does not begin anew", b.Attempt)
	}
	r.begins = nil
	r.pass(24 * time.Hour)
	r.end(r.begun(), spec.FailRecipient)
	r.wants("said", r.says()[2:], []string{"a@x.test failed"})
	r.sound()
}

func TestParkedStaysParkedWhereItIsRerouted(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", DecideHold)
	r.obey("m1", Reroute("mx9.z.test"))
	r.pass(time.Hour)
	r.wants("attempted", r.places(), nil)
	r.obey("m1", DecideRelease)
	r.wants("attempted", r.places(), []string{"via:mx9.z.test a@x.test"})
}

func TestAPauseHoldsOfWhereItIsRerouted(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@y.test")
	r.tickets++
	r.do(Pause{Ticket: r.tickets, Destination: "via:mx9.z.test"})
	r.tickets++
	r.do(Pause{Ticket: r.tickets, Destination: "y.test"})
	r.flush()
	r.obey("m1", Reroute("mx9.z.test"))
	r.pass(time.Hour)
	r.wants("attempted", r.places(), nil)
	r.tickets++
	r.do(Pause{Ticket: r.tickets, Destination: "via:mx9.z.test", Resume: true})
	r.flush()
	r.wants("attempted", r.places(), []string{"via:mx9.z.test a@x.test,b@y.test"})
}

func TestWhatIsUnderWayIsNotRerouted(t *testing.T) {
	for _, intended := range []bool{false, true} {
		r := started(t, nil)
		r.queued("m1", "a@x.test")
		b := r.begun()
		if intended {
			r.intend(b)
		}
		r.is(r.decide("m1", Reroute("mx9.z.test")), "is being delivered")
		r.end(b, spec.Defer)
		r.begins = nil
		r.pass(5 * time.Minute)
		r.wants("attempted", r.places(), []string{"x.test a@x.test"})
		r.sound()
	}
}

// TestWhatAnAttemptHasIsNotRerouted: also when it has said what became of it. One
// that began elsewhere meanwhile would end with it.
func TestWhatAnAttemptHasIsNotRerouted(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test")
	b := r.begun()
	r.do(Settle{Job: b.Job, Results: []Result{{Recipient: "a@x.test", Verdict: spec.Defer}}})
	r.flush()
	r.is(r.decide("m1", Reroute("mx9.z.test")), "is being delivered")
	r.do(Settle{Job: b.Job, Last: true})
	r.flush()
	r.obey("m1", Reroute("mx9.z.test"))
	r.sound()
}

// TestWhatWasInDoubtIsNotRerouted: neither while it is held, nor when it is sent
// again.
func TestWhatWasInDoubtIsNotRerouted(t *testing.T) {
	for _, policy := range []spec.InDoubtPolicy{spec.DoubtHold, spec.DoubtRetry} {
		r := started(t, func(p *spec.Policy) { p.InDoubt = policy })
		r.queued("m1", "a@x.test")
		b := r.begun()
		r.intend(b)
		r.end(b, spec.InDoubt)
		r.begins = nil
		r.is(r.decide("m1", Reroute("mx9.z.test")), "never in doubt")
		if policy == spec.DoubtHold {
			r.obey("m1", DecideRetry)
		} else {
			r.pass(5 * time.Minute)
		}
		r.wants("attempted", r.places(), []string{"x.test a@x.test"})
	}
}

func TestAnOperatorIsToldOfAReroutePrecisely(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	released := r.decide("m1", Reroute("mx9.z.test"))
	if len(r.released[released]) != 0 {
		t.Error("the operator is told before it is durable")
	}
	r.restart() // and it is not
	r.pass(5 * time.Minute)
	r.wants("attempted", r.places(), []string{"x.test a@x.test"})
}

func TestARerouteSaysHostsAndNoMore(t *testing.T) {
	for _, d := range []Decision{"reroute", "reroute mx9.z.test", "reroute via:", "reroute via:MX9.z.test", "reroute via:mx9.z.test:0", "reroute via:a..b"} {
		r := deferred(t, nil, "a@x.test")
		r.is(r.decide("m1", d), "HOST")
	}
}
