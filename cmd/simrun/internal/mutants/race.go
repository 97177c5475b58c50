package mutants

import (
	"context"
	"net"
	"net/netip"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Racy is a relay that breaks no rule and replays no seed: before every dial it
// lets two channels that are both ready decide what it says. It shows that the
// check for determinism is awake.
func Racy(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	dial := host.Dial
	host.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		heads, tails := make(chan struct{}), make(chan struct{})
		close(heads)
		close(tails)
		side := "tails"
		select { // both are ready: the runtime chooses
		case <-heads:
			side = "heads"
		case <-tails:
		}
		host.Note(spec.Fact{Kind: spec.FactRoute, Text: side})
		return dial(ctx, from, addr)
	}
	return Honest(host, cfg)
}
