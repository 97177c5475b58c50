package queue

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

// TestMailWaitsOnWhenTheRelayHostsChange: the index is by destination, and with
// relay hosts there is but one.
func TestMailWaitsOnWhenTheRelayHostsChange(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test", "b@y.test")
	for _, relays := range [][]string{{"smart.test"}, nil, {"smart.test"}} {
		r.policy.Relays = relays
		r.restart()
		if want := 2 - len(relays); len(r.begins) != want {
			t.Fatalf("with relay hosts %q, %d attempts were begun, want %d: %v", relays, len(r.begins), want, r.begins)
		}
	}
	r.intend(r.begun())
	r.end(r.begun(), spec.Proceed)
	r.sound()
	r.restart()
	if len(r.disk) > 0 {
		t.Errorf("the message is delivered, and the disk still holds %v", sortedKeys(r.disk))
	}
}
