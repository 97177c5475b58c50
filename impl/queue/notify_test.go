package queue

import (
	"slices"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// asks submits a message to recipients at x.test of whom something is asked for.
func (r *rig) asks(sender string, asked ...spec.Asked) {
	e := spec.Envelope{Sender: sender, Asked: asked}
	for i := range asked {
		e.Recipients = append(e.Recipients, string(rune('a'+i))+"@x.test")
	}
	r.do(Submit{ID: "m1", Message: "m1", Size: 3, Envelope: e, Ops: []seam.Op{{Key: seam.ChunkKey("m1", 0), Value: []byte("x\r\n")}}})
	r.flush()
}

// reports returns what was reported, in order.
func (r *rig) reports() []string {
	var all []string
	for _, f := range r.facts {
		if f.Kind != spec.FactReport {
			continue
		}
		said := "failed"
		if f.State != 0 {
			said = f.State.String()
		}
		for _, to := range f.To {
			all = append(all, said+" "+to)
		}
	}
	return all
}

// TestTheSenderIsToldWhatItAskedFor: RFC 3461 section 4.1. What is unknown is
// told as failure is.
func TestTheSenderIsToldWhatItAskedFor(t *testing.T) {
	for _, tt := range []struct {
		notify spec.Notify
		want   map[spec.Verdict]string
	}{
		{0, map[spec.Verdict]string{spec.FailRecipient: "failed a@x.test", spec.InDoubt: "failed a@x.test"}},
		{spec.NotifyNever, nil},
		{spec.NotifyFailure, map[spec.Verdict]string{spec.FailRecipient: "failed a@x.test", spec.InDoubt: "failed a@x.test"}},
		{spec.NotifySuccess, map[spec.Verdict]string{spec.Proceed: "delivered a@x.test"}},
		{spec.NotifyDelay, nil},
	} {
		for _, sender := range []string{"s@home.test", ""} {
			for _, v := range []spec.Verdict{spec.FailRecipient, spec.InDoubt, spec.Proceed} {
				r := started(t, nil)
				r.asks(sender, spec.Asked{Notify: tt.notify})
				b := r.begun()
				r.intend(b)
				r.do(Settle{Job: b.Job, Last: true, Fresh: r.freshID(), Results: []Result{{Recipient: "a@x.test", Verdict: v, Relayed: v == spec.Proceed}}})
				r.flush()
				var want []string
				if tt.want[v] != "" && sender != "" {
					want = []string{tt.want[v]}
				}
				if got := r.reports(); !slices.Equal(got, want) {
					t.Errorf("%v asked by %q, %v: reported %q, want %q", tt.notify, sender, v, got, want)
				}
				if r.entry("m1") != nil {
					t.Errorf("%v asked by %q, %v: the message is still there", tt.notify, sender, v)
				}
				r.sound()
			}
		}
	}
}

// TestDeliveriesKnowWhatWasAskedFor, of those recipients that they have.
func TestDeliveriesKnowWhatWasAskedFor(t *testing.T) {
	r := started(t, nil)
	tracking := spec.Tracking{Return: spec.ReturnFull, EnvelopeID: "QQ"}
	r.do(Submit{ID: "m1", Message: "m1", Size: 3, Envelope: spec.Envelope{
		Sender: "s@home.test", Recipients: []string{"a@x.test", "b@y.test", "B@y.test"}, Tracking: tracking,
		Asked: []spec.Asked{{}, {}, {Notify: spec.NotifyNever}},
	}, Ops: []seam.Op{{Key: seam.ChunkKey("m1", 0), Value: []byte("x\r\n")}}})
	r.flush()
	want := map[string][]spec.Asked{"x.test": nil, "y.test": {{}, {Notify: spec.NotifyNever}}}
	for _, b := range r.begins {
		if !slices.Equal(b.Asked, want[b.Dest]) || b.Tracking != tracking {
			t.Errorf("%s: asked %v, %v", b.Dest, b.Asked, b.Tracking)
		}
	}
	if len(r.begins) != 2 {
		t.Errorf("%d deliveries", len(r.begins))
	}
}

// TestNobodyIsToldOfADoubtThatACrashLeft when the sender wants to hear nothing.
func TestNobodyIsToldOfADoubtThatACrashLeft(t *testing.T) {
	r := started(t, nil)
	r.asks("s@home.test", spec.Asked{Notify: spec.NotifyNever}, spec.Asked{})
	r.intend(r.begun())
	r.restart()
	if got := r.reports(); !slices.Equal(got, []string{"failed b@x.test"}) {
		t.Errorf("reported %q", got)
	}
	if r.entry("m1") != nil {
		t.Error("the message is still there")
	}
	r.sound()
}

// TestSuccessIsToldOnlyOfWhatNobodyElseTells: a server that offers DSN does.
func TestSuccessIsToldOnlyOfWhatNobodyElseTells(t *testing.T) {
	r := started(t, nil)
	r.asks("s@home.test", spec.Asked{Notify: spec.NotifySuccess})
	r.intend(r.begun())
	r.end(r.begun(), spec.Proceed)
	if got := r.reports(); len(got) > 0 {
		t.Errorf("reported %q", got)
	}
}

// TestADelayIsToldOnce after its time, to who asked, also across a restart.
func TestADelayIsToldOnce(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.DelayWarning = time.Hour })
	r.asks("s@home.test", spec.Asked{Notify: spec.NotifyDelay}, spec.Asked{Notify: spec.NotifyFailure}, spec.Asked{}, spec.Asked{Notify: spec.NotifyNever})
	warned := []string{"queued a@x.test"}
	for i := range 12 {
		b := r.begun()
		if b.ID == "m1" {
			r.end(b, spec.Defer)
		} else {
			r.intend(b)
			r.end(b, spec.Proceed)
		}
		if got := r.reports(); len(got) > 0 && (r.now.Wall < r.entry("m1").Submitted.Add(time.Hour) || !slices.Equal(got, warned)) {
			t.Fatalf("after attempt %d, %v: reported %q", i+1, r.now.Wall.Sub(r.entry("m1").Submitted), got)
		}
		if i == 8 {
			r.restart()
		}
		r.pass(20 * time.Minute)
	}
	if got := r.reports(); !slices.Equal(got, warned) {
		t.Errorf("reported %q", got)
	}
	r.sound()
}

// TestNoDelayIsToldOf what is parked, what may have arrived, to nobody, or when
// the policy says never.
func TestNoDelayIsToldOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*spec.Policy)
		sender string
		run    func(*rig)
	}{
		{"the null sender", nil, "", func(r *rig) { r.end(r.begun(), spec.Defer) }},
		{"never", func(p *spec.Policy) { p.DelayWarning = 0 }, "s@home.test", func(r *rig) { r.end(r.begun(), spec.Defer) }},
		{"a doubt", func(p *spec.Policy) { p.InDoubt = spec.DoubtRetry }, "s@home.test", func(r *rig) {
			r.intend(r.begun())
			r.end(r.begun(), spec.InDoubt)
		}},
		{"what is parked", nil, "s@home.test", func(r *rig) {
			r.decide("m1", DecideHold)
			r.end(r.begun(), spec.Defer)
		}},
	} {
		r := started(t, func(p *spec.Policy) {
			p.DelayWarning = time.Nanosecond
			if tt.change != nil {
				tt.change(p)
			}
		})
		r.asks(tt.sender, spec.Asked{Notify: spec.NotifyDelay})
		r.pass(time.Second)
		tt.run(r)
		if got := r.reports(); len(got) > 0 {
			t.Errorf("%s: reported %q", tt.name, got)
		}
		if e := r.entry("m1"); e == nil || e.Recipients[0].Warned {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
}
