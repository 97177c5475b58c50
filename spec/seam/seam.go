// Package seam holds the interfaces through which the relay meets the world:
// network, DNS, disk, starting goroutines, randomness, and the sink for its
// facts. Production gives it the operating system; the simulator gives it a
// world of its own.
//
// The only clock here is the wall clock. Timers, deadlines and intervals are
// package time's, which testing/synctest fakes; but in its bubbles the wall
// clock and the monotonic one are the same, so a world in which the one jumps
// and the other does not has to say what the wall clock shows.
//
// In the simulator every operation of a seam completes at an instant of its
// own, which is drawn when the operation is called. For a seed to replay, the
// relay keeps two rules: a goroutine begins life through Host.Start, and one
// completion makes at most one goroutine runnable.
package seam

import (
	"context"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec"
)

// A Peeker is a connection that can be asked what has arrived. The connections
// of Host.Dial are Peekers.
type Peeker interface {
	// Readable reports, without waiting, whether a Read would return at once:
	// with bytes, or because the other side has closed.
	Readable() bool
}

// A Host is the machine that a relay runs on.
type Host struct {
	// Dial connects to addr, an IP address and port, by TCP. It returns when
	// connected, refused, or when ctx is done. The connection is a Peeker. It comes
	// from the address from of this machine, and else fails; from one that the
	// system chooses when that is not valid.
	Dial func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error)
	// Listen opens a TCP listener on addr.
	Listen func(addr string) (net.Listener, error)
	// Exchange sends one DNS query and returns the answer, whole: a
	// truncated answer has already been asked for again over TCP. The error
	// is for no answer at all; any RCODE is an answer.
	Exchange func(ctx context.Context, query *dns.Msg) (*dns.Msg, error)
	// Roots returns the authorities whose certificates are trusted. Nil, and
	// nil returned, are those of the system.
	Roots func() *x509.CertPool
	// Secret returns the secret of the login for a host (spec.Policy.Logins), as
	// it is now: it may be changed while the relay runs. Nil is for a policy that
	// has the secrets itself.
	Secret func(host string) (spec.Secret, error)
	// Store is the spool's disk.
	Store Store
	// Start runs f in a goroutine of its own: at once under an operating
	// system; at an instant of its own in the simulator, so that two starts
	// never race. The caller waits for it by means of f.
	Start func(f func())
	// Wall reads the machine's wall clock, which may be set at any time: what
	// it says is for dates that are stored or shown, and no interval is
	// measured by it. Nil is time.Now.
	Wall func() time.Time
	// Random returns the random stream called name, seeded from name and the
	// host's seed. A stream belongs to one goroutine.
	Random func(name string) *rand.Rand
	// Note takes a fact of the relay. It must be quick and safe for
	// concurrent use. Host sets Fact.At and Fact.Actor.
	Note func(spec.Fact)
}

// Now is what the machine's wall clock says: a time without a monotonic
// reading, so that the difference of two is what the clock did in between.
func (h Host) Now() time.Time {
	if h.Wall == nil {
		return time.Now().Round(0)
	}
	return h.Wall().Round(0)
}
