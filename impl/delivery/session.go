package delivery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

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
	// fresh: it is to be over a connection of its own, not one that was kept.
	fresh bool
}

// A lost session is one in which TLS failed, and for whom it was.
type lost struct {
	hop
	to []string
}

// sessions holds as many conversations at one address as it takes for those in
// queue. Only the first may be one that was kept: what a server does to it costs
// one connection more, and not one for each that is kept.
func (a *attempt) sessions(ctx context.Context, h hop, queue []string) {
	for ; len(queue) > 0; h.fresh = true {
		queue = a.session(ctx, h, queue)
	}
}

// session holds one conversation with a server, for the recipients in queue. It
// returns those who should be tried there again, over another connection: who was
// never asked about, or was one too many, when the server takes no further
// transaction on this one. They are fewer than queue, unless the first of these
// transactions was another attempt's.
func (a *attempt) session(ctx context.Context, h hop, queue []string) (again []string) {
	host := h.Host
	t, r := a.converse(ctx, h)
	if t == nil {
		a.take(repeat(r, queue))
		return nil
	}
	defer a.leave(ctx, t)
	if !t.used() {
		if hello := t.Hello(ctx); !hello.OK() {
			t.lost = true
			a.take(repeat(a.result(host, hello), queue))
			a.withoutTLS(lost{h, queue}, hello)
			return nil
		}
	}
	for len(queue) > 0 {
		used := t.used()
		now, later := t.Fit(queue, max(1, a.d.Policy.Limits.RecipientsPerTransaction))
		if len(now) == 0 {
			t.lost = true
			return queue
		}
		results := a.transact(ctx, t, host, now)
		if used && hungUp(results[0]) {
			t.lost = true
			return queue
		}
		a.opened = a.opened || !shutOut(results)
		t.lost = t.lost || refused(results)
		queue = append(a.tooMany(results), later...)
		a.take(results)
		if dotLeft(results) {
			// At once: the longer it takes to store a reply, the likelier a
			// crash makes a doubt of it.
			a.record(ctx)
		}
		if a.stop != nil || broken(results) {
			return nil
		}
		if len(queue) > 0 && (t.messages >= max(1, a.d.Policy.Reuse.Messages) || !a.ready(ctx, t)) {
			return queue
		}
	}
	return nil
}

// chunkBytes is how large a chunk may be that is sent to a host; 0 is never to
// send one.
func (a *attempt) chunkBytes(host string) int64 {
	if !a.d.Policy.ChunkingFor(a.job.Dest, host) {
		return 0
	}
	return a.d.Policy.Limits.ChunkBytes
}

// tooMany returns who goes into another transaction. There is one only when
// somebody was taken in this one, or it would have no end, and when it did not
// end with the connection: else they wait, as after any other 4yz.
func (a *attempt) tooMany(results []Result) (again []string) {
	for _, r := range results {
		if r.Verdict == spec.NextTransaction {
			again = append(again, r.Recipient)
		}
	}
	if a.stop == nil && !broken(results) && len(again) < len(results) {
		return again
	}
	for i, r := range results {
		if r.Verdict == spec.NextTransaction {
			results[i].Event, results[i].Verdict = spec.Reply4, spec.Decide(spec.StageRCPT, spec.Reply4).Verdict
		}
	}
	return nil
}

// converse returns a conversation with a next hop: one that was kept, or on a
// connection that it makes; or what stood against that.
func (a *attempt) converse(ctx context.Context, h hop) (*talk, Result) {
	p, key := a.d.Policy, Key{h.Name, h.addr, a.d.Policy.DutyFor(a.level(h), a.job.Dest, h.Name, h.addr.Addr())}
	if t := a.d.Pool.take(ctx, key, a.job.Dest, h.fresh || h.clear); t != nil {
		a.talking = t.session
		a.note(spec.Fact{Kind: spec.FactReuse, Host: h.Name, Addr: h.addr.String()})
		return t, Result{}
	}
	conn, r := a.dial(ctx, h)
	if conn == nil {
		a.d.Pool.leave(a.job.Dest)
		return nil, r
	}
	c := smtpclient.New(conn, smtpclient.Options{
		Hostname: p.Hostname, Host: h.Name, Timeouts: p.Timeouts, ReplyBytes: p.Limits.ReplyBytes,
		TLS: a.tls(h), Login: a.login(h), ChunkBytes: a.chunkBytes(h.Name), OneByOne: a.d.Pool.isWary(h.addr),
	})
	a.talking = conn.LocalAddr().String()
	return &talk{Client: c, key: key, dest: a.job.Dest, session: a.talking, begun: time.Now(), lost: h.clear}, r
}

// ready makes a conversation ready for another transaction, and reports whether
// it is.
func (a *attempt) ready(ctx context.Context, t *talk) bool {
	ready, rset := t.Ready(ctx)
	a.aside(t.key.Host, rset)
	return ready
}

// leave ends a conversation as far as this attempt goes: it is kept for the
// next one, or over.
func (a *attempt) leave(ctx context.Context, t *talk) {
	if len(a.open) == 0 {
		a.record(ctx) // A crash while a server is slow to answer RSET or QUIT repeats nothing.
	}
	if a.stop == nil && ctx.Err() == nil && a.d.Pool.wants(t) && a.ready(ctx, t) && a.keep(t) {
		a.talking = ""
		return
	}
	a.aside(t.key.Host, t.Quit(ctx))
	a.d.Pool.leave(t.dest)
	a.talking = ""
}

// keep gives a conversation to the pool, if that takes it.
func (a *attempt) keep(t *talk) bool {
	return a.d.Pool.keep(t, a.about(spec.Fact{
		Kind: spec.FactIdle, Host: t.key.Host, Addr: t.key.Addr.String(), Count: int64(t.messages),
	}))
}

// level is that of TLS at a next hop.
func (a *attempt) level(h hop) spec.TLSLevel {
	return a.d.Policy.TLSLevelFor(a.job.Sender, a.job.Needs, a.job.Dest, h.Name)
}

// tls returns how far the conversation with a next hop must be encrypted.
func (a *attempt) tls(h hop) smtpclient.TLS {
	p, dest := a.d.Policy, a.job.Dest
	level := a.level(h)
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
func (a *attempt) transact(ctx context.Context, t *talk, host route.Host, to []string) []Result {
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
	t.messages++
	sent := t.Send(ctx, smtpclient.Transaction{
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
	defer func() {
		if t.Pipelines() && brokenEnvelope(t, results) {
			a.d.Pool.beWary(t.key.Addr)
		}
	}()
	for i, r := range sent {
		results[i] = a.result(host, r)
		results[i].Recipient = to[i]
		results[i].Relayed = r.OK() && !t.TakesDSN()
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
//
// 530 from a host that the operator gave is no word about the mail: the server
// wants a login, or another one (RFC 4954 section 6).
func (a *attempt) result(host route.Host, r smtpclient.Result) Result {
	envelope := r.Stage == spec.StageMAIL || r.Stage == spec.StageRCPT || r.Stage == spec.StageDATA
	if envelope && r.Reply.Code == spec.ReplyAuthRequired && a.d.Policy.GivesFor(a.job.Dest, host.Name) {
		r.Stage = spec.StageAUTH
	}
	a.alarm(host, r)
	verdict := spec.Decide(r.Stage, r.Event).Verdict
	if r.Err != nil {
		a.stop, verdict = r.Err, spec.Defer
	}
	return Result{Verdict: verdict, Stage: r.Stage, Event: r.Event, Reply: r.Reply, Host: host.Name, Text: r.Text, Broken: brokenOff(r.Err)}
}

// dial connects, or returns what stood against it.
func (a *attempt) dial(ctx context.Context, h hop) (net.Conn, Result) {
	host, addr := h.Host, h.addr
	if ctx.Err() != nil { // while it waited for a place
		return nil, a.cutOff(ctx, host)
	}
	f := spec.Fact{Kind: spec.FactDial, Host: host.Name, Addr: addr.String()}
	if h.clear {
		f.Text = "in clear, for TLS has failed"
	}
	a.note(f)
	within, cancel := context.WithTimeout(ctx, a.d.Policy.Timeouts.Connect)
	defer cancel()
	conn, err := a.d.Dial(within, a.d.Policy.SourceFor(a.job.Dest, h.Name, addr.Addr()), addr.String())
	if err == nil {
		return conn, Result{}
	}
	r := Result{Stage: spec.StageConnect, Event: spec.Refused, Host: host.Name, Text: addr.String() + ": " + plain(err)}
	var slow net.Error
	switch {
	case ctx.Err() != nil:
		r = a.cutOff(ctx, host)
		r.Text = addr.String() + ": " + plain(err)
		return nil, r
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout():
		r.Event, r.Text = spec.Timeout, fmt.Sprintf("%v: no connection within %v", addr, a.d.Policy.Timeouts.Connect)
	case errors.Is(err, syscall.ECONNRESET):
		r.Event = spec.Cut
	}
	r.Verdict = spec.Decide(r.Stage, r.Event).Verdict
	return nil, r
}

// cutOff is what comes of connecting when this side ends the attempt.
func (a *attempt) cutOff(ctx context.Context, host route.Host) Result {
	a.stop = fmt.Errorf("broken off: %w", context.Cause(ctx))
	return Result{
		Verdict: spec.Defer, Stage: spec.StageConnect, Event: spec.Cut, Host: host.Name, Text: a.stop.Error(), Broken: brokenOff(a.stop),
	}
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
// the transaction, or holds (503) that another one is under way. On one that was
// used before this says only that it takes so many messages a connection.
func hungUp(r Result) bool {
	gone := r.Verdict == spec.NextHost && (r.Event == spec.Cut || r.Event == spec.Reply421)
	return r.Stage == spec.StageMAIL && (gone || r.Reply.Code == 503)
}

// refused reports whether the server would rather have had somebody else asked.
func refused(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Verdict == spec.NextHost })
}

func dotLeft(results []Result) bool {
	for _, r := range results {
		if r.Stage == spec.StageDot {
			return true
		}
	}
	return false
}

// shutOut reports whether a server takes nothing from who has not logged in, or
// has no answer to MAIL: then it has not opened a session that is of any use.
func shutOut(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool {
		mute := r.Stage == spec.StageMAIL && (r.Event == spec.Cut || r.Event == spec.Timeout)
		return r.Stage != spec.StageAUTH && !mute
	})
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
