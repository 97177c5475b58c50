// Package delivery carries out one delivery attempt: one message to its
// recipients at one destination. It finds the next hops, goes through their
// addresses in order, holds a conversation with each until every recipient has
// a result, and records results with the queue.
//
// The verdict table (spec.Decide) says what each thing met means. What this
// package adds is its order:
//
//   - NextHost leaves a recipient for the next address; any other verdict is
//     the recipient's result, and no other server hears of it in this attempt.
//     So after a final dot nobody else is ever asked for the same recipient.
//   - Before a final dot leaves, the intent is durable. A recipient with an
//     intent goes to no other host in the same attempt, dot or not.
//   - After the reply to the dot, the results are recorded before anything else
//     is said; and when everybody has one, before QUIT.
//   - Where TLS fails, the next host is asked. When none is left, and policy
//     allows it, those are asked again in clear, in the same order.
//   - Where a login fails, the next host is asked, whatever the server says; and
//     somebody is told of it (Deliverer.Alarm).
//   - A conversation that was left in good order is kept (Pool), and taken up
//     where the next attempt would dial the same address for the same mail. What
//     a server does to it before it has answered MAIL costs a dial, and nothing
//     else.
//   - A server that breaks the connection within a pipelined envelope is spoken
//     to one command at a time from the next attempt on, for a day.
//   - When no next hop is left, the most telling trouble defers what is left;
//     unless no next hop has an address at all, which fails it (RFC 5321
//     section 5.1), or each has shown that it does not offer what the message
//     needs.
package delivery

import (
	"context"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"

	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/spec"
)

// A Job is one delivery attempt.
type Job struct {
	// ID is unique within a process.
	ID string
	// Queue is the message's queue ID, Message its Message-ID.
	Queue   spec.QueueID
	Message string
	// Dest is the destination (spec.Policy.Destination).
	Dest string
	// Attempt counts from 1.
	Attempt int
	// Sender is the reverse-path, empty for the null sender; Recipients are
	// the forward-paths, different from each other. Both without brackets.
	Sender     string
	Recipients []string
	// Size is the content's size in bytes, 0 when it is not known.
	Size     int64
	Body8Bit bool
	// Needs is what else a server has to offer.
	Needs spec.Needs
	// Tracking and Asked are what the sender wants to be told, of the message and
	// of each of the Recipients, in their order; Asked may be shorter.
	Tracking spec.Tracking
	Asked    []spec.Asked
}

// A Result is what one transaction, or the whole attempt, means for one
// recipient.
type Result struct {
	Recipient string
	// Verdict is Proceed for delivered, Defer, FailRecipient, FailMessage or
	// InDoubt.
	Verdict spec.Verdict
	// Stage and Event say what was met, Reply what the server said. A refusal
	// of our own is a NotOffered, or for bad syntax a Reply5, whose Reply has no
	// Code, only the Enhanced status code.
	Stage spec.Stage
	Event spec.Event
	Reply spec.Reply
	// Host is the server's name, empty when there was none.
	Host string
	// Text says more when there was no reply.
	Text string
	// Relayed is true for one that a server without DSN took: of its success the
	// sender will hear from nobody else (RFC 3461 section 5.2.2).
	Relayed bool
	// Unreached is true when no server at the destination opened a session in the
	// whole attempt, or none of them took our login: that says more about the destination than about anybody.
	Unreached bool
	// Broken is true when the attempt was broken off from outside, before a
	// final dot: that says nothing about anybody.
	Broken bool
}

// A Ledger is the queue as one delivery sees it: the core behind it in the
// relay, a recorder in tests.
type Ledger interface {
	// Intend stores durably that the final dot for these recipients is about
	// to leave to host. After nil it may leave.
	Intend(ctx context.Context, job Job, host string, recipients []string) error
	// Settle stores results durably: after the reply to each final dot, and
	// once more with last set for what is left, which may be nothing. The
	// context it is given is never done: what is known must not be lost. What
	// could not be settled comes again with the next call.
	Settle(ctx context.Context, job Job, results []Result, last bool) error
}

// A Deliverer carries out jobs. It keeps nothing between them but what its Pool
// keeps, and may be used by many goroutines at once when its parts may.
type Deliverer struct {
	Policy spec.Policy
	// Dial connects from an address to an IP address and port (seam.Host.Dial).
	Dial     func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error)
	Resolver *resolve.Client
	// Pool keeps conversations from one job to the next; nil keeps none.
	Pool *Pool
	// Roots returns the authorities whose certificates are trusted
	// (seam.Host.Roots).
	Roots func() *x509.CertPool
	// Secret returns the secret of the login for a host (seam.Host.Secret).
	Secret func(host string) (spec.Secret, error)
	// Open returns the content of a message: lines that end in CRLF.
	Open   func(ctx context.Context, id spec.QueueID) (io.ReadCloser, error)
	Ledger Ledger
	// Note takes the facts of the attempt: route, dial, reuse, tls, login, trouble,
	// dot, idle.
	Note func(spec.Fact)
	// Alarm takes the alarms about logins, each as often as it is met.
	Alarm func(spec.Fact)
	// Random gives the streams that shuffle MX hosts of equal preference and make
	// nonces; it is called with names that have the job's ID.
	Random func(name string) *rand.Rand
}

// Deliver carries out a job in the calling goroutine. It always ends with
// exactly one Settle that has last set, and by then every recipient has been
// settled with one result.
//
// When ctx is done, recipients for whom no final dot is on its way are
// deferred at once; replies to a dot that has left are still waited for.
func (d *Deliverer) Deliver(ctx context.Context, job Job) {
	a := &attempt{d: d, job: job, open: slices.Clone(job.Recipients)}
	a.run(ctx)
	// An error is the queue's to act on; there is nobody else to tell.
	_ = a.settle(ctx, true)
}

// run goes through the next hops until nobody is open.
func (a *attempt) run(ctx context.Context) {
	if a.over(ctx) {
		return
	}
	hosts := a.hosts(ctx)
	for i, host := range hosts {
		if a.configured(host) && a.homeless {
			break // No fallback for what the DNS refuses for good.
		}
		if a.beyond(host) {
			continue
		}
		if a.spent() {
			break
		}
		addresses := a.addresses(ctx, host)
		if len(addresses) == 0 {
			// A look-up may take as long as a connection: a domain with hosts
			// without end must not hold a place without end.
			a.tried++
		}
		if most := a.share(); i+1 < len(hosts) && len(addresses) > most {
			addresses, a.lack.unasked = addresses[:most], true
		}
		for _, addr := range addresses {
			if a.spent() {
				break
			}
			a.tried++
			a.lack.ask(hop{Host: host, addr: addr})
			a.sessions(ctx, hop{Host: host, addr: addr}, slices.Clone(a.open))
			if a.over(ctx) {
				return
			}
		}
		if a.over(ctx) {
			return
		}
	}
	a.inClear(ctx)
	if !a.over(ctx) {
		a.exhausted()
	}
}

// inClear asks those again with whom TLS failed, over connections of their own,
// for those for whom it failed there: what the others heard was an answer.
// TLS that is not required protects against who listens, not against who stands
// in between and can break it (RFC 7435 section 3): mail that did not go because
// of it would be lost without anybody being safer.
func (a *attempt) inClear(ctx context.Context) {
	for _, l := range a.failedTLS {
		l.clear = true
		a.lack.here = place{l.Name, l.addr}
		a.sessions(ctx, l.hop, slices.DeleteFunc(slices.Clone(l.to), func(to string) bool { return !slices.Contains(a.open, to) }))
		if a.over(ctx) {
			return
		}
	}
}

// share is how many addresses a host may have tried while others come after
// it: half of what is left, so that one with addresses without end does not
// keep the attempt from the next.
func (a *attempt) share() int { return (max(1, a.d.Policy.Limits.NextHops) - a.tried + 1) / 2 }

// spent reports whether the attempt has tried as much as it may.
func (a *attempt) spent() bool {
	if a.tried < max(1, a.d.Policy.Limits.NextHops) {
		return false
	}
	a.homeless = false // The hosts that were not looked at may have an address.
	a.lack.unasked = true
	return true
}
