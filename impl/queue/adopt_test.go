package queue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// adopt asks to queue a message of another relay with these recipients.
func (r *rig) adopt(to ...Recipient) {
	mark := seam.Op{Key: seam.Key{Space: seam.SpaceMeta, Name: "mark"}}
	r.do(Adopt{Entry: Entry{ID: "a1", Message: "a1@example.org", Sender: "alice@example.org", Submitted: r.now.Wall.Add(-time.Hour), Recipients: to},
		Ops: []seam.Op{mark}})
}

func TestAnAdoptedMessageGoesToThoseWhoLackIt(t *testing.T) {
	r := started(t, nil)
	r.adopt(
		Recipient{Address: "delivered@x.test", State: spec.Delivered, Attempts: 1},
		Recipient{Address: "new@x.test", State: spec.Queued, Due: r.now.Wall},
		Recipient{Address: "failed@x.test", State: spec.Failed, Attempts: 1},
		Recipient{Address: "later@x.test", State: spec.Queued, Attempts: 1, Due: r.now.Wall.Add(10 * time.Minute), Doubted: true},
	)
	if len(r.begins) > 0 {
		t.Error("an attempt begins before the message is durable")
	}
	r.flush()
	r.is("accepted a1", "")
	if _, marked := r.disk[seam.Key{Space: seam.SpaceMeta, Name: "mark"}]; !marked {
		t.Error("what is to hold with the message is not stored")
	}
	if want := []string{"new@x.test", "later@x.test"}; !slices.Equal(r.facts[len(r.facts)-2].To, want) {
		t.Errorf("queued for %v, want %v", r.facts[len(r.facts)-2], want)
	}
	if len(r.begins) != 1 || !slices.Equal(r.begun().To, []string{"new@x.test"}) {
		t.Fatalf("%+v", r.begins)
	}
	r.intend(r.begun())
	r.end(r.begun(), spec.Proceed)
	r.flush()
	r.pass(10 * time.Minute)
	if len(r.begins) != 2 || !slices.Equal(r.begun().To, []string{"later@x.test"}) || r.begun().Attempt != 2 {
		t.Fatalf("%+v", r.begins)
	}
	r.end(r.begun(), spec.FailRecipient)
	if !slices.ContainsFunc(r.facts, func(f spec.Fact) bool { return f.Kind == spec.FactOutcome && f.State == spec.Unknown }) {
		t.Error("who was in doubt at the other relay does not end as unknown")
	}
	if e := r.entry("a1"); e != nil {
		t.Errorf("it is still there: %+v", e)
	}
	r.sound()
}

func TestWhatCannotBeAdoptedIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		to         []Recipient
	}{
		{"nobody", "no recipient to whom it is still to be delivered", nil},
		{"all final", "no recipient to whom it is still", []Recipient{{Address: "a@x.test", State: spec.Delivered}}},
		{"in doubt", "is intent: only this relay can know", []Recipient{{Address: "a@x.test", State: spec.Intent}}},
		{"twice", `names a@X.test twice`, []Recipient{{Address: `"a"@x.test`, State: spec.Delivered}, {Address: "a@X.test", State: spec.Queued}}},
		{"held", "is held: only this relay can know", []Recipient{{Address: "a@x.test", State: spec.Held}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := started(t, nil)
			r.adopt(tt.to...)
			r.is("accepted a1", tt.says)
			if len(r.unacked) > 0 {
				t.Error("something is stored")
			}
		})
	}
	queued := Recipient{Address: "a@x.test", State: spec.Queued}
	r := started(t, nil)
	r.adopt(queued)
	r.adopt(queued)
	r.is("accepted a1", "the queue ID a1 is taken")
	early := newRig(t, nil)
	early.adopt(queued)
	early.is("accepted a1", "still recovering")
}

func TestAnAdoptedTextIsKeptShort(t *testing.T) {
	r := started(t, nil)
	r.adopt(Recipient{Address: "a@x.test", State: spec.Queued, Last: Trouble{Text: strings.Repeat("x", 2*most)}})
	r.flush()
	if e := r.entry("a1"); e == nil || len(e.Recipients[0].Last.Text) != most {
		t.Errorf("%d bytes", len(e.Recipients[0].Last.Text))
	}
}

// TestAnAdoptedMessageThatIsTooOldIsTriedOnce: what it waited for was the move.
func TestAnAdoptedMessageThatIsTooOldIsTriedOnce(t *testing.T) {
	r := started(t, nil)
	r.do(Adopt{Entry: Entry{ID: "a1", Sender: "alice@example.org", Submitted: r.now.Wall.Add(-10 * 24 * time.Hour),
		Recipients: []Recipient{{Address: "a@x.test", State: spec.Queued, Attempts: 9, Due: r.now.Wall, Doubted: true}}}})
	r.flush()
	r.intend(r.begun())
	r.end(r.begun(), spec.Defer)
	if len(r.begins) != 2 || r.begun().Sender != "" {
		t.Errorf("no report follows the attempt: %+v", r.begins)
	}
	if e := r.entry("a1"); e != nil {
		t.Errorf("it is still there: %+v", e)
	}
	r.sound()
}
