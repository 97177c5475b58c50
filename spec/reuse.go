package spec

import (
	"fmt"
	"net/netip"
	"time"
)

// Reuse bounds for how long, and how often, a connection is used again for
// another message (RFC 5321 section 3.1 has a session carry any number).
type Reuse struct {
	// Messages caps the transactions that one connection carries.
	Messages int
	// Age is how old a connection is at most when another attempt takes it up.
	Age time.Duration
	// Idle is how long it is kept open when nobody needs it.
	Idle time.Duration
	// Kept caps the connections that are kept at once, KeptPerDestination those
	// of one destination. 0 keeps none: every attempt makes its own.
	Kept, KeptPerDestination int
}

// DefaultReuse returns what suits mail that comes in bursts: a server's socket
// is worth more than what may come in a minute.
func DefaultReuse() Reuse {
	return Reuse{Messages: 100, Age: 5 * time.Minute, Idle: 2 * time.Second, Kept: 100, KeptPerDestination: 10}
}

// Validate returns an error when a bound makes no sense.
func (r Reuse) Validate() error {
	switch {
	case r.Messages < 1:
		return fmt.Errorf("messages of a connection: %d is less than 1", r.Messages)
	case r.Kept < 0:
		return fmt.Errorf("connections that are kept: %d is less than 0", r.Kept)
	case r.KeptPerDestination < 0:
		return fmt.Errorf("connections that are kept per destination: %d is less than 0", r.KeptPerDestination)
	case r.Idle <= 0:
		return fmt.Errorf("how long a connection is kept: %v is not positive; to keep none, keep 0 connections", r.Idle)
	case r.Age < r.Idle:
		return fmt.Errorf("age of a connection: %v is less than the %v for which it is kept", r.Age, r.Idle)
	}
	return nil
}

// A Duty is what the policy asks of a conversation. Mail may go over a
// connection that was made for other mail when the duty is the same.
type Duty struct {
	Level TLSLevel
	// Names are those of which the certificate must have one, with "|" between
	// them; none where the level does not ask for it.
	Names string
	// User is whose login the connection has; empty for none. Who is not let in
	// may be spoken with otherwise, and mail that has no login has no business on
	// a connection that has one.
	User string
	// Chunking is true where BDAT may be said.
	Chunking bool
	// Source is the address that the connection comes from, invalid for any.
	Source netip.Addr
}

// DutyFor returns the duty of mail for a destination at a host at an address, where
// the level is that of the mail (TLSLevelFor).
func (p Policy) DutyFor(level TLSLevel, destination, host string, at netip.Addr) Duty {
	d := Duty{Level: level, Source: p.SourceFor(destination, host, at)}
	if d.Level == TLSVerified {
		for _, name := range p.TLSNames(destination, host) {
			d.Names += name + "|"
		}
	}
	if l, ok := p.LoginFor(destination, host); ok {
		d.User = l.User
	}
	d.Chunking = p.ChunkingFor(destination, host)
	return d
}
