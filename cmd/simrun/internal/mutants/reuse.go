package mutants

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/delivery"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// ofReuse are wrong about connections that they use again.
func ofReuse() []Mutant {
	return []Mutant{
		{"carries-any-number", "sends any number of mails over one connection", spec.FairAndBounded, "reuse/count",
			changed(func(p *spec.Policy) { p.Reuse.Messages = 1000 })},
		{"keeps-for-an-hour", "keeps a connection for an hour that nobody uses", spec.FairAndBounded, "reuse/idle",
			changed(func(p *spec.Policy) { p.Reuse.Idle, p.Reuse.Age = time.Hour, 2*time.Hour })},
		{"knows-no-age", "uses a connection however old it is", spec.FairAndBounded, "reuse/age",
			changed(func(p *spec.Policy) { p.Reuse.Age = 24 * time.Hour })},
		{"makes-no-room", "does not count what it keeps among the connections of a destination", spec.FairAndBounded, "reuse/makes-room",
			changed(func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1000 })},
		{"does-not-look", "uses a connection again on which the server has spoken", spec.WireLawful, "reuse/421-while-idle",
			seamed(func(h *seam.Host) { lined(h, func(*line) {}) })}, // such a line is no seam.Peeker
		{"resets-in-vain", "takes a refused RSET for a yes", spec.WireLawful, "reuse/rset-refused", seamed(reads("502 5.5.1 What?", "250 2.0.0 Sure"))},
		{"forgets-levels", "uses a connection in clear for mail that must be encrypted", spec.WireLawful, "reuse/levels-differ",
			alike(func(k delivery.Key) delivery.Key {
				k.Duty = spec.Duty{}
				return k
			})},
		{"forgets-names", "uses a connection whose certificate was verified for another domain", spec.WireLawful, "reuse/names-differ",
			alike(func(k delivery.Key) delivery.Key {
				k.Duty.Names = ""
				return k
			})},
		{"forgets-sources", "uses a connection for mail that is to leave from another address", spec.NextHopOrder, "route/source-and-reuse",
			alike(func(k delivery.Key) delivery.Key {
				k.Duty.Source = netip.Addr{}
				return k
			})},
		{"knows-no-sources", "leaves from the address that the system chooses", spec.NextHopOrder, "route/source",
			changed(func(p *spec.Policy) { p.Source = nil })},
		{"leaves-from-anywhere", "leaves from another address where the machine does not have the one that it is to leave from", spec.NextHopOrder,
			"route/source-not-here", seamed(anySource)},
		{"any-host-will-do", "uses a connection with another host than the one that has its turn", spec.NextHopOrder, "reuse/best-host-first",
			alike(func(delivery.Key) delivery.Key { return delivery.Key{} })},
	}
}

// anySource dials from what the system chooses when it cannot dial from the
// address that it was given.
func anySource(h *seam.Host) {
	dial := h.Dial
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		conn, err := dial(ctx, from, addr)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			return dial(ctx, netip.Addr{}, addr)
		}
		return conn, err
	}
}

// alike is the relay that knows conversations which it keeps by less than it
// should.
func alike(known func(delivery.Key) delivery.Key) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		r, err := impl.New(impl.Config{Policy: cfg.Policy, Listen: cfg.Listen, Alike: known}, host)
		if err != nil {
			return nil, err
		}
		return operated{r}, nil
	}
}
