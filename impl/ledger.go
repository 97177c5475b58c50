package impl

import (
	"bytes"
	"context"

	"github.com/postonce/postonce/impl/delivery"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A ledger is the core as a delivery sees it.
type ledger struct{ relay *Relay }

// Intend stores that the final dot is about to leave.
func (l ledger) Intend(_ context.Context, job delivery.Job, host string, to []string) error {
	return l.relay.actor.ask(queue.Intend{Job: job.ID, Host: host, To: to})
}

// Settle stores what a delivery has come to.
func (l ledger) Settle(_ context.Context, job delivery.Job, results []delivery.Result, last bool) error {
	e := queue.Settle{Job: job.ID, Last: last}
	report := false
	for _, res := range results {
		report = report || res.Verdict != spec.Proceed
		e.Results = append(e.Results, queue.Result{
			Recipient: res.Recipient, Verdict: res.Verdict, Broken: res.Broken,
			Trouble: queue.Trouble{Host: res.Host, Stage: res.Stage, Event: res.Event, Reply: res.Reply, Text: res.Text},
		})
	}
	if report && job.Sender != "" {
		e.Header, e.Fresh = l.relay.header(job.Queue), l.relay.ids.next()
	}
	return l.relay.actor.ask(e)
}

// close ends recipients without a conversation.
func (r *Relay) close(c queue.Close) {
	// The core stores the results or halts; either way nobody waits for more.
	_ = r.actor.ask(queue.Settle{Job: c.Job, Last: true, Header: r.header(c.ID), Fresh: r.ids.next()})
}

// headerBytes bounds how much of an original a report quotes.
const headerBytes = 16 << 10

// header reads the header of a message for a report. What cannot be read is
// not quoted; the report is due all the same.
func (r *Relay) header(id spec.QueueID) []byte {
	chunk, err := r.host.Store.Get(seam.ChunkKey(id, 0))
	if err != nil {
		return nil
	}
	if end := bytes.Index(chunk, []byte("\r\n\r\n")); end >= 0 {
		chunk = chunk[:end+2]
	}
	return chunk[:min(len(chunk), headerBytes)]
}
