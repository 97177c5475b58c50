package main

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

func TestEndingAtOnceSaysWhatIsLeftInDoubt(t *testing.T) {
	passed := 0
	d := newDoubts(func(spec.Fact) { passed++ })
	for _, f := range []spec.Fact{
		{Kind: spec.FactIntent, Queue: "q1", Host: "mx.example.net", To: []string{"a@example.net", "b@example.net"}},
		{Kind: spec.FactDot, Queue: "q1", Host: "mx.example.net", To: []string{"a@example.net", "b@example.net"}},
		{Kind: spec.FactDot, Queue: "q0", Host: "mx.example.com", To: []string{"a@example.net"}},
		{Kind: spec.FactOutcome, Queue: "q1", To: []string{"a@example.net"}, State: spec.Delivered},
	} {
		d.note(f)
	}
	if passed != 4 {
		t.Errorf("%d facts of 4 were passed on", passed)
	}
	if d.count() != 2 {
		t.Errorf("%d are in doubt, want 2", d.count())
	}
	const want = `ended at once, on a second signal; servers were sent these and have not answered.
Whether they arrived nobody knows; the next start does with them what in_doubt says:
  q0 to a@example.net, by mx.example.com
  q1 to b@example.net, by mx.example.net`
	if got := d.abandoned().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	d.note(spec.Fact{Kind: spec.FactOutcome, Queue: "q0", To: []string{"a@example.net"}})
	d.note(spec.Fact{Kind: spec.FactOutcome, Queue: "q1", To: []string{"b@example.net"}})
	if got := d.abandoned().Error(); got != "ended at once, on a second signal; nothing is left in doubt" {
		t.Errorf("got %s", got)
	}
}
