package impl

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
)

// An intake is the core as submitters see it.
type intake struct{ relay *Relay }

// NewID returns a queue ID for a message that is about to be written.
func (i intake) NewID() spec.QueueID { return i.relay.ids.next() }

// Submit makes a message exist; when it returns nil, it is durable.
func (i intake) Submit(_ context.Context, m submission.Message) error {
	return i.relay.actor.ask(queue.Submit{ID: m.ID, Envelope: m.Envelope, Message: m.MessageID, Size: m.Size, Ops: m.Ops})
}

// Submit queues a message for a Go program, as SMTP does for a client, and
// returns its queue ID when it is durable. messageID is that of the content,
// without angle brackets; content is the whole message, its lines ending in
// CRLF, read to its end. It waits for Run, and until recovery is over.
//
// What the relay would not take by SMTP is refused before content is read:
// addresses that RFC 5321 does not know, wishes that RFC 3461 does not know, too
// many recipients; and what is larger
// than a message may be while it is read. When ctx is done or the relay stops
// while content is read, Submit returns and nothing is queued; a call of
// content.Read that blocks is left alone, and its result dropped.
func (r *Relay) Submit(ctx context.Context, envelope spec.Envelope, messageID string, content io.Reader) (spec.QueueID, error) {
	envelope, err := r.check(envelope)
	if err != nil {
		return "", fmt.Errorf("not queued: %w", err)
	}
	if err := r.door.enter(ctx); err != nil {
		return "", err
	}
	defer r.door.leave()
	id := r.ids.next()
	w := spool.NewBodyWriter(r.host.Store, id)
	if err := r.copy(ctx, w, content); err != nil {
		return "", fmt.Errorf("content of %s: %w", id, errors.Join(err, w.Abandon()))
	}
	err = r.actor.ask(queue.Submit{ID: id, Envelope: envelope, Message: messageID, Size: w.Size(), Ops: w.Ops()})
	if errors.Is(err, queue.ErrRefused) {
		err = errors.Join(err, w.Abandon())
	}
	if err != nil {
		return "", fmt.Errorf("queueing %s: %w", id, err)
	}
	return id, nil
}

// check returns the envelope with its addresses in their shortest form, or why
// it cannot be taken.
func (r *Relay) check(e spec.Envelope) (spec.Envelope, error) {
	if most := r.config.Policy.Limits.RecipientsPerMessage; len(e.Recipients) == 0 || len(e.Recipients) > most {
		return e, fmt.Errorf("the message has %d recipients; it may have 1 to %d", len(e.Recipients), most)
	}
	if e.Sender != "" {
		m, err := submission.ParseMailbox(e.Sender)
		if err != nil {
			return e, fmt.Errorf("sender %q: %w", e.Sender, err)
		}
		e.Sender = m.String()
	}
	if err := e.Tracking.Validate(); err != nil {
		return e, err
	}
	if all := spec.NeedUTF8 | spec.NeedTLS; !all.Has(e.Needs) {
		return e, fmt.Errorf("the message needs what nobody knows: %v", e.Needs)
	}
	if len(e.Asked) > len(e.Recipients) {
		return e, fmt.Errorf("something is asked for about %d recipients, and the message has %d", len(e.Asked), len(e.Recipients))
	}
	for i, asked := range e.Asked {
		if err := asked.Validate(); err != nil {
			return e, fmt.Errorf("recipient %q: %w", e.Recipients[i], err)
		}
	}
	to := make([]string, len(e.Recipients))
	for i, address := range e.Recipients {
		m, err := submission.ParseMailbox(address)
		if err != nil {
			return e, fmt.Errorf("recipient %q: %w", address, err)
		}
		to[i] = m.String()
	}
	e.Recipients = to
	return e, nil
}

// A piece is what one call of Read brought.
type piece struct {
	data []byte
	err  error
}

// copy reads content to its end and writes it. Reading is another goroutine's,
// since a reader that blocks cannot be called back: it must not keep the relay
// from stopping.
func (r *Relay) copy(ctx context.Context, w io.Writer, content io.Reader) error {
	pieces, over := make(chan piece), make(chan struct{})
	defer close(over)
	r.host.Start(func() { read(content, pieces, over) })
	most := r.config.Policy.Limits.MessageBytes
	for left := most; ; {
		var p piece
		select {
		case p = <-pieces:
		case <-ctx.Done():
		case <-r.ctx.Done():
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.ctx.Err() != nil {
			return ErrStopped
		}
		if left -= int64(len(p.data)); left < 0 {
			return fmt.Errorf("it has more than %d bytes", most)
		}
		if _, err := w.Write(p.data); err != nil {
			return err
		}
		if p.err == io.EOF {
			return nil
		}
		if p.err != nil {
			return p.err
		}
	}
}

// read reads until an error, or until nobody takes what it read. One buffer is
// filled while the other one is being used.
func read(content io.Reader, pieces chan<- piece, over <-chan struct{}) {
	var buffers [2][32 << 10]byte
	for i := 0; ; i = 1 - i {
		n, err := content.Read(buffers[i][:])
		select {
		case pieces <- piece{buffers[i][:n], err}:
		case <-over:
			return
		}
		if err != nil {
			return
		}
	}
}

// Decide carries out an operator's decision: on what is held in doubt "retry",
// "delivered" or "report", on what waits "hold", "release", "retry-now", "bounce"
// or "delete", or what queue.Reroute returns (see queue.Decision); for one recipient, or for all of the message
// whom it can be about when recipient is empty. What is being delivered is not
// bounced, deleted or retried; it says so. It waits for Run, and until recovery is
// over; it returns when the decision is durable. Once the decision is being
// carried out it is not given up when ctx is done.
func (r *Relay) Decide(ctx context.Context, id spec.QueueID, recipient, decision string) error {
	if err := r.door.enter(ctx); err != nil {
		return err
	}
	defer r.door.leave()
	return r.actor.ask(queue.Decide{Ticket: r.tickets.Add(1), ID: id, Recipient: recipient, Decision: queue.Decision(decision)})
}

// Pause has no attempt begin for a destination any more, and with resume, has
// them begin again: what is due there is attempted at once. What runs ends as it
// would. Mail that waits there goes on to age, and fails when its lifetime ends.
// It waits and returns as Decide does.
func (r *Relay) Pause(ctx context.Context, destination string, resume bool) error {
	if err := r.door.enter(ctx); err != nil {
		return err
	}
	defer r.door.leave()
	return r.actor.ask(queue.Pause{Ticket: r.tickets.Add(1), Destination: destination, Resume: resume})
}
