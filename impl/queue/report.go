package queue

import (
	"fmt"

	"github.com/postonce/postonce/impl/dsn"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// reports reports whether somebody is to be told that the recipient has ended so:
// the sender, or the postmaster. The null sender never is (RFC 5321 section 4.5.5).
func (q *Queue) reports(m *message, r *Recipient, state spec.RecipientState) bool {
	return state.Reportable() && r.Asked.Notify.Failure() && q.policy.Reader(m.entry.Sender, r.Address) != ""
}

// untold says of a recipient of the null sender's mail that ended, why nobody is
// told; nothing when somebody is, or there is nothing to tell.
func (q *Queue) untold(m *message, r *Recipient) []spec.Fact {
	if !r.State.Reportable() || !r.Asked.Notify.Failure() || q.policy.Reader(m.entry.Sender, r.Address) != "" {
		return nil
	}
	why := "the mail is from the null sender, and no postmaster is set"
	if q.policy.Postmaster != "" {
		why = "the mail is from the null sender, and to the postmaster"
	}
	return []spec.Fact{{
		Kind: spec.FactUntold, Message: m.entry.Message, Queue: m.entry.ID, To: []string{r.Address}, State: r.State, Text: why,
	}}
}

// relayed reports whether the sender is to be told of a success: who asked for
// that hears of it from the last server that knows how to tell, which is this
// one when the next does not (RFC 3461 section 5.2.2).
func (q *Queue) relayed(m *message, r *Recipient, res Result) bool {
	return r.State == spec.Delivered && res.Relayed && m.entry.Sender != "" && r.Asked.Notify.Success()
}

// delayed reports whether the sender is to be told now that a recipient has not
// got the mail yet (RFC 3461 section 5.2.5): once, at the end of the first
// attempt that fails after the time for it. Not of one that was in doubt, who may
// have got it, nor of one that an operator holds back.
func (q *Queue) delayed(m *message, r *Recipient) bool {
	after := q.policy.DelayWarningFor(q.dest(m, r))
	return r.State == spec.Queued && m.entry.Sender != "" && r.Asked.Notify.Delay() && !r.Warned && !r.Doubted && !r.Parked &&
		after > 0 && q.clock.now() >= m.entry.Submitted.Add(after)
}

// report makes the delivery status notification that outcomes make due: a
// message like any other, from the null sender, stored in the same batch as
// the outcomes, so that neither exists without the other.
func (q *Queue) report(c *commit, m *message, reported []*Recipient, e Settle) []seam.Op {
	now := q.clock.now()
	id := e.Fresh
	reader := q.policy.Reader(m.entry.Sender, reported[0].Address) // all have the same
	r := dsn.Report{
		ID: id, MessageID: fmt.Sprintf("%s@%s", id, q.policy.Hostname), Hostname: q.policy.Hostname, To: reader, Date: q.clock.shown,
		Notice: m.entry.Sender == "",
		Original: dsn.Original{
			Queue: m.entry.ID, MessageID: m.entry.Message, Arrival: m.entry.Submitted, Header: e.Header,
			Whole:      e.Whole && !m.entry.Needs.Has(spec.NeedTLS), // RFC 8689 section 5
			EnvelopeID: m.entry.Tracking.EnvelopeID,
		},
	}
	for _, p := range reported {
		t := p.Last
		one := dsn.Recipient{
			Address: p.Address, Original: p.Asked.Original, State: p.State, Status: dsn.Status(p.State, t.Stage, t.Event, t.Reply),
			Diagnostic: diagnostic(t), RemoteMTA: t.Host, LastAttempt: t.At, Again: p.Doubted,
		}
		if p.State == spec.Queued {
			one.Until = q.expires(m, q.dest(m, p))
		}
		r.Recipients = append(r.Recipients, one)
	}
	content := r.Content()
	entry := Entry{ID: id, Message: r.MessageID, Size: int64(len(content)), Submitted: now, Needs: m.entry.Needs & spec.NeedTLS}
	if r.International() {
		entry.Needs, entry.Body8Bit = entry.Needs|spec.NeedUTF8, true
	}
	n := q.newMessage(entry, []string{reader}, nil)
	for _, said := range [...]spec.RecipientState{0, spec.Queued, spec.Delivered} {
		f := spec.Fact{Kind: spec.FactReport, Message: r.MessageID, Queue: id, From: reader, State: said, Text: string(m.entry.ID)}
		for _, p := range reported {
			if p.State == said || p.State.Reportable() && said == 0 {
				f.To = append(f.To, p.Address)
			}
		}
		if len(f.To) > 0 {
			c.facts = append(c.facts, f)
		}
	}
	c.facts = append(c.facts, q.queued(n))
	ops := q.put(c, n)
	for i := 0; len(content) > 0; i++ {
		chunk := content[:min(len(content), seam.ChunkBytes)]
		content = content[len(chunk):]
		ops = append(ops, seam.Op{Key: seam.ChunkKey(id, i), Value: chunk})
	}
	return ops
}

// diagnostic is the Diagnostic-Code of RFC 3464 section 2.3.6: a server's own
// words under the type that RFC 3461 section 9.2 gives them.
func diagnostic(t Trouble) string {
	if t.Reply.Code != 0 {
		return "smtp; " + t.Reply.String()
	}
	return t.Text
}
