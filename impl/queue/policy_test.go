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

// TestMailWaitsOnWhenItsSenderGetsHosts: his mail then waits at them, and at its
// domains again when he has none any more.
func TestMailWaitsOnWhenItsSenderGetsHosts(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "a@x.test", "b@y.test")
	for _, hosts := range [][]string{{"smart.test"}, nil, {"smart.test", "next.test:587"}, {"other.test"}} {
		r.policy.SenderRoutes = map[string][]string{"@home.test": hosts}
		r.restart()
		want := 2
		if len(hosts) > 0 {
			want = 1
		}
		if len(r.begins) != want || len(hosts) > 0 && r.begun().Dest != spec.Via(hosts) {
			t.Fatalf("with hosts %q, %d attempts were begun, want %d: %v", hosts, len(r.begins), want, r.begins)
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
