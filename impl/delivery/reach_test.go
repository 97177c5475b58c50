package delivery

import (
	"context"
	"testing"
)

// TestADestinationIsReachedWhenAServerOpensASession: by one of its servers, whatever
// that says then. What this side breaks off, or the DNS denies, says nothing.
func TestADestinationIsReachedWhenAServerOpensASession(t *testing.T) {
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name    string
		world   world
		ctx     context.Context
		reached bool
	}{
		{"nobody is there", world{zone: zone2, servers: map[string][]string{"192.0.2.1": {"silent"}, "192.0.2.2": {"reset"}}}, nil, false},
		{"all are closing", world{zone: zone2, servers: map[string][]string{"192.0.2.1": {"S: 421 bye\neof"}}}, nil, false},
		{"no EHLO is taken", world{zone: zone2, servers: map[string][]string{"192.0.2.1": {"S: 220 mx\nC: EHLO relay.test\nS: 421 bye\neof"}}}, nil, false},
		{"the DNS cannot say", world{zone: "y SERVFAIL"}, nil, false},
		{"there is no such domain", world{zone: "z A 192.0.2.1"}, nil, true},
		{"the sender is refused for now", world{zone: zone2, servers: map[string][]string{
			"192.0.2.1": {hello + "C: MAIL FROM:<a@x>\nS: 451 not now\n" + quit}}}, nil, true},
		{"the recipient is refused for now, and the next host is not there", world{zone: zone2, servers: map[string][]string{
			"192.0.2.1": {hello + envelope("b@y", "421 bye") + "eof"}}}, nil, true},
		{"it is broken off", world{zone: zone2}, stopped, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ctx := c.ctx
				if ctx == nil {
					ctx = t.Context()
				}
				c.world.deliver(t, ctx, "b@y")
				if reached := c.world.missed == 0; reached != c.reached {
					t.Errorf("reached: %v, want %v", reached, c.reached)
				}
			})
		})
	}
}
