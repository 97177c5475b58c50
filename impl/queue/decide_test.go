package queue

import (
	"errors"
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// inDoubt is a rig with one message, held in doubt at each destination.
func inDoubt(t *testing.T, to ...string) *rig {
	r := started(t, held)
	r.queued("m1", to...)
	for i := 0; i < len(r.begins); i++ {
		r.intend(r.begins[i])
		r.end(r.begins[i], spec.InDoubt)
	}
	return r
}

// is fails the test unless what was released once, with an error that contains
// text; empty is no error.
func (r *rig) is(what, text string) {
	r.t.Helper()
	got := r.released[what]
	if len(got) != 1 || (text == "") != (got[0] == nil) || text != "" && !strings.Contains(got[0].Error(), text) {
		r.t.Errorf("%s: %v, want %q, once", what, got, text)
	}
}

func TestTwoDecisionsOnOneMessage(t *testing.T) {
	for _, second := range []Decision{DecideReport, DecideRetry, DecideDelivered} {
		t.Run(string(second), func(t *testing.T) {
			r := inDoubt(t, "a@x.test")
			r.slow = true
			first := r.decide("m1", DecideReport)
			for _, l := range r.loads {
				r.do(r.load(l))
			}
			again := r.decide("m1", second)
			r.is(again, "another decision on m1")
			r.answer()
			r.flush()
			r.is(first, "")
			r.sound()
			if e := r.entry("m1"); e != nil {
				t.Errorf("m1 is still in the spool: %+v", e)
			}
		})
	}
}

func TestTwoDecisionsWhileTheMessageIsRead(t *testing.T) {
	r := inDoubt(t, "a@x.test")
	r.slow = true
	first, second := r.decide("m1", DecideDelivered), r.decide("m1", DecideReport)
	r.is(second, "another decision on m1")
	r.answer()
	r.flush()
	r.is(first, "")
	r.sound()
}

// TestOneReportOnAllDestinations: and each fact speaks of its own.
func TestOneReportOnAllDestinations(t *testing.T) {
	r := inDoubt(t, "a@x.test", "b@y.test")
	r.facts = nil
	ticket := r.decide("m1", DecideReport)
	r.flush()
	r.is(ticket, "")
	r.sound()
	reports := 0
	for _, f := range r.facts {
		switch f.Kind {
		case spec.FactOutcome, spec.FactDoubt:
			if want := spec.Domain(f.To[0]); f.Dest != want {
				t.Errorf("%v is said of %s at %s", f.Kind, f.To[0], f.Dest)
			}
		case spec.FactReport:
			reports++
		}
	}
	if reports != 1 {
		t.Errorf("%d reports on one decision", reports)
	}
}

var errDisk = errors.New("I/O error")

// TestNobodyWaitsForACoreThatHalted: an operator least of all.
func TestNobodyWaitsForACoreThatHalted(t *testing.T) {
	t.Run("while the message is read", func(t *testing.T) {
		r := inDoubt(t, "a@x.test")
		r.slow = true
		ticket := r.decide("m1", DecideRetry)
		r.do(Loaded{Load: r.loads[0], Err: errDisk})
		r.is(ticket, "I/O error")
	})
	t.Run("while the header is read", func(t *testing.T) {
		r := inDoubt(t, "a@x.test")
		r.slow = true
		ticket := r.decide("m1", DecideReport)
		for _, l := range r.loads {
			r.do(r.load(l))
		}
		r.mail("m2", "b@y.test")
		r.do(Durable{Seq: r.unacked[0].Seq, Err: errDisk})
		r.is(ticket, "I/O error")
		r.is("accepted m2", "I/O error")
		r.do(r.header(r.closes[0]))
		r.is(ticket, "I/O error")
		r.is("settled "+r.closes[0].Job, "I/O error")
	})
	t.Run("and comes later", func(t *testing.T) {
		r := inDoubt(t, "a@x.test")
		r.do(Loaded{Load: Load{Kind: LoadGroups}, Err: errDisk})
		r.is(r.decide("m1", DecideRetry), "I/O error")
	})
}

// TestWhatIsDurableIsToldAsDurable: though the core halted meanwhile.
func TestWhatIsDurableIsToldAsDurable(t *testing.T) {
	r := inDoubt(t, "a@x.test")
	r.queued("m2", "b@x.test")
	r.do(Intend{Job: r.begun().Job, Host: "mx.test", To: r.begun().To})
	r.mail("m3", "c@y.test")
	ticket := r.decide("m1", DecideDelivered)
	r.do(Loaded{Load: Load{Kind: LoadGroups}, Err: errDisk})
	r.flush()
	r.is("accepted m3", "")
	r.is(ticket, "")
	r.is("may commit "+r.begun().Job, "I/O error")
}
