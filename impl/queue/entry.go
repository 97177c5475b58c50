package queue

import (
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
)

// An Entry is the control entry of one message: who it is for and how far each
// recipient has come. With the content it is all that the spool holds of a
// message (Citadel's control message).
type Entry struct {
	ID spec.QueueID
	// Message is the Message-ID without angle brackets.
	Message string
	// Sender is the reverse-path; empty is the null sender.
	Sender   string
	Body8Bit bool
	// Needs is what else a server has to offer.
	Needs spec.Needs
	// Size of the content in bytes.
	Size int64
	// Submitted is when the message was accepted; its lifetime counts from it.
	Submitted spec.Wall
	// Tracking is what the sender wants to be told of the message.
	Tracking   spec.Tracking
	Recipients []Recipient
}

// A Recipient is one recipient of a message and where it stands.
type Recipient struct {
	Address string
	State   spec.RecipientState
	// Attempts is how many attempts have ended or reached an intent.
	Attempts int
	// Setback is the cause of the last deferral and how often in a row it came, if
	// policy has a back-off for it.
	Setback spec.Setback
	// Due is when a queued recipient is attempted next.
	Due spec.Wall
	// Doubted is true for one that is sent again although an attempt before
	// left it in doubt. A server may have accepted it, whatever happens now:
	// it can no longer end as failed.
	Doubted bool
	// Parked is true for one that an operator wants no attempt to begin for.
	// Never for a final one, nor for one that is Held: that waits anyway. One in
	// intent may be: an attempt under way goes on, and what it defers is parked.
	Parked bool
	// Via is the destination to which an operator rerouted it (spec.Via); empty
	// where policy decides.
	Via string
	// Asked is what the sender wants to be told, and Warned that it was told of a
	// delay: once is enough.
	Asked  spec.Asked
	Warned bool
	// Last is what the last attempt met; zero before the first.
	Last Trouble
}

// Standing is where a recipient stands, as lists and facts say it. In the spool
// one that is parked is Queued, with a mark.
func (r *Recipient) Standing() spec.RecipientState {
	if r.State == spec.Queued && r.Parked {
		return spec.Parked
	}
	return r.State
}

// Destination is where the mail of a sender for the recipient goes.
func (r *Recipient) Destination(p spec.Policy, sender string) string {
	if r.Via != "" {
		return r.Via
	}
	return p.Destination(sender, r.Address)
}

// Trouble is what an attempt met: a reply, or a fault.
type Trouble struct {
	At    spec.Wall
	Host  string
	Stage spec.Stage
	Event spec.Event
	// Reply is the server's reply; zero when there was none.
	Reply spec.Reply
	// Text says what happened, for a person.
	Text string
}

// String describes the trouble on one line.
func (t Trouble) String() string {
	switch {
	case t.Reply.Code != 0 && t.Host != "":
		return fmt.Sprintf("%s said at %s: %s", t.Host, t.Stage, t.Reply)
	case t.Host != "":
		return fmt.Sprintf("%s: %s", t.Host, t.Text)
	}
	return t.Text
}

// most is how many bytes of a reply, and of a text, are kept for a recipient. A
// report shows no more; and an entry holds those of a thousand recipients, each
// of whom a server may refuse in 64 KiB.
const most = 2 << 10

// short returns the trouble with what is kept of its reply and text.
func (t Trouble) short() Trouble {
	t.Text = t.Text[:min(len(t.Text), most)]
	t.Reply.Enhanced = t.Reply.Enhanced[:min(len(t.Reply.Enhanced), most)]
	left := most
	for i, line := range t.Reply.Lines {
		if left -= len(line); left <= 0 {
			t.Reply.Lines = slices.Clone(t.Reply.Lines[:i+1])
			t.Reply.Lines[i] = line[:len(line)+left]
			break
		}
	}
	return t
}

// Done reports whether every recipient is final.
func (e *Entry) Done() bool {
	for i := range e.Recipients {
		if !e.Recipients[i].State.Final() {
			return false
		}
	}
	return true
}

// recipient returns the recipient with that address, or nil.
func (e *Entry) recipient(address string) *Recipient {
	for i := range e.Recipients {
		if e.Recipients[i].Address == address {
			return &e.Recipients[i]
		}
	}
	return nil
}

// hasIntent reports whether a recipient is in intent.
func (e *Entry) hasIntent() bool {
	for i := range e.Recipients {
		if e.Recipients[i].State == spec.Intent {
			return true
		}
	}
	return false
}

// A Waiting is one line of the index of what waits: a group, the lane in which it
// waits at its destination, and its due time.
type Waiting struct {
	Destination string
	Due         spec.Wall
	ID          spec.QueueID
	// Lane is zero in a line that was stored before there were lanes.
	Lane spec.Lane
}
