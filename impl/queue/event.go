package queue

import (
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// An Event is something that happened outside the core: one of the types in
// this file.
type Event interface{ event() }

// Start is the first event: the spool is open, begin recovery.
type Start struct{}

// Submit asks to queue a message whose content is written but for Ops.
type Submit struct {
	ID       spec.QueueID
	Envelope spec.Envelope
	// Message is the Message-ID without angle brackets.
	Message string
	Size    int64
	// Ops complete the content; they go into the batch that makes the
	// message exist.
	Ops []seam.Op
}

// Adopt asks to queue a message of another relay's queue, with its recipients
// as far as they have come there: final, or queued. Its content is written but
// for Ops. It is for a relay that does not run: it is done while stopping, too.
type Adopt struct {
	Entry Entry
	// Ops complete the content, and whatever else shall hold from when the
	// message exists.
	Ops []seam.Op
}

// Durable says that the commit Seq has ended. After an error nothing more can
// be stored, and the core halts.
type Durable struct {
	Seq uint64
	Err error
}

// Wake says that the time of the last WakeAt has come.
type Wake struct{}

// Intend says that a delivery is about to send the final dot to Host for To.
type Intend struct {
	Job  string
	Host string
	To   []string
}

// Settle says what a delivery has come to for some of its recipients.
type Settle struct {
	Job     string
	Results []Result
	// Last is true when the delivery is over and its claim ends.
	Last bool
	// Header is the content's header, for a report; needed whenever a result
	// is not a delivery, or is Relayed to a recipient of whose success the sender
	// wants to be told, and after a Close. With Whole it is the whole content.
	Header []byte
	Whole  bool
	// Fresh is an unused queue ID, for a report.
	Fresh spec.QueueID
}

// A Result is what a delivery came to for one recipient.
type Result struct {
	Recipient string
	// Verdict is Proceed for delivered; NextHost counts as Defer, for there
	// is no next one.
	Verdict spec.Verdict
	Trouble Trouble
	// Relayed is true for a delivery to a server that tells senders nothing.
	Relayed bool
	// Unreached is true when no server at the destination opened a session in the
	// attempt.
	Unreached bool
	// Broken is true when this side broke the attempt off before the final dot,
	// because the relay stops. It does not count as one then.
	Broken bool
}

// Loaded answers a Load.
type Loaded struct {
	Load Load
	// Groups, for LoadGroups and LoadDestinations, are index lines in order:
	// those of the lane, or the first of each lane of each destination.
	Groups []Waiting
	// Entries holds the encoded control entries of Groups, or of the messages
	// found by LoadIntents and LoadMessage; nil where there is none.
	Entries []Raw
	// Paused are the names in SpacePaused: of a LoadDestinations that begins at the
	// beginning.
	Paused []string
	// Unread are the names of index lines that say nothing: see ParseWaiting.
	Unread []string
	// Chunks, for LoadWriting, are the keys of the unfinished contents.
	Chunks []seam.Key
	// More is true when there was more than Limit.
	More bool
	// Next is the due time of the first group after Groups, if More.
	Next spec.Wall
	Err  error
}

// A Raw is a control entry as stored; Value is nil when it does not exist.
type Raw struct {
	ID    spec.QueueID
	Value []byte
}

// Decide is an operator's word on recipients of a message.
type Decide struct {
	// Ticket names the operator who waits: no two are equal.
	Ticket uint64
	ID     spec.QueueID
	// Recipient is one address, or empty for all whom the decision can be about.
	Recipient string
	// Among, when it is not empty, are those of all whom it is about, and no
	// others.
	Among    []string
	Decision Decision
}

// means reports whether a decision can be about an address.
func (d *Decide) means(address string) bool {
	return (d.Recipient == "" || d.Recipient == address) && (len(d.Among) == 0 || slices.Contains(d.Among, address))
}

// A Decision is what an operator can say.
type Decision string

// The decisions that end a doubt: about recipients that are Held.
const (
	// DecideRetry sends again; the operator takes the risk of a duplicate.
	DecideRetry Decision = "retry"
	// DecideDelivered says that the message is known to have arrived.
	DecideDelivered Decision = "delivered"
	// DecideReport ends the recipient as unknown and tells the sender.
	DecideReport Decision = "report"
)

// The decisions about recipients that wait, whether in doubt or not.
const (
	// DecideHold parks: no attempt begins before a release. One under way goes
	// on; what it defers is parked. What is parked does not expire, as in
	// Postfix: the operator took the time, and is not to lose the mail by it.
	DecideHold Decision = "hold"
	// DecideRelease undoes a hold: due again when it was, or at once when that
	// is past. When the lifetime ended meanwhile, there is one attempt more.
	DecideRelease Decision = "release"
	// DecideNow makes due at once what waits for its time. It is not about what
	// is in doubt, nor about what is parked: see DecideRetry and DecideRelease.
	DecideNow Decision = "retry-now"
	// DecideBounce ends the recipient as failed, or as unknown when a server may
	// have the mail, and tells the sender.
	DecideBounce Decision = "bounce"
	// DecideDelete ends the recipient, and tells nobody.
	DecideDelete Decision = "delete"
	// The one that says where to is made by Reroute.
)

// Pause is an operator's word on a destination: no attempt begins there, until
// another one says Resume. Attempts under way go on, and lifetimes end as ever. To
// pause what is paused changes nothing.
type Pause struct {
	// Ticket names the operator who waits: no two are equal.
	Ticket      uint64
	Destination string
	Resume      bool
}

// Stop says that the relay is shutting down: nothing new begins.
type Stop struct{}

func (Start) event()   {}
func (Submit) event()  {}
func (Adopt) event()   {}
func (Durable) event() {}
func (Wake) event()    {}
func (Intend) event()  {}
func (Settle) event()  {}
func (Loaded) event()  {}
func (Decide) event()  {}
func (Pause) event()   {}
func (Stop) event()    {}
