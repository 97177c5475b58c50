package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// TestABusyDestinationDoesNotStarve: new mail comes as often as a page is read,
// and each page is read while some comes.
func TestABusyDestinationDoesNotStarve(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	for i := range 20 {
		r.queued(spec.QueueID(fmt.Sprintf("a%03d", i)), "a@x.test")
		r.now.Mono++
		r.now.Wall++
	}
	r.slow = true
	done := 0
	for i := range 100 {
		for ; done < len(r.begins); done++ {
			r.intend(r.begins[done])
			r.end(r.begins[done], spec.Proceed)
		}
		var read []Loaded
		for _, l := range r.loads {
			read = append(read, r.load(l))
		}
		r.loads = nil
		r.queued(spec.QueueID(fmt.Sprintf("b%03d", i)), "a@x.test")
		for _, e := range read {
			r.do(e)
		}
		r.now.Mono += 1000
		r.now.Wall += 1000
	}
	if done < 90 {
		t.Errorf("120 messages were due at a server that takes all; %d were attempted, and memory holds %+v", done, r.core.Sizes())
	}
	r.answer()
	for ; done < len(r.begins); done++ {
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
	if done != 120 || len(r.disk) > 0 {
		t.Errorf("120 messages; %d were attempted, %d entries are left on disk", done, len(r.disk))
	}
}

// TestMemoryIsBoundedHoweverManyDestinationsAreDue: so are reads under way.
func TestMemoryIsBoundedHoweverManyDestinationsAreDue(t *testing.T) {
	r := newRig(t, func(p *spec.Policy) { p.Limits.WindowGroups, p.Limits.Deliveries = 100, 10 })
	for i := range 500 {
		id, domain := spec.QueueID(fmt.Sprintf("m%04d", i)), fmt.Sprintf("d%04d.test", i)
		e := Entry{ID: id, Message: string(id), Size: 4, Submitted: r.now.Wall,
			Recipients: []Recipient{{Address: "a@" + domain, State: spec.Queued, Due: r.now.Wall}}}
		r.disk[seam.ControlKey(id)] = e.Encode()
		r.disk[Waiting{domain, r.now.Wall, id, spec.LaneOf("")}.Key()] = nil
		r.disk[seam.ChunkKey(id, 0)] = []byte("hi\r\n")
	}
	r.do(Start{})
	r.flush()
	r.slow = true
	for done := 0; done < len(r.begins); done++ {
		r.end(r.begins[done], spec.Defer)
		if n := len(r.loads); n > 10 {
			t.Fatalf("%d reads are under way at once; only 10 deliveries can begin", n)
		}
		if s := r.core.Sizes(); s.Groups > 100 || s.Messages > 110 {
			t.Fatalf("memory holds %+v; the limit is 100 groups", s)
		}
		loads := r.loads
		r.loads = nil
		for _, l := range loads {
			r.do(r.load(l))
		}
	}
	if len(r.begins) != 500 {
		t.Errorf("%d of 500 messages were attempted", len(r.begins))
	}
}

// TestWhatRecoveryPutsIntoAWindowHidesNothing: it is there before it is known
// what else waits, and is put out when the window is full.
func TestWhatRecoveryPutsIntoAWindowHidesNothing(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		p.InDoubt, p.Limits.WindowGroups, p.Limits.DeliveriesPerDestination = spec.DoubtRetry, 1, 1
	})
	for _, id := range []spec.QueueID{"m1", "m2", "m3", "m4"} {
		r.queued(id, "a@x.test")
	}
	r.intend(r.begun())
	r.slow = true
	r.restart()
	r.do(r.load(r.loads[0])) // the intents come first
	r.loads = r.loads[1:]
	r.flush()
	r.answer()
	for done := 0; done < 4; done++ {
		if done == len(r.begins) {
			r.pass(5 * time.Minute)
		}
		if done == len(r.begins) {
			t.Fatalf("%d of 4 messages were attempted; the disk holds %v", done, sortedKeys(r.disk))
		}
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
}

// TestAMessageWhoseLinesAreMendedKeepsNoPlace: smart hosts are configured while
// much waits elsewhere.
func TestAMessageWhoseLinesAreMendedKeepsNoPlace(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.Deliveries, p.Limits.DeliveriesPerDestination = 2, 2 })
	for i := range 12 {
		r.queued(spec.QueueID(fmt.Sprintf("m%02d", i)), fmt.Sprintf("a@x%d.test", i))
	}
	r.policy.Relays = []string{"smart.test"}
	r.restart()
	for done := range 12 {
		if done == len(r.begins) {
			t.Fatalf("%d of 12 messages were attempted, and %d lines are being moved", done, r.core.moving)
		}
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
	if len(r.disk) > 0 {
		t.Errorf("left on disk: %v", sortedKeys(r.disk))
	}
}

// TestOnlyWhatAReadCanHaveSeenIsRemembered: reads that overlap for ever do not
// keep for ever what left memory.
func TestOnlyWhatAReadCanHaveSeenIsRemembered(t *testing.T) {
	var r reads
	old := r.begin()
	for i := range 1000 {
		r.forgot(spec.QueueID(fmt.Sprint(i)))
		next := r.begin()
		if !r.stale(old, spec.QueueID(fmt.Sprint(i))) || r.stale(next, spec.QueueID(fmt.Sprint(i))) {
			t.Fatal("a read is stale for what left after it began, and for nothing else")
		}
		r.end(old)
		old = next
	}
	if len(r.left) > 1 {
		t.Errorf("one read is under way, and %d messages that left memory are remembered", len(r.left))
	}
}
