package impl

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/postonce/postonce/impl/delivery"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
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
		asked := spec.AskedOf(job.Asked, slices.Index(job.Recipients, res.Recipient))
		told := l.relay.config.Policy.Reader(job.Sender, res.Recipient) != ""
		report = report || told && (res.Verdict != spec.Proceed || res.Relayed && asked.Notify.Success())
		e.Results = append(e.Results, queue.Result{
			Recipient: res.Recipient, Verdict: res.Verdict, Relayed: res.Relayed, Unreached: res.Unreached, Broken: res.Broken,
			Trouble: queue.Trouble{Host: res.Host, Stage: res.Stage, Event: res.Event, Reply: res.Reply, Text: res.Text},
		})
	}
	if report {
		e.Header, e.Whole = l.relay.original(job.Queue, job.Size, spec.Returned(job.Sender, job.Tracking))
		e.Fresh = l.relay.ids.next()
	}
	return l.relay.actor.ask(e)
}

// close ends recipients without a conversation.
func (r *Relay) close(c queue.Close) {
	// The core stores the results or halts; either way nobody waits for more.
	_ = r.actor.ask(r.closed(c))
}

// closed is the answer to a Close.
func (r *Relay) closed(c queue.Close) queue.Settle {
	e := queue.Settle{Job: c.Job, Last: true}
	e.Header, e.Whole = r.original(c.ID, c.Size, c.Return)
	e.Fresh = r.ids.next()
	return e
}

// wholeBytes bounds the messages that a report gives back whole: those of many
// reports are in memory at once, and a report is stored in one batch.
const wholeBytes = 256 << 10

// original reads what a report gives back of a message: its header, or all of it
// when that was asked for (RFC 3461 section 4.3) and it is not too large.
func (r *Relay) original(id spec.QueueID, size int64, wanted spec.Return) (content []byte, whole bool) {
	if wanted == spec.ReturnFull && size > 0 && size <= wholeBytes {
		content, err := io.ReadAll(spool.Body(r.host.Store, id, size))
		if err == nil {
			return content, true
		}
	}
	return r.header(id, size), false
}

// headerBytes bounds how much of an original a report quotes.
const headerBytes = 16 << 10

// header reads the header of a message for a report. What cannot be read is
// not quoted, and no part of a field that is not there to its end; the report is
// due all the same.
func (r *Relay) header(id spec.QueueID, size int64) []byte {
	chunk, err := r.host.Store.Get(seam.ChunkKey(id, 0))
	if err != nil {
		return nil
	}
	whole := int64(len(chunk)) == size
	if end := bytes.Index(chunk, []byte("\r\n\r\n")); end >= 0 {
		chunk, whole = chunk[:end+2], true
	}
	if whole && len(chunk) <= headerBytes {
		return chunk
	}
	return wholeFields(chunk[:min(len(chunk), headerBytes)])
}

// wholeFields returns a header without its last field, the end of which may be
// missing.
func wholeFields(header []byte) []byte {
	for end := len(header); ; {
		end = bytes.LastIndex(header[:end], []byte("\r\n"))
		if end < 0 {
			return nil
		}
		if next := header[end+2:]; len(next) > 0 && next[0] != ' ' && next[0] != '\t' {
			return header[:end+2]
		}
	}
}
