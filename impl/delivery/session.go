package delivery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/spec"
)

// A hop is one address of a next hop.
type hop struct {
	route.Host
	addr netip.AddrPort
	// clear: the conversation is to be in clear, for TLS has failed.
	clear bool
}

// A lost session is one in which TLS failed, and for whom it was.
type lost struct {
	hop
	to []string
}

// session holds one conversation with a server, for the recipients in queue. It
// returns those who should be tried there again, over another connection: not
// more than were never asked about, because the server ended the connection
// between two transactions. It is always shorter than queue.
func (a *attempt) session(ctx context.Context, h hop, queue []string) (again []string) {
	host := h.Host
	conn, r := a.dial(ctx, h)
	if conn == nil {
		a.take(repeat(r, queue))
		return nil
	}
	c := smtpclient.New(conn, smtpclient.Options{
		Hostname: a.d.Policy.Hostname, Host: host.Name, Timeouts: a.d.Policy.Timeouts, ReplyBytes: a.d.Policy.Limits.ReplyBytes,
		TLS: a.tls(h),
	})
	a.talking = conn.LocalAddr().String()
	defer func() {
		if len(a.open) == 0 {
			a.record(ctx) // A crash while a server is slow to answer QUIT repeats nothing.
		}
		a.aside(host, c.Quit(ctx))
		a.talking = ""
	}()
	if hello := c.Hello(ctx); !hello.OK() {
		a.take(repeat(a.result(host, hello), queue))
		a.withoutTLS(lost{h, queue}, hello)
		return nil
	}
	for first := true; len(queue) > 0; first = false {
		n := min(len(queue), max(1, a.d.Policy.Limits.RecipientsPerTransaction))
		results := a.transact(ctx, c, host, queue[:n])
		if !first && hungUp(results[0]) {
			return queue
		}
		a.take(results)
		queue = queue[n:]
		if dotLeft(results) {
			// At once: the longer it takes to store a reply, the likelier a
			// crash makes a doubt of it.
			a.record(ctx)
		}
		if a.stop != nil || broken(results) {
			return nil
		}
		if len(queue) > 0 {
			ready, rset := c.Ready(ctx)
			a.aside(host, rset)
			if !ready {
				return queue
			}
		}
	}
	return nil
}

// tls returns how far the conversation with a next hop must be encrypted.
func (a *attempt) tls(h hop) smtpclient.TLS {
	p, dest := a.d.Policy, a.job.Dest
	level := p.TLSLevelFor(a.job.Sender, a.job.Needs, dest, h.Name)
	if h.clear || level == spec.TLSOff {
		return smtpclient.TLS{}
	}
	return smtpclient.TLS{Level: level, Names: p.TLSNames(dest, h.Name), Roots: a.d.Roots, Done: func(s smtpclient.Secured) {
		f := spec.Fact{Kind: spec.FactTLS, Host: h.Name, Name: s.ServerName, Text: s.Version}
		if s.Verified != "" {
			f.Names = []string{s.Verified}
		}
		a.note(f)
	}}
}

// withoutTLS remembers a session in which TLS failed, if its mail may go in
// clear. A server that closes for now (421) did not speak of TLS.
func (a *attempt) withoutTLS(l lost, r smtpclient.Result) {
	failed := r.Err == nil && r.Event != spec.Reply421 && (r.Stage == spec.StageSTARTTLS || r.Stage == spec.StageHandshake)
	if failed && a.tls(l.hop).Level == spec.TLSOpportunistic {
		a.failedTLS = append(a.failedTLS, l)
	}
}

// transact carries out one transaction.
func (a *attempt) transact(ctx context.Context, c *smtpclient.Client, host route.Host, to []string) []Result {
	body, err := a.d.Open(ctx, a.job.Queue)
	if err != nil {
		a.stop = fmt.Errorf("the message cannot be opened: %w", err)
		return repeat(Result{Verdict: spec.Defer, Stage: spec.StageMAIL, Event: spec.Cut, Host: host.Name, Text: a.stop.Error()}, to)
	}
	defer body.Close()
	pick := func(indices []int) []string {
		picked := make([]string, len(indices))
		for i, index := range indices {
			picked[i] = to[index]
		}
		return picked
	}
	intended := map[int]bool{}
	sent := c.Send(ctx, smtpclient.Transaction{
		Sender: a.job.Sender, Recipients: to, Size: a.job.Size, Body8Bit: a.job.Body8Bit, Needs: a.job.Needs, Body: body,
		Tracking: a.tracking(), Asked: a.asked(to),
		Commit: func(accepted []int) error {
			for _, index := range accepted {
				intended[index] = true
			}
			return a.d.Ledger.Intend(ctx, a.job, host.Name, pick(accepted))
		},
		Dot: func(accepted []int) {
			a.note(spec.Fact{Kind: spec.FactDot, Host: host.Name, To: pick(accepted)})
		},
	})
	results := make([]Result, len(to))
	for i, r := range sent {
		results[i] = a.result(host, r)
		results[i].Recipient = to[i]
		results[i].Relayed = r.OK() && !c.TakesDSN()
		if intended[i] && results[i].Verdict == spec.NextHost {
			// The intent names this host, and an attempt has one at most.
			results[i].Verdict = spec.Defer
		}
	}
	return results
}

// tracking returns what the sender wants to be told of the message. Of one that
// requires TLS nobody gives back more than the header (RFC 8689 section 5).
func (a *attempt) tracking() spec.Tracking {
	t := a.job.Tracking
	if a.job.Needs.Has(spec.NeedTLS) && t.Return == spec.ReturnFull {
		t.Return = spec.ReturnHeaders
	}
	return t
}

// asked returns what was asked for about some of the job's recipients.
func (a *attempt) asked(to []string) []spec.Asked {
	if len(a.job.Asked) == 0 {
		return nil
	}
	all := make([]spec.Asked, len(to))
	for i, recipient := range to {
		all[i] = spec.AskedOf(a.job.Asked, slices.Index(a.job.Recipients, recipient))
	}
	return all
}

// result is what a result of the conversation means. An end for a reason of
// this side ends the attempt: no other host would do better.
func (a *attempt) result(host route.Host, r smtpclient.Result) Result {
	verdict := spec.Decide(r.Stage, r.Event).Verdict
	if r.Err != nil {
		a.stop, verdict = r.Err, spec.Defer
	}
	return Result{Verdict: verdict, Stage: r.Stage, Event: r.Event, Reply: r.Reply, Host: host.Name, Text: r.Text, Broken: brokenOff(r.Err)}
}

// dial connects, or returns what stood against it.
func (a *attempt) dial(ctx context.Context, h hop) (net.Conn, Result) {
	host, addr := h.Host, h.addr
	f := spec.Fact{Kind: spec.FactDial, Host: host.Name, Addr: addr.String()}
	if h.clear {
		f.Text = "in clear, for TLS has failed"
	}
	a.note(f)
	within, cancel := context.WithTimeout(ctx, a.d.Policy.Timeouts.Connect)
	defer cancel()
	conn, err := a.d.Dial(within, addr.String())
	if err == nil {
		return conn, Result{}
	}
	r := Result{Stage: spec.StageConnect, Event: spec.Refused, Host: host.Name, Text: addr.String() + ": " + plain(err)}
	var slow net.Error
	switch {
	case ctx.Err() != nil:
		a.stop = fmt.Errorf("broken off: %w", context.Cause(ctx))
		r.Verdict, r.Event, r.Broken = spec.Defer, spec.Cut, brokenOff(a.stop)
		return nil, r
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout():
		r.Event, r.Text = spec.Timeout, fmt.Sprintf("%v: no connection within %v", addr, a.d.Policy.Timeouts.Connect)
	case errors.Is(err, syscall.ECONNRESET):
		r.Event = spec.Cut
	}
	r.Verdict = spec.Decide(r.Stage, r.Event).Verdict
	return nil, r
}

// plain is the text of an error without what package net says before it.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return err.Error()
}

// repeat gives r to each recipient.
func repeat(r Result, to []string) []Result {
	results := make([]Result, len(to))
	for i := range to {
		results[i] = r
		results[i].Recipient = to[i]
	}
	return results
}

// hungUp reports whether the server ended the connection before it heard of
// the transaction. On one that was used before this says only that it takes
// so many messages a connection.
func hungUp(r Result) bool {
	return r.Stage == spec.StageMAIL && r.Verdict == spec.NextHost && (r.Event == spec.Cut || r.Event == spec.Reply421)
}

func dotLeft(results []Result) bool {
	for _, r := range results {
		if r.Stage == spec.StageDot {
			return true
		}
	}
	return false
}

// broken reports whether the conversation ended within the transaction.
func broken(results []Result) bool {
	for _, r := range results {
		switch r.Event {
		case spec.Reply421, spec.Malformed, spec.Timeout, spec.Cut:
			return true
		case spec.Reply3:
			if r.Stage < spec.StageDot {
				return true // Its replies are out of step.
			}
		}
		if r.Stage == spec.StageBody {
			return true // Content that was begun ends with a dot or the connection.
		}
	}
	return false
}
