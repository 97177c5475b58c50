package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// from submits a message of a sender and makes it durable.
func (r *rig) from(sender string, id spec.QueueID, to string) {
	content := []byte("Subject: x\r\n\r\nHi\r\n")
	r.do(Submit{
		ID: id, Message: string(id), Size: int64(len(content)), Envelope: spec.Envelope{Sender: sender, Recipients: []string{to}},
		Ops: []seam.Op{{Key: seam.ChunkKey(id, 0), Value: content}},
	})
	r.flush()
}

// served delivers all that begins, and returns the messages in the order in which
// their attempts began.
func (r *rig) served() []spec.QueueID {
	r.t.Helper()
	var order []spec.QueueID
	for done := 0; done < len(r.begins); done++ {
		b := r.begins[done]
		order = append(order, b.ID)
		r.intend(b)
		r.end(b, spec.Proceed)
	}
	return order
}

// place is where a message is in an order, counted from nought.
func place(t *testing.T, order []spec.QueueID, id spec.QueueID) int {
	t.Helper()
	for i, got := range order {
		if got == id {
			return i
		}
	}
	t.Fatalf("%s was never attempted", id)
	return 0
}

// The lane of bulk comes before that of single.
const bulk, single = "news@lists.test", "alice@home.test"

// cramped has one delivery at a time, and a window that one lane alone would fill.
func cramped(window int) func(*spec.Policy) {
	return func(p *spec.Policy) { p.Limits.DeliveriesPerDestination, p.Limits.WindowGroups = 1, window }
}

func TestABacklogOfOneSenderDoesNotHoldUpAnother(t *testing.T) {
	for _, window := range []int{1, 4, 1000} {
		r := started(t, cramped(window))
		for i := range 50 {
			r.from(bulk, spec.QueueID(fmt.Sprintf("b%02d", i)), "bob@x.test")
		}
		r.from(single, "a1", "carol@x.test")
		order := r.served()
		if at := place(t, order, "a1"); at > 2 {
			t.Errorf("with %d groups in memory, the only message of its sender was attempted after %d of another's", window, at)
		}
		if len(order) != 51 || len(r.disk) > 0 {
			t.Errorf("with %d groups in memory, %d of 51 messages were attempted; left on disk: %d", window, len(order), len(r.disk))
		}
	}
}

func TestABacklogOnDiskDoesNotHoldUpAnotherSenderAfterARestart(t *testing.T) {
	for _, window := range []int{1, 4, 1000} {
		r := started(t, cramped(window))
		for i := range 50 {
			r.from(bulk, spec.QueueID(fmt.Sprintf("b%02d", i)), "bob@x.test")
		}
		for i := range 3 {
			r.from(single, spec.QueueID(fmt.Sprintf("a%d", i)), "carol@x.test")
		}
		r.restart()
		order := r.served()
		if at := place(t, order, "a2"); at > 6 {
			t.Errorf("with %d groups in memory, the third of three messages was attempted after %d others", window, at)
		}
		if len(order) != 53 || len(r.disk) > 0 {
			t.Errorf("with %d groups in memory, %d of 53 messages were attempted; left on disk: %d", window, len(order), len(r.disk))
		}
	}
}

// A bulk sender has memory for what it needs, and what comes later for others has
// its place beside it.
func TestLanesKeepTheWindowBounded(t *testing.T) {
	r := started(t, cramped(10))
	for i := range 400 {
		r.from(fmt.Sprintf("user%d@home.test", i), spec.QueueID(fmt.Sprintf("m%03d", i)), "bob@x.test")
		if s := r.core.Sizes(); s.Groups > 11 {
			t.Fatalf("after %d messages of as many senders memory holds %+v; the limit is 10 groups", i+1, s)
		}
	}
	for done := 0; done < len(r.begins); done++ {
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
		if s := r.core.Sizes(); s.Groups > 11 {
			t.Fatalf("memory holds %+v; the limit is 10 groups", s)
		}
	}
	if len(r.begins) != 400 || len(r.disk) > 0 {
		t.Errorf("%d of 400 messages were attempted; left on disk: %d", len(r.begins), len(r.disk))
	}
}

// A lane that has nothing for a moment, because its mail is being tried, has had
// its turn all the same when it has something again.
func TestRetriesOfOneSenderDoNotHoldUpAnother(t *testing.T) {
	r := started(t, cramped(1000))
	r.from(bulk, "b1", "bob@x.test")
	r.from(bulk, "b2", "bob@x.test")
	r.from(single, "a1", "carol@x.test")
	var order []spec.QueueID
	for range 6 {
		b := r.begun()
		order = append(order, b.ID)
		r.pass(5 * time.Minute)
		r.end(b, spec.Defer)
	}
	if at := place(t, order, "a1"); at > 2 {
		t.Errorf("the only message of its sender was attempted after %d retries of another's: %v", at, order)
	}
}

// Within a lane nothing has changed: what is due first goes first.
func TestOneSendersMailGoesInOrderOfItsTime(t *testing.T) {
	r := started(t, cramped(4))
	for i := range 30 {
		sender := []string{bulk, single}[i%2]
		r.from(sender, spec.QueueID(fmt.Sprintf("%c%02d", sender[0], i)), "bob@x.test")
		r.now.Mono, r.now.Wall = r.now.Mono.Add(time.Second), r.now.Wall.Add(time.Second)
	}
	last := map[byte]spec.QueueID{}
	for _, id := range r.served() {
		if id < last[id[0]] {
			t.Errorf("%s was attempted after %s, which was due later", id, last[id[0]])
		}
		last[id[0]] = id
	}
}

// unlaned brings the index of a disk to how a relay without lanes has left it.
func (r *rig) unlaned() {
	r.t.Helper()
	for _, k := range sortedKeys(r.disk) {
		w, err := ParseWaiting(k.Name)
		if k.Space != seam.SpaceDue || err != nil {
			continue
		}
		delete(r.disk, k)
		w.Lane = 0
		r.disk[w.Key()] = nil
	}
}

func TestASpoolWithoutLanesIsReadAndPutRight(t *testing.T) {
	for _, window := range []int{1, 4, 1000} {
		r := started(t, cramped(window))
		for i := range 50 {
			r.from(bulk, spec.QueueID(fmt.Sprintf("b%02d", i)), "bob@x.test")
		}
		r.from(single, "a1", "carol@x.test")
		r.from("", "n1", "dave@y.test")
		r.unlaned()
		r.restart()
		r.from(single, "a2", "erin@x.test")
		order := r.served()
		if len(order) != 53 || len(r.disk) > 0 {
			t.Errorf("with %d groups in memory, %d of 53 messages were attempted; left on disk: %d", window, len(order), len(r.disk))
		}
		if at := place(t, order, "a2"); at > 5 {
			t.Errorf("with %d groups in memory, new mail was attempted after %d others", window, at)
		}
	}
}

// Who operates on a message that a relay without lanes has queued, or is in doubt
// since, leaves no line behind that leads to a second attempt.
func TestAnOldLineLeadsToNoSecondAttempt(t *testing.T) {
	r := started(t, held)
	r.from(single, "a1", "bob@x.test")
	r.end(r.begun(), spec.Defer)
	r.unlaned()
	r.restart()
	r.decide("a1", DecideNow)
	r.flush()
	if len(r.begins) != 1 {
		t.Fatalf("an operator wanted one attempt; there were %d", len(r.begins))
	}
	r.intend(r.begun())
	r.end(r.begun(), spec.Proceed)
	for range 3 {
		r.pass(time.Hour)
	}
	if len(r.begins) != 1 || len(r.disk) > 0 {
		t.Errorf("%d attempts, and %d entries are left on disk", len(r.begins), len(r.disk))
	}
}

func TestAPauseAndItsEndReachAllLanes(t *testing.T) {
	r := started(t, cramped(4))
	r.pauses("x.test", false)
	for i := range 20 {
		r.from(fmt.Sprintf("user%d@home.test", i), spec.QueueID(fmt.Sprintf("m%02d", i)), "bob@x.test")
	}
	r.pass(time.Hour)
	r.pass(24 * time.Hour)
	if len(r.begins) > 0 {
		t.Fatalf("%d attempts began at a paused destination", len(r.begins))
	}
	r.pauses("x.test", true)
	if order := r.served(); len(order) != 20 {
		t.Errorf("%d of 20 messages were attempted when the pause was over", len(order))
	}
}

// Else they prove nothing.
func TestTheSendersOfTheseTestsHaveLanesOfTheirOwn(t *testing.T) {
	if a, b := spec.LaneOf(bulk), spec.LaneOf(single); a >= b {
		t.Errorf("the lanes are %s and %s", a, b)
	}
}
