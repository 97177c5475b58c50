package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// BenchmarkStep measures the core's share of a message: seven steps from
// submission to removal, with 1,000 other messages waiting.
func BenchmarkStep(b *testing.B) {
	q := New(spec.DefaultPolicy("relay.example"))
	now := spec.Instant{Wall: spec.WallOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))}
	seq := uint64(0)
	step := func(e Event) (job string) {
		for _, act := range q.Step(now, e) {
			switch act := act.(type) {
			case Commit:
				seq = act.Seq
			case Begin:
				job = act.Job
			}
		}
		return job
	}
	for _, kind := range []LoadKind{LoadIntents, LoadWriting, LoadDestinations} {
		if kind == LoadIntents {
			step(Start{})
		}
		step(Loaded{Load: Load{Kind: kind}})
	}
	submit := func(id spec.QueueID, to string) string {
		step(Submit{ID: id, Message: string(id), Size: 100, Envelope: spec.Envelope{Sender: "a@b.test", Recipients: []string{to}},
			Ops: []seam.Op{{Key: seam.ChunkKey(id, 0)}}})
		return step(Durable{Seq: seq})
	}
	for i := range 1000 {
		dest := fmt.Sprintf("u@waiting%d.test", i)
		job := submit(spec.QueueID(fmt.Sprintf("w%d", i)), dest)
		step(Settle{Job: job, Last: true, Results: []Result{{Recipient: dest, Verdict: spec.Defer, Trouble: Trouble{}}}})
		step(Durable{Seq: seq})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		job := submit(spec.QueueID(fmt.Sprintf("m%d", i)), "c@d.test")
		step(Intend{Job: job, Host: "mx", To: []string{"c@d.test"}})
		step(Durable{Seq: seq})
		step(Settle{Job: job, Results: []Result{{Recipient: "c@d.test", Verdict: spec.Proceed, Trouble: Trouble{}}}})
		step(Durable{Seq: seq})
		step(Settle{Job: job, Last: true})
	}
	if s := q.Sizes(); s.Messages != 1000 || s.Jobs != 0 {
		b.Fatalf("memory holds %+v, not the 1000 messages that wait", s)
	}
}

// BenchmarkManyDomains measures one message to a thousand domains, from
// submission to removal: with it nobody else is served, however lawful it is.
func BenchmarkManyDomains(b *testing.B) {
	var to []string
	for i := range 1000 {
		to = append(to, fmt.Sprintf("user@domain%d.example.net", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		r := started(b, nil)
		r.queued("m1", to...)
		for i := 0; i < len(r.begins); i++ {
			r.intend(r.begins[i])
			r.end(r.begins[i], spec.Proceed)
		}
		if len(r.disk) > 0 {
			b.Fatalf("%d entries are left on disk", len(r.disk))
		}
	}
}
