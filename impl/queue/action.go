package queue

import (
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// An Action is something the shell must do: one of the types in this file.
// The actions of one Step are carried out in order. At most the last one
// releases a waiting goroutine, so that one event never makes two goroutines
// runnable.
type Action interface{ action() }

// Commit asks to store a batch. It may run beside everything else; batches
// take effect in order. Durable answers it.
type Commit struct {
	Seq uint64
	Ops []seam.Op
}

// Begin asks to start a delivery. Its recipients are claimed in memory; the
// message is durable. Intend and Settle come from it.
type Begin struct {
	Job       string
	ID        spec.QueueID
	Message   string
	Dest      string
	Attempt   int
	Sender    string
	To        []string
	Size      int64
	Body8Bit  bool
	Needs     spec.Needs
	Submitted spec.Wall
	// Tracking and Asked are what the sender wants to be told, of the message and
	// of each of To; Asked is nil when that is nothing.
	Tracking spec.Tracking
	Asked    []spec.Asked
}

// Close asks to read the header of a message, for recipients that end without
// a conversation, and to answer with a Settle that is Last and has no results.
type Close struct {
	Job string
	ID  spec.QueueID
	// Size is that of the content, Return how much of it is wanted.
	Size   int64
	Return spec.Return
}

// Load asks to read the spool; Loaded answers. Any number may run at once.
type Load struct {
	Kind LoadKind
	// Destination and Lane for LoadGroups.
	Destination string
	Lane        spec.Lane
	// After is the key's name to go on after; empty is from the beginning.
	After string
	Limit int
	// ID for LoadMessage.
	ID spec.QueueID
}

// A LoadKind says what to read.
type LoadKind uint8

const (
	// LoadIntents reads the messages of SpaceIntent.
	LoadIntents LoadKind = iota + 1
	// LoadWriting reads SpaceWriting and the chunks of what it names.
	LoadWriting
	// LoadDestinations reads the first index line of each lane of each destination.
	LoadDestinations
	// LoadGroups reads index lines of one lane with their entries.
	LoadGroups
	// LoadMessage reads one control entry.
	LoadMessage
)

// WakeAt asks for a Wake at a time; it replaces the one before.
type WakeAt struct{ At spec.Mono }

// Note reports a fact. What a fact says is durable is durable.
type Note struct{ Fact spec.Fact }

// Accepted releases the submitter of ID: the message is durable, 250 may be
// sent. With an error it is not, and must be refused for now.
type Accepted struct {
	ID  spec.QueueID
	Err error
}

// MayCommit releases a delivery that intends to send the dot: the intent is
// durable. With an error the dot must not leave.
type MayCommit struct {
	Job string
	Err error
}

// Settled releases a delivery that settled: the outcomes are durable. With an
// error they are not, and recovery will find the intents.
type Settled struct {
	Job string
	Err error
}

// Decided releases an operator: the decision is durable, or refused.
type Decided struct {
	Ticket uint64
	ID     spec.QueueID
	Err    error
}

// Ready releases the shell: recovery is over, submissions may be taken.
type Ready struct{}

// Halt asks to stop the relay now: the disk cannot be trusted, or an
// invariant of the core is broken. Recovery begins from what is durable.
//
// Whoever waits for a batch is released when it ends, with the truth about it.
// Operators are the tickets of those who wait for something else, in order:
// nothing was stored for them, and nothing else releases them.
type Halt struct {
	Err       error
	Operators []uint64
}

func (Commit) action()    {}
func (Begin) action()     {}
func (Close) action()     {}
func (Load) action()      {}
func (WakeAt) action()    {}
func (Note) action()      {}
func (Accepted) action()  {}
func (MayCommit) action() {}
func (Settled) action()   {}
func (Decided) action()   {}
func (Ready) action()     {}
func (Halt) action()      {}
