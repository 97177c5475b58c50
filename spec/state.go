package spec

import "fmt"

// A RecipientState says where one recipient of one message stands. It is a
// closed set; the legal transitions are those of CanBecome.
//
//	Queued ──► Intent ──► Delivered
//	  ▲  │       │├─────► Failed
//	  │  │       │├─────► Unknown
//	  │  └──┐    │├─────► Held ──► Queued | Delivered | Unknown
//	  └─────┼────┘│
//	        ├──► Failed (refused before the dot, expired, no such domain)
//	        └──► Unknown (the same, and it was in doubt before)
//
//	Queued | Intent ──► Parked ──► Queued | Failed | Unknown
//	Queued | Parked | Held ──► Deleted
//
// The last two lines are an operator's. Delivered, Failed, Unknown and Deleted
// are final: no transition leaves them, because leaving one is how mail is sent
// twice or reported twice.
type RecipientState uint8

const (
	// Queued: to be attempted, now or at its due time. Nothing that a server
	// could have accepted is outstanding.
	Queued RecipientState = iota + 1
	// Intent: the final dot may have left, or is about to. Stored before the
	// dot, so that a crash leaves a trace of the doubt (RFC 1047).
	Intent
	// Delivered: a server replied 2yz to the final dot.
	Delivered
	// Failed: a server refused for good, or the lifetime ended, and no server
	// accepted. Reported to the sender.
	Failed
	// Unknown: the reply to a final dot was lost; nobody can know whether
	// the message arrived. Not sent again; reported to the sender as such.
	Unknown
	// Held: in doubt, and parked until an operator decides.
	Held
	// Parked: as Queued, but an operator wants no attempt to begin before it is
	// released. Nothing is in doubt about it that is not in doubt about a Queued
	// one, and it does not expire meanwhile.
	Parked
	// Deleted: dropped on an operator's word; nobody is told.
	Deleted
)

var stateNames = [...]string{Queued: "queued", Intent: "intent", Delivered: "delivered", Failed: "failed", Unknown: "unknown", Held: "held", Parked: "parked",
	Deleted: "deleted"}

// String returns the state's name as it stands in traces and scenario files.
func (s RecipientState) String() string {
	if s.Valid() {
		return stateNames[s]
	}
	return fmt.Sprintf("RecipientState(%d)", uint8(s))
}

// ParseRecipientState is the inverse of String.
func ParseRecipientState(name string) (RecipientState, error) {
	for s := Queued; s <= Deleted; s++ {
		if stateNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("no recipient state is called %q", name)
}

// Valid reports whether s is one of the states above.
func (s RecipientState) Valid() bool { return s >= Queued && s <= Deleted }

// Final reports whether nothing more will happen to the recipient.
func (s RecipientState) Final() bool {
	return s == Delivered || s == Failed || s == Unknown || s == Deleted
}

// Reportable reports whether the sender has to be told about this final state.
func (s RecipientState) Reportable() bool { return s == Failed || s == Unknown }

// CanBecome reports whether a recipient in state s may enter state t.
func (s RecipientState) CanBecome(t RecipientState) bool {
	switch s {
	case Queued:
		// Never straight to Delivered: that needs a dot, and a dot needs an
		// intent. To Unknown only what was in doubt before and is sent again,
		// by policy or by an operator's word: a server may have accepted it
		// then, so that "failed" would be a lie, whatever ends it now.
		return t == Queued || t == Intent || t == Failed || t == Unknown || t == Parked || t == Deleted
	case Intent:
		// Never to Deleted: the mail may be at a server, and a delivery waits
		// for the answer.
		return t == Queued || t == Delivered || t == Failed || t == Unknown || t == Held || t == Parked
	case Held:
		return t == Queued || t == Delivered || t == Unknown || t == Deleted
	case Parked:
		return t == Queued || t == Failed || t == Unknown || t == Deleted
	case Delivered, Failed, Unknown, Deleted:
		return false
	}
	return false
}
