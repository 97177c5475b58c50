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
// CRLF, read to its end. It may be called while Run runs.
func (r *Relay) Submit(_ context.Context, envelope spec.Envelope, messageID string, content io.Reader) (spec.QueueID, error) {
	if !r.door.enter() {
		return "", ErrStopped
	}
	defer r.door.leave()
	id := r.ids.next()
	w := spool.NewBodyWriter(r.host.Store, id)
	if _, err := io.Copy(w, content); err != nil {
		return "", fmt.Errorf("content of %s: %w", id, errors.Join(err, w.Abandon()))
	}
	err := r.actor.ask(queue.Submit{ID: id, Envelope: envelope, Message: messageID, Size: w.Size(), Ops: w.Ops()})
	if err != nil {
		return "", fmt.Errorf("queueing %s: %w", id, err)
	}
	return id, nil
}

// Decide carries out an operator's decision on what is held in doubt:
// "retry", "delivered" or "report"; for one recipient, or for all that the
// message holds when recipient is empty. It returns when that is durable. It
// may be called while Run runs.
func (r *Relay) Decide(_ context.Context, id spec.QueueID, recipient, decision string) error {
	if !r.door.enter() {
		return ErrStopped
	}
	defer r.door.leave()
	return r.actor.ask(queue.Decide{ID: id, Recipient: recipient, Decision: queue.Decision(decision)})
}
