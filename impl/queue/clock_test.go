package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// TestNothingWaitsForAClockThatWasAhead: the wall clock went back a year before
// a restart.
func TestNothingWaitsForAClockThatWasAhead(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	for i := range 40 {
		r.mail(spec.QueueID(fmt.Sprintf("m%02d", i)), "a@x.test")
	}
	r.flush()
	r.now.Wall = r.now.Wall.Add(-365 * 24 * time.Hour)
	r.restart()
	for done := 0; done < 40; done++ {
		for done == len(r.begins) {
			r.pass(10 * time.Minute)
			if r.now.Mono > spec.Mono(5*time.Hour) {
				t.Fatalf("%v after the restart %d messages of 40 were attempted; the longest interval is 4h", time.Duration(r.now.Mono), done)
			}
		}
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
}

// back sets the clock back between two processes.
func (r *rig) back(d time.Duration) {
	r.flush()
	r.now.Wall = r.now.Wall.Add(-d)
	r.restart()
}

// TestNewMailDoesNotStandBeforeMailFromTheFuture: one that is due next year, by
// what the disk says, waits no longer than twice the longest interval, though new
// mail for the same destination is deferred again and again; nor is it looked for
// all the time.
func TestNewMailDoesNotStandBeforeMailFromTheFuture(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	r.queued("old", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.back(365 * 24 * time.Hour)
	for i := range 30 {
		r.queued(spec.QueueID(fmt.Sprintf("new%02d", i)), "b@x.test")
	}
	for ended := 0; r.now.Mono < spec.Mono(9*time.Hour); r.pass(time.Minute) {
		for ; ended < len(r.begins); ended++ {
			if r.begins[ended].ID == "old" {
				if longest := r.policy.Schedule.Max; r.now.Mono < spec.Mono(longest) {
					t.Errorf("attempted %v after the restart, sooner than %v", time.Duration(r.now.Mono), longest)
				}
				return
			}
			r.end(r.begins[ended], spec.Defer)
		}
	}
	t.Error("after 9h it was not attempted")
}

// TestOneRecipientFromTheFutureDoesNotWaitForTheOther: of one message, at one
// destination, both due next year.
func TestOneRecipientFromTheFutureDoesNotWaitForTheOther(t *testing.T) {
	r := started(t, nil)
	r.queued("m", "a@x.test", "b@x.test")
	for _, to := range []string{"a@x.test", "b@x.test"} {
		r.do(Settle{Job: r.begun().Job, Results: []Result{{Recipient: to, Verdict: spec.Defer}}, Last: to == "b@x.test"})
		r.flush()
		r.now.Mono, r.now.Wall = r.now.Mono.Add(time.Hour), r.now.Wall.Add(time.Hour)
	}
	r.back(365 * 24 * time.Hour)
	for len(r.begins) == 0 && r.now.Mono < spec.Mono(5*time.Hour) {
		r.pass(time.Minute)
	}
	if got := r.begun().To; len(got) != 2 {
		t.Errorf("%s are attempted %v after the restart, want both", got, time.Duration(r.now.Mono))
	}
}

// TestMailFromTheFutureIsGivenUpAfterItsLifetime: not when the clock has caught
// up with the time at which it seems to have been submitted; and what is stored
// says so to the processes that come.
func TestMailFromTheFutureIsGivenUpAfterItsLifetime(t *testing.T) {
	r := started(t, nil)
	r.queued("m", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.back(365 * 24 * time.Hour)
	began := r.now.Wall
	for ended := 0; r.entry("m") != nil; r.pass(time.Hour) {
		if age := r.now.Wall.Sub(began); age > r.policy.Schedule.Lifetime+2*r.policy.Schedule.Max {
			t.Fatalf("after %v it is still in the spool", age)
		}
		for ; ended < len(r.begins); ended++ {
			if r.begins[ended].ID == "m" {
				r.end(r.begins[ended], spec.Defer)
			}
		}
		if len(r.begins) == 3 { // the next process knows
			r.restart()
			ended = 0
		}
	}
	r.sound()
}

// TestMailFromTheFutureEndsWithItsLifetime: that it is due after the end is no
// operator's word, where the end is what has moved.
func TestMailFromTheFutureEndsWithItsLifetime(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.Schedule.First, p.Schedule.Max, p.Schedule.Lifetime = 30*time.Minute, 2*time.Hour, 20*time.Minute
	})
	r.queued("m", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.back(3 * time.Hour)
	r.pass(r.policy.Schedule.Max) // now it is read
	r.pass(r.policy.Schedule.Max)
	r.wants("attempted", r.attempted(), []string{"s@home.test"}) // the report
	if r.entry("m") != nil {
		t.Errorf("after its lifetime it is still in the spool")
	}
	r.sound()
}

// TestNoLineOutlivesAMessageFromTheFuture: what an operator says of one recipient
// stores when the other is due now, and with it the line that says so.
func TestNoLineOutlivesAMessageFromTheFuture(t *testing.T) {
	r := deferred(t, nil, "a@x.test", "b@y.test")
	r.back(365 * 24 * time.Hour)
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: "m1", Recipient: "a@x.test", Decision: DecideHold})
	r.flush()
	r.restart()
	r.obey("m1", DecideDelete)
	for k := range r.disk {
		t.Errorf("%c has %q", k.Space, k.Name)
	}
	r.sound()
}

// TestTheDiskIsNotReadForWhatStandsBehind: of mail from the future, what stands first
// may be due last, since it is the more credible; when memory is short, the other
// is not looked for before that.
func TestTheDiskIsNotReadForWhatStandsBehind(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.Schedule.First, p.Schedule.Max, p.Schedule.Lifetime = time.Minute, 10*time.Minute, time.Hour
		p.Limits.Deliveries, p.Limits.WindowGroups = 1, 1
	})
	for i, to := range []string{"b@x.test", "b@y.test", "b@y.test", "b@x.test"} {
		r.queued(spec.QueueID(fmt.Sprintf("m%d", i)), to)
	}
	r.end(r.begins[0], spec.Defer)
	r.back(time.Hour - 10*time.Second)
	r.slow = true
	ended := 0
	for range 120 {
		r.pass(time.Minute)
		for reads := 0; len(r.loads) > 0 || ended < len(r.begins); reads++ {
			if reads > 100 {
				t.Fatalf("%v after the restart the disk is read without end", time.Duration(r.now.Mono))
			}
			loads := r.loads
			r.loads = nil
			for _, l := range loads {
				r.do(r.load(l))
			}
			r.flush()
			for ; ended < len(r.begins); ended++ {
				r.end(r.begins[ended], spec.Defer)
			}
			for _, c := range r.closes {
				r.do(r.header(c))
			}
			r.closes = nil
			r.flush()
		}
	}
	r.sound()
}

// TestWhoWasNeverAttemptedIs: though the lifetime is over before there is a place.
func TestWhoWasNeverAttemptedIs(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	r.queued("m1", "a@x.test")
	r.queued("m2", "b@x.test")
	m1 := r.begun()
	r.intend(m1)
	r.begins = nil
	r.pass(r.policy.Schedule.Lifetime + time.Hour) // the server takes its time
	r.end(m1, spec.Proceed)
	r.wants("attempted", r.attempted(), []string{"b@x.test"})
	r.sound()
}

// TestWhatIsReleasedIsNotDueNextYear: it was parked when the clock was ahead.
func TestWhatIsReleasedIsNotDueNextYear(t *testing.T) {
	r := deferred(t, nil, "a@x.test")
	r.obey("m1", DecideHold)
	r.back(365 * 24 * time.Hour)
	r.obey("m1", DecideRelease)
	r.pass(r.policy.Schedule.Max)
	r.wants("attempted", r.attempted(), []string{"a@x.test"})
}

// TestALongWaitWithinAProcessIsNoRest: what is due when it begins, and has no turn
// before its lifetime is over, ends without another attempt.
func TestALongWaitWithinAProcessIsNoRest(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	r.queued("m1", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.queued("m2", "a@x.test")
	r.end(r.begun(), spec.Defer)
	r.now.Wall = r.now.Wall.Add(6 * time.Minute)
	r.restart()
	m1 := r.begun()
	r.intend(m1)
	r.begins = nil
	r.pass(r.policy.Schedule.Lifetime + r.policy.Schedule.Max + time.Hour) // the server takes its time
	r.end(m1, spec.Proceed)
	r.wants("attempted", r.attempted(), []string{"s@home.test"}) // the report on m2
	r.sound()
}

// TestReportsBearTheDateThatTheClockShows: a relay that began in 1970, by its
// clock, does not write so for ever.
func TestReportsBearTheDateThatTheClockShows(t *testing.T) {
	r := started(t, nil)
	r.queued("m", "a@x.test")
	r.now.Wall = spec.WallOf(time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC))
	r.end(r.begun(), spec.FailRecipient)
	if report := string(r.disk[seam.ChunkKey("R1", 0)]); !strings.Contains(report, "\r\nDate: Mon, 03 Feb 2031 04:05:06 +0000\r\n") {
		t.Errorf("the report does not bear the date:\n%s", report)
	}
}

// TestMailFromTheFutureDoesNotFillTheMemory: it is read no faster than the disk
// takes it back.
func TestMailFromTheFutureDoesNotFillTheMemory(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.WindowGroups, p.Limits.Deliveries = 8, 4 })
	for i := range 500 {
		r.queued(spec.QueueID(fmt.Sprintf("m%03d", i)), fmt.Sprintf("a@x%d.test", i%3))
	}
	r.back(365 * 24 * time.Hour)
	for r.now.Mono < spec.Mono(r.policy.Schedule.Max) { // without a flush
		r.now.Mono, r.now.Wall = r.now.Mono.Add(time.Hour), r.now.Wall.Add(time.Hour)
		r.do(Wake{})
	}
	if got := r.core.Sizes(); got.Commits == 0 || got.Commits > 100 {
		t.Errorf("the memory holds %+v", got)
	}
	for done := 0; done < 500; done++ {
		for done == len(r.begins) {
			r.pass(time.Second)
			if r.now.Mono > spec.Mono(r.policy.Schedule.Max+time.Hour) {
				t.Fatalf("%d messages of 500 were attempted", done)
			}
		}
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
}
