package delivery

import (
	"context"
	"net/netip"
	"time"

	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/spec"
)

// A Key is what a conversation that is kept must have in common with the one
// that an attempt would begin: all that decides whom it is held with, and how.
type Key struct {
	// Host is the next hop's name, Addr the address and port.
	Host string
	Addr netip.AddrPort
	Duty spec.Duty
}

// A talk is a conversation with a server. It belongs to one attempt, or to the
// Pool.
type talk struct {
	*smtpclient.Client
	key Key
	// dest is the destination among whose connections it counts.
	dest string
	// session names it, as facts do.
	session string
	// begun is when it was connected; messages counts its transactions.
	begun    time.Time
	messages int
	// lost: it is not to be kept, whatever the server says.
	lost bool
	// timer ends it while it is idle; nil before it is set.
	timer *time.Timer
}

// used reports whether it has carried a transaction before.
func (t *talk) used() bool { return t.messages > 0 }

// part ends the conversation in good order, unless the server has ended it by
// then; the result is what was met.
func (t *talk) part(ctx context.Context) smtpclient.Result {
	if quiet, said := t.Quiet(ctx); !quiet {
		t.Quit(ctx) // which only closes it
		return said
	}
	return t.Quit(ctx)
}
