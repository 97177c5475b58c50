package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A rig is a core with a disk, for stories whose point is the order in which
// things come back: batches wait for flush, and reads and closes wait to be
// answered while slow is set.
type rig struct {
	*script
	t      testing.TB
	slow   bool
	begins []Begin
	loads  []Load
	closes []Close
	facts  []spec.Fact
	halted error
	// released holds the errors of all releases, by what they name.
	released map[string][]error
}

func newRig(t testing.TB, change func(*spec.Policy)) *rig {
	r := &rig{script: newScript(), t: t, released: map[string][]error{}}
	if change != nil {
		change(&r.policy)
	}
	r.core = New(r.policy)
	return r
}

// started is a rig whose core has recovered from an empty disk.
func started(t testing.TB, change func(*spec.Policy)) *rig {
	r := newRig(t, change)
	r.do(Start{})
	return r
}

func held(p *spec.Policy) { p.InDoubt = spec.DoubtHold }

// do steps the core, and answers reads and closes unless they are slow.
func (r *rig) do(e Event) {
	var next []Event
	for _, act := range slices.Clone(r.core.Step(r.now, e)) {
		switch act := act.(type) {
		case Commit:
			r.unacked = append(r.unacked, act)
		case Begin:
			r.begins = append(r.begins, act)
		case Load:
			if r.slow {
				r.loads = append(r.loads, act)
			} else {
				next = append(next, r.load(act))
			}
		case Close:
			if r.slow {
				r.closes = append(r.closes, act)
			} else {
				next = append(next, r.header(act))
			}
		case Note:
			r.facts = append(r.facts, act.Fact)
		case Halt:
			r.halted = act.Err
			for _, ticket := range act.Operators {
				r.release(fmt.Sprint("decided ", ticket), act.Err)
			}
		case Accepted:
			r.release("accepted "+string(act.ID), act.Err)
		case MayCommit:
			r.release("may commit "+act.Job, act.Err)
		case Settled:
			r.release("settled "+act.Job, act.Err)
		case Decided:
			r.release(fmt.Sprint("decided ", act.Ticket), act.Err)
		}
	}
	for _, e := range next {
		r.do(e)
	}
}

func (r *rig) release(what string, err error) { r.released[what] = append(r.released[what], err) }

// decide has an operator decide, and returns what names the release.
func (r *rig) decide(id spec.QueueID, d Decision) (released string) {
	r.tickets++
	r.do(Decide{Ticket: r.tickets, ID: id, Decision: d})
	return fmt.Sprint("decided ", r.tickets)
}

// header is what the shell says to a close.
func (r *rig) header(c Close) Settle {
	return Settle{Job: c.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: r.freshID()}
}

// answer answers the reads and closes that waited.
func (r *rig) answer() {
	r.slow = false
	loads, closes := r.loads, r.closes
	r.loads, r.closes = nil, nil
	for _, l := range loads {
		r.do(r.load(l))
	}
	for _, c := range closes {
		r.do(r.header(c))
	}
}

// flush makes all batches durable.
func (r *rig) flush() {
	for len(r.unacked) > 0 {
		c := r.unacked[0]
		r.unacked = r.unacked[1:]
		apply(r.disk, c.Ops)
		r.do(Durable{Seq: c.Seq})
	}
}

// mail submits a message; it is not durable before a flush.
func (r *rig) mail(id spec.QueueID, to ...string) {
	content := []byte("Subject: x\r\n\r\nHi\r\n")
	r.do(Submit{
		ID: id, Message: string(id), Size: int64(len(content)), Envelope: spec.Envelope{Sender: "s@home.test", Recipients: to},
		Ops: []seam.Op{{Key: seam.ChunkKey(id, 0), Value: content}},
	})
}

// queued submits a message and makes it durable.
func (r *rig) queued(id spec.QueueID, to ...string) {
	r.mail(id, to...)
	r.flush()
}

func (r *rig) pass(d time.Duration) {
	r.now.Mono, r.now.Wall = r.now.Mono.Add(d), r.now.Wall.Add(d)
	r.do(Wake{})
	r.flush()
}

// begun is the attempt that was begun last.
func (r *rig) begun() Begin {
	r.t.Helper()
	if len(r.begins) == 0 {
		r.t.Fatal("no attempt was begun")
	}
	return r.begins[len(r.begins)-1]
}

// intend makes the intent of a whole attempt durable.
func (r *rig) intend(b Begin) {
	r.do(Intend{Job: b.Job, Host: "mx.test", To: b.To})
	r.flush()
}

// end ends an attempt with one verdict for all.
func (r *rig) end(b Begin, v spec.Verdict) {
	e := Settle{Job: b.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: r.freshID()}
	for _, to := range b.To {
		e.Results = append(e.Results, Result{Recipient: to, Verdict: v, Trouble: Trouble{Host: "mx.test", Stage: spec.StageDot}})
	}
	r.do(e)
	r.flush()
}

// restart ends the process, loses what is not durable, and recovers.
func (r *rig) restart() {
	r.unacked, r.wake, r.now.Mono, r.begins, r.loads, r.closes = nil, 0, 0, nil, nil, nil
	r.core = New(r.policy)
	r.do(Start{})
	r.flush()
}

// entry is a message's entry on disk, nil when there is none.
func (r *rig) entry(id spec.QueueID) *Entry {
	r.t.Helper()
	b := r.disk[seam.ControlKey(id)]
	if b == nil {
		return nil
	}
	e, err := DecodeEntry(b)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// sound fails the test when the core halted, or something is left in memory.
func (r *rig) sound() {
	r.t.Helper()
	if r.halted != nil {
		r.t.Errorf("the core halted: %v", r.halted)
	}
}
