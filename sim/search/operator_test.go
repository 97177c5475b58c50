package search

import (
	"context"
	"strings"
	"testing"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// deaf is a relay that says that it parked what it did not.
func deaf(h seam.Host, c sim.Config) (sim.Relay, error) {
	r, err := newRelay(h, c)
	return unheard{r}, err
}

type unheard struct{ sim.Relay }

func (u unheard) Decide(ctx context.Context, id spec.QueueID, recipient, word string) error {
	if word == "hold" {
		return nil
	}
	return u.Relay.(sim.Operator).Decide(ctx, id, recipient, word)
}

// TestShrinkingKnowsWhatAnOperatorSays: with a recipient goes what is said of
// him, and what is said of one of one recipient is said of all.
func TestShrinkingKnowsWhatAnOperatorSays(t *testing.T) {
	sc, err := scenarios.Parse("it", []byte(`# What is parked is not attempted.
rules: RETRY-ON-TIME
needs: operator
-- dns --
example.net.      MX 10 mx1.example.net.
mx1.example.net.  A  192.0.2.10
-- server mx1.example.net --
at rcpt, first 2: 451 4.7.1 Greylisted
-- plan --
t+0   submit m1 from alice@example.org to bob@example.net, carol@example.net
t+1m  hold m1 <carol@example.net>, <bob@example.net>
t+2m  retry m1 <carol@example.net>
-- expect --
rules hold
`))
	if err != nil {
		t.Fatal(err)
	}
	answer := do(t, deaf, Job{Scenario: sc, Shrink: &Shrink{Rule: spec.RetryOnTime}})
	if answer.Shrunk == nil {
		t.Fatal("nothing came of it")
	}
	text := string(scenarios.Format(answer.Shrunk.Scenario))
	if !strings.Contains(text, "t+1h  hold m1\n") {
		t.Errorf("the hold is not that of all, at a round time:\n%s", text)
	}
	for _, gone := range []string{"m1 <", "net, ", "retry"} {
		if strings.Contains(text, gone) {
			t.Errorf("%q is still there:\n%s", gone, text)
		}
	}
}
