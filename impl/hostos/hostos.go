// Package hostos is the operating system behind the relay's seams: TCP, DNS
// servers, goroutines and randomness of a real machine.
package hostos

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Config says what New cannot find out by itself. Only Store is needed.
type Config struct {
	// Store is the spool's disk.
	Store seam.Store
	// Resolvers are the recursive DNS servers, in the order in which they are
	// asked, each an IP address with or without a port. When empty, they are
	// those of ResolvConf as it is when New is called.
	Resolvers []string
	// ResolvConf is the path of a resolv.conf(5) file; empty means
	// /etc/resolv.conf.
	ResolvConf string
	// ResolverTimeout limits each try to ask one server; 0 means 3 seconds.
	ResolverTimeout time.Duration
	// Seed makes the random streams repeatable; 0 takes a new seed from the
	// operating system. No secret comes from these streams, but nonces do.
	Seed uint64
	// Note takes the relay's facts; nil drops them. It must be safe for
	// concurrent use. See LogNote.
	Note func(spec.Fact)
}

// New returns the machine that the process runs on as a seam.Host. The error
// says what is wrong with the configuration.
func New(cfg Config) (seam.Host, error) {
	servers, err := nameServers(cfg.Resolvers, cfg.ResolvConf)
	if err != nil {
		return seam.Host{}, err
	}
	exchanger := &exchanger{servers: servers, try: cfg.ResolverTimeout}
	if exchanger.try <= 0 {
		exchanger.try = defaultTry
	}
	return seam.Host{
		Dial:     dial,
		Listen:   func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) },
		Exchange: exchanger.exchange,
		Store:    cfg.Store,
		Start:    func(f func()) { go f() },
		Random:   streams(cfg.Seed),
		Note:     stamped(cfg.Note),
	}, nil
}

// dial connects by TCP. It takes addresses only: a name would be looked up by
// the system's own rules, past Exchange.
func dial(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return nil, fmt.Errorf("dial %q: not an IP address and port", addr)
	}
	var d net.Dialer
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn{c.(*net.TCPConn)}, nil
}

// A conn is a connection that can be peeked at (seam.Peeker).
type conn struct{ *net.TCPConn }

// Readable implements seam.Peeker. What the system cannot say counts as no.
func (c conn) Readable() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	yes := false
	// Control, not Read: that would look at the deadline first, and could wait.
	err = raw.Control(func(fd uintptr) { yes = readable(fd) })
	return err == nil && yes
}

// streams returns the source of named random streams that Host.Random is. A
// stream depends on the seed and its name alone, whatever else was drawn. With
// a seed from the operating system nobody can tell what one will draw, whatever
// he has seen of it or of others: nonces of logins come from there.
func streams(seed uint64) func(name string) *rand.Rand {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	if seed == 0 {
		_, _ = cryptorand.Read(key[:]) // never fails: it ends the process first
	}
	return func(name string) *rand.Rand {
		return rand.New(rand.NewChaCha8(sha256.Sum256(append(key[:], name...))))
	}
}

// stamped returns a sink that says when and by whom a fact was noted.
func stamped(note func(spec.Fact)) func(spec.Fact) {
	if note == nil {
		return func(spec.Fact) {}
	}
	return func(f spec.Fact) {
		f.At, f.Actor = spec.WallOf(time.Now()), spec.ActorRelay
		note(f)
	}
}
