package queue

import (
	"fmt"

	"github.com/postonce/postonce/impl/dsn"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// report makes the delivery status notification that outcomes make due: a
// message like any other, from the null sender, stored in the same batch as
// the outcomes, so that neither exists without the other.
func (q *Queue) report(c *commit, m *message, reported []*Recipient, e Settle) []seam.Op {
	now := q.clock.now()
	id := e.Fresh
	r := dsn.Report{
		ID: id, MessageID: fmt.Sprintf("%s@%s", id, q.policy.Hostname), Hostname: q.policy.Hostname, To: m.entry.Sender, Date: q.clock.shown,
		Original: dsn.Original{
			Queue: m.entry.ID, MessageID: m.entry.Message, Arrival: m.entry.Submitted, Header: e.Header,
		},
	}
	var to []string
	for _, p := range reported {
		t := p.Last
		r.Recipients = append(r.Recipients, dsn.Recipient{
			Address: p.Address, State: p.State, Status: dsn.Status(p.State, t.Stage, t.Event, t.Reply),
			Diagnostic: diagnostic(t), RemoteMTA: t.Host, LastAttempt: t.At, Again: p.Doubted,
		})
		to = append(to, p.Address)
	}
	content := r.Content()
	n := q.newMessage(Entry{ID: id, Message: r.MessageID, Size: int64(len(content)), Submitted: now}, []string{m.entry.Sender})
	c.facts = append(c.facts,
		spec.Fact{Kind: spec.FactReport, Message: r.MessageID, Queue: id, From: m.entry.Sender, To: to, Text: string(m.entry.ID)},
		q.queued(n))
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
