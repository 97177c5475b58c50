package impl

import (
	"errors"
	"fmt"
	"io"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// ErrAdopted is wrapped by the error of an adoption when the message was adopted
// before.
var ErrAdopted = errors.New("it was taken over before")

// AdoptStopped takes a message over from another relay's queue, into the spool
// of a relay that does not run: it is called on a Relay that Run is not called
// on. e is the message's entry, with recipients that are final or queued; what
// the content tells is filled in. content is as for Submit.
//
// The queue ID in e has to follow from the message, so that the same message
// has the same ID whenever it comes. A message is adopted once: the batch that
// makes it exist says so for ever, also when the message itself is long gone.
func (r *Relay) AdoptStopped(e queue.Entry, content io.Reader) error {
	w := spool.NewBodyWriter(r.host.Store, e.ID)
	e, err := r.adoptable(e, w, content)
	if err == nil {
		e.Size = w.Size()
		err = r.atDesk(queue.Adopt{Entry: e, Ops: append(w.Ops(), seam.Op{Key: adopted(e.ID)})})
		if err != nil && !errors.Is(err, queue.ErrRefused) {
			return err // a batch was made: nothing of it may be taken away
		}
	}
	if err != nil {
		return errors.Join(err, w.Abandon())
	}
	return nil
}

// CheckAdoption returns the error that AdoptStopped would return, and stores
// nothing.
func (r *Relay) CheckAdoption(e queue.Entry, content io.Reader) error {
	_, err := r.adoptable(e, io.Discard, content)
	return err
}

// adopted is the key that says that a message was adopted.
func adopted(id spec.QueueID) seam.Key {
	return seam.Key{Space: seam.SpaceMeta, Name: "adopted/" + string(id)}
}

// adoptable copies a content, and returns the entry with what it tells; or why
// the message cannot be adopted. Only those who are to be sent it need addresses
// that can be sent to.
func (r *Relay) adoptable(e queue.Entry, w io.Writer, content io.Reader) (queue.Entry, error) {
	for _, key := range []seam.Key{adopted(e.ID), seam.ControlKey(e.ID)} {
		if _, err := r.host.Store.Get(key); err == nil {
			return e, fmt.Errorf("%s: %w", e.ID, ErrAdopted)
		} else if !errors.Is(err, seam.ErrNotFound) {
			return e, err
		}
	}
	envelope := spec.Envelope{Sender: e.Sender}
	var at []int
	for i := range e.Recipients {
		if !e.Recipients[i].State.Final() {
			at = append(at, i)
			envelope.Recipients = append(envelope.Recipients, e.Recipients[i].Address)
		}
	}
	envelope, err := r.check(envelope)
	if err != nil {
		return e, err
	}
	e.Sender, e.Recipients = envelope.Sender, append([]queue.Recipient(nil), e.Recipients...)
	for n, i := range at {
		e.Recipients[i].Address = envelope.Recipients[n]
	}
	if err := e.Adoptable(); err != nil {
		return e, err
	}
	found, err := submission.CopyContent(w, content, string(e.ID)+"@"+r.config.Policy.Hostname, r.config.Policy.Limits.MessageBytes)
	if err != nil {
		return e, fmt.Errorf("the mail cannot be taken: %w", err)
	}
	e.Message, e.Body8Bit = found.MessageID, found.EightBit
	return e, nil
}
