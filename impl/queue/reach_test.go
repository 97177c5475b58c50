package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// miss ends an attempt that reached no server.
func (r *rig) miss(b Begin) {
	e := Settle{Job: b.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: r.freshID()}
	for _, to := range b.To {
		t := Trouble{Host: "mx.test", Stage: spec.StageConnect, Event: spec.Refused, Text: "refused"}
		e.Results = append(e.Results, Result{Recipient: to, Verdict: spec.Defer, Unreached: true, Trouble: t})
	}
	r.do(e)
	r.flush()
}

// reached ends an attempt that reached one.
func (r *rig) reached(b Begin) {
	r.intend(b)
	r.end(b, spec.Proceed)
}

// ids are the messages whose attempts were begun since the first n.
func (r *rig) ids(n int) (all []string) {
	for _, b := range r.begins[n:] {
		all = append(all, string(b.ID))
	}
	slices.Sort(all)
	return all
}

// dead is a rig at whose destination x.test two attempts failed: it is dead for five
// minutes.
func dead(t *testing.T, change func(*spec.Policy)) *rig {
	r := started(t, func(p *spec.Policy) {
		p.Limits.DeadAfter = 2
		if change != nil {
			change(p)
		}
	})
	r.queued("m1", "a@x.test")
	r.miss(r.begun())
	r.queued("m2", "a@x.test")
	r.miss(r.begun())
	return r
}

func TestNewMailForADeadDestinationIsPutOff(t *testing.T) {
	r := dead(t, nil)
	r.queued("m3", "a@x.test", "b@y.test")
	if got := r.ids(2); !slices.Equal(got, []string{"m3"}) || r.begun().Dest != "y.test" {
		t.Fatalf("begun: %v", r.begins[2:])
	}
	until := r.core.clock.now().Add(5 * time.Minute)
	if due := r.entry("m3").Recipients[0].Due; due != until {
		t.Errorf("put off until %v, want %v", due, until)
	}
	if f := r.facts[len(r.facts)-1]; f.Kind != spec.FactPutOff || f.Due != until || !slices.Equal(f.To, []string{"a@x.test"}) || f.Text != "mx.test: refused" {
		t.Errorf("the last fact is %v", f)
	}
	r.sound()
}

// TestOneAttemptGoesFirst: and the others only when it has reached a server. Else
// they wait for the next, longer time.
func TestOneAttemptGoesFirst(t *testing.T) {
	r := dead(t, nil)
	for _, id := range []spec.QueueID{"m3", "m4", "m5"} {
		r.queued(id, "a@x.test")
	}
	n := len(r.begins)
	r.pass(5 * time.Minute)
	if len(r.begins) != n+1 {
		t.Fatalf("after the dead time began %v", r.ids(n))
	}
	r.miss(r.begun())
	r.pass(10*time.Minute - 1)
	if len(r.begins) != n+1 {
		t.Fatalf("before the next was over began %v", r.ids(n))
	}
	r.pass(1)
	if len(r.begins) != n+2 {
		t.Fatalf("after it began %v", r.ids(n))
	}
	r.reached(r.begun())
	for done := n + 2; done < len(r.begins); done++ {
		if d := r.core.destinations["x.test"]; d.active > 2 && done < n+4 {
			t.Errorf("%d at once after one success", d.active)
		}
		r.reached(r.begins[done])
	}
	if sent := len(r.begins) - n; sent != 6 { // of five messages, one twice
		t.Errorf("attempts: %v", r.ids(n))
	}
	r.sound()
}

// TestALateSuccessBringsADestinationBack: its attempt began before the destination
// was found dead. A late failure says nothing.
func TestALateSuccessBringsADestinationBack(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeadAfter = 2 })
	for i := range 4 {
		r.queued(spec.QueueID(fmt.Sprint("m", i)), "a@x.test")
	}
	r.miss(r.begins[0])
	r.miss(r.begins[1])
	r.miss(r.begins[2])
	d := r.core.destinations["x.test"]
	if d.reach.deaths != 1 {
		t.Fatalf("dead %d times", d.reach.deaths)
	}
	r.reached(r.begins[3])
	r.queued("m4", "a@x.test")
	if r.begun().ID != "m4" {
		t.Error("new mail waits")
	}
	r.sound()
}

func TestWhatIsPutOffEndsWithItsLifetime(t *testing.T) {
	r := dead(t, func(p *spec.Policy) { p.Schedule.Lifetime = 4 * time.Minute })
	r.queued("m3", "a@x.test")
	n := len(r.begins)
	if due, end := r.entry("m3").Recipients[0].Due, r.entry("m3").Submitted.Add(4*time.Minute); due != end {
		t.Errorf("put off until %v, its lifetime ends at %v", due, end)
	}
	r.pass(4 * time.Minute)
	if r.entry("m3") != nil {
		t.Errorf("it is still there: %+v", r.entry("m3"))
	}
	for _, b := range r.begins[n:] {
		if b.Dest != "home.test" {
			t.Errorf("attempted: %+v", b)
		}
	}
	if len(r.begins)-n != 3 {
		t.Errorf("%d reports for three messages", len(r.begins)-n)
	}
	r.sound()
}

func TestAnOperatorsWordGoesToADeadDestination(t *testing.T) {
	r := dead(t, nil)
	r.queued("m3", "a@x.test")
	r.queued("m4", "a@x.test")
	n := len(r.begins)
	r.decide("m4", DecideNow)
	r.flush()
	if got := r.ids(n); !slices.Equal(got, []string{"m4"}) {
		t.Fatalf("begun: %v", got)
	}
	r.miss(r.begun())
	r.pass(time.Minute)
	if got := r.ids(n); len(got) != 1 {
		t.Errorf("after it: %v", got)
	}
	r.sound()
}

// TestPuttingOffTakesNoPlaceFromOthers: with one place for deliveries, and that one
// taken, or with none taken.
func TestPuttingOffTakesNoPlaceFromOthers(t *testing.T) {
	r := dead(t, func(p *spec.Policy) { p.Limits.Deliveries = 1 })
	for i := range 50 {
		r.queued(spec.QueueID(fmt.Sprintf("n%02d", i)), "a@x.test")
	}
	r.queued("other", "a@y.test")
	if r.begun().ID != "other" {
		t.Errorf("begun last: %+v", r.begun())
	}
	if s := r.core.Sizes(); s.Jobs != 1 || r.core.window > 20 {
		t.Errorf("%+v, window %d", s, r.core.window)
	}
}

// TestALimitIsFoundOut: as many more attempts as it is, that reach a server, make
// it one larger; one that reaches none makes it one smaller.
func TestALimitIsFoundOut(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.Limits.FirstPerDestination, p.Limits.DeliveriesPerDestination, p.Limits.DeadAfter = 1, 3, 0
	})
	for i := range 40 {
		r.mail(spec.QueueID(fmt.Sprintf("m%02d", i)), "a@x.test")
	}
	r.flush()
	var limits []int
	for done := range 12 {
		r.reached(r.begins[done])
		limits = append(limits, r.core.destinations["x.test"].active)
	}
	if want := []int{2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}; !slices.Equal(limits, want) {
		t.Errorf("at once: %v, want %v", limits, want)
	}
	limits = nil
	for done := range 5 {
		r.miss(r.begins[12+done])
		limits = append(limits, r.core.destinations["x.test"].active)
	}
	if want := []int{2, 1, 1, 1, 1}; !slices.Equal(limits, want) {
		t.Errorf("at once after failures: %v, want %v", limits, want)
	}
	r.sound()
}

func TestWhatIsKnownLastsAsLongAsMailWaits(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeadAfter = 3 })
	r.queued("m1", "a@x.test")
	for range 2 {
		r.miss(r.begun())
		r.pass(time.Hour)
	}
	if d := r.core.destinations["x.test"]; d == nil || d.reach.fails != 2 {
		t.Fatalf("known after two attempts: %+v", d)
	}
	r.reached(r.begun())
	if s := r.core.Sizes(); s != (Sizes{}) {
		t.Errorf("left in memory: %+v", s)
	}
}

// TestDeliveriesToOneDestinationAreSpaced: also when each is over before the next
// message comes.
func TestDeliveriesToOneDestinationAreSpaced(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.PerMinute = 6 })
	for i := range 4 {
		r.queued(spec.QueueID(fmt.Sprint("m", i)), "a@x.test")
		if len(r.begins) != 1 {
			t.Fatalf("%d began at once", len(r.begins))
		}
		if i == 0 {
			r.reached(r.begun())
		}
	}
	for i := range 3 {
		r.pass(10*time.Second - 1)
		if len(r.begins) != i+1 {
			t.Fatalf("%d began too soon", len(r.begins))
		}
		r.pass(1)
		if len(r.begins) != i+2 {
			t.Fatalf("%d began in time", len(r.begins))
		}
		r.reached(r.begun())
	}
	r.pass(10 * time.Second)
	if s := r.core.Sizes(); s != (Sizes{}) {
		t.Errorf("left in memory: %+v", s)
	}
}

// TestADelayIsToldThoughTheDestinationIsDead: to who asked for that, by an attempt.
func TestADelayIsToldThoughTheDestinationIsDead(t *testing.T) {
	r := dead(t, func(p *spec.Policy) { p.DelayWarning, p.Schedule.First = time.Minute, time.Hour })
	content := []byte("Subject: x\r\n\r\nHi\r\n")
	for _, notify := range []spec.Notify{spec.NotifyFailure, spec.NotifyFailure | spec.NotifyDelay} {
		id := spec.QueueID(fmt.Sprint("n", notify))
		r.do(Submit{ID: id, Message: string(id), Size: int64(len(content)), Envelope: spec.Envelope{
			Sender: "s@home.test", Recipients: []string{"a@x.test"}, Asked: []spec.Asked{{Notify: notify}},
		}, Ops: []seam.Op{{Key: seam.ChunkKey(id, 0), Value: content}}})
		r.flush()
	}
	n := len(r.begins)
	r.pass(time.Hour)
	r.miss(r.begun()) // the first attempt after the dead time
	var ids []string
	for _, b := range r.begins[n:] {
		if b.Dest == "x.test" {
			ids = append(ids, string(b.ID))
		}
	}
	if want := fmt.Sprint("n", spec.NotifyFailure|spec.NotifyDelay); len(ids) != 2 || ids[1] != want {
		t.Errorf("attempted %v, want one and %s", ids, want)
	}
	r.sound()
}

// TestWithMemoryShortAPageIsNotReadAgainAndAgain: a delivery that began before the
// destination was found dead holds the last place in memory, and what is put off
// needs one, too.
func TestWithMemoryShortAPageIsNotReadAgainAndAgain(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.Limits.DeadAfter, p.Limits.FirstPerDestination, p.Limits.DeliveriesPerDestination, p.Limits.WindowGroups = 1, 2, 2, 1
	})
	r.queued("m1", "a@x.test")
	r.queued("m2", "a@x.test")
	r.miss(r.begins[0])
	r.slow = true
	r.queued("m3", "a@x.test")
	reads := 0
	for ; len(r.loads) > 0 && reads < 10; reads++ {
		l := r.loads[0]
		r.loads = r.loads[1:]
		r.do(r.load(l))
		r.flush()
	}
	if reads == 10 || r.entry("m3").Recipients[0].Due != r.core.destinations["x.test"].reach.until {
		t.Errorf("after %d reads m3 is due at %v", reads, r.entry("m3").Recipients[0].Due)
	}
}
