package sim_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// changed is the relay on a host that is not what it seems.
func changed(change func(*seam.Host)) sim.Factory {
	return func(h seam.Host, c sim.Config) (sim.Relay, error) {
		change(&h)
		return newRelay(h, c)
	}
}

// keeper is a store that never deletes anything in a space.
type keeper struct {
	seam.Store
	space seam.Space
}

func (k keeper) Apply(ops []seam.Op, done func(error)) {
	k.Store.Apply(slices.DeleteFunc(slices.Clone(ops), func(op seam.Op) bool { return op.Delete && op.Key.Space == k.space }), done)
}

// TestWhatBelongsToNoMessageIsFound: an index line or a mark may not outlive
// its message.
func TestWhatBelongsToNoMessageIsFound(t *testing.T) {
	for _, space := range []seam.Space{seam.SpaceDue, seam.SpaceIntent, seam.SpaceWriting} {
		r := sim.Run(t, load(t, "plain/big"), changed(func(h *seam.Host) { h.Store = keeper{h.Store, space} }), sim.Options{})
		if all := strings.Join(r.Mismatches, "\n"); r.Status != sim.Safety || !strings.Contains(all, "a mark ("+string(space)+")") {
			t.Errorf("%c: %v: %s", space, r.Status, all)
		}
	}
}

// TestServersListenOnlyAtTheirPort: at any other nobody answers.
func TestServersListenOnlyAtTheirPort(t *testing.T) {
	for _, port := range []string{"25", "2525"} {
		dials := func(h *seam.Host) {
			dial := h.Dial
			h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
				return dial(ctx, from, strings.Replace(addr, ":587", ":"+port, 1))
			}
		}
		r := sim.Run(t, load(t, "relaymode/port"), changed(dials), sim.Options{})
		failed := func(f spec.Fact) bool { return f.Kind == spec.FactConnectFailed && strings.HasSuffix(f.Addr, ":"+port) }
		connected := func(f spec.Fact) bool { return f.Kind == spec.FactConnect && f.Addr == "198.51.100.21:"+port }
		if !slices.ContainsFunc(r.Facts, failed) || slices.ContainsFunc(r.Facts, connected) {
			t.Errorf("somebody listens at port %s", port)
		}
	}
}

// deaf reads what it cannot bear as something else.
type deaf struct{ net.Conn }

func (d deaf) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	copy(p, bytes.ReplaceAll(p[:n], []byte("PIPELINING"), []byte("POLITENESS")))
	return n, err
}

// TestPipeliningThatWasOfferedMustBeUsedWhereAStoryWaitsForIt: else the story
// proves nothing.
func TestPipeliningThatWasOfferedMustBeUsedWhereAStoryWaitsForIt(t *testing.T) {
	dials := func(h *seam.Host) {
		dial := h.Dial
		h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
			conn, err := dial(ctx, from, addr)
			if err != nil {
				return nil, err
			}
			return deaf{conn}, nil
		}
	}
	if r := sim.Run(t, load(t, "reply/pipelining"), changed(dials), sim.Options{}); r.Status != sim.NoVerdict {
		t.Errorf("it ended with %v: %v", r.Status, r.Unused)
	}
}
