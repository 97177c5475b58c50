package deliverylist

import "fmt"

// A List is a control message.
type List struct {
	// Header are the fields of the header besides the Content-Type, as they
	// stand; the lines of a folded one are joined by LF.
	Header []Line
	// MsgID is the number of the stored mail that the list is about.
	MsgID int64
	// Submitted is when the mail entered the system, in Unix seconds; 0 is not
	// said.
	Submitted int64
	// Attempted are times of attempts, in Unix seconds: those that were made,
	// or one that is to come. Nothing but the time tells one from the other.
	Attempted []int64
	// Retry is the retry interval in seconds; 0 is the initial one.
	Retry int64
	// BounceTo is where reports go: a local user, user@node, or an internet
	// address; empty is not said.
	BounceTo string
	// EnvelopeFrom is the envelope sender; empty is the null sender. Nil is not
	// said, and means the address in the mail's From field.
	EnvelopeFrom *string
	// SourceRoom is where the mail was posted; empty is not said.
	SourceRoom string
	Remotes    []Remote
	// Foreign are the other instructions.
	Foreign []Line
}

// A Remote is a recipient on the internet.
type Remote struct {
	Address string
	Status  Status
	// Text is what the last attempt met, or each of them.
	Text string
	// Line is where it stood; 0 when it was not read.
	Line int
}

// A Line is one that is kept as it stands.
type Line struct {
	Text string
	// Number is where it stood; 0 when it was not read.
	Number int
}

// A Status says how far a recipient has come.
type Status int

// The statuses. 1 is not used.
const (
	NotAttempted Status = 0
	Delivered    Status = 2
	NextHost     Status = 3 // failed for now: try the next server
	Later        Status = 4 // failed for now: try later
	Failed       Status = 5 // failed for good
)

// Valid reports whether s is one of the statuses above.
func (s Status) Valid() bool { return s == NotAttempted || s >= Delivered && s <= Failed }

// Final reports whether nothing more is to be done for a recipient.
func (s Status) Final() bool { return s == Delivered || s == Failed }

// Mailbox returns the address without the angle brackets that some writers left.
func (r *Remote) Mailbox() string { return bare(r.Address) }

// A SyntaxError says where a text is no control message.
type SyntaxError struct {
	// Line counts from 1.
	Line int
	// Found is what stands there, Expected what should.
	Found, Expected string
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason())
}

// Reason is the error without the line's number.
func (e *SyntaxError) Reason() string {
	const most = 80
	found := fmt.Sprintf("%q", e.Found[:min(len(e.Found), most)])
	switch {
	case e.Found == "":
		found = "nothing"
	case len(e.Found) > most:
		found += "…"
	}
	return fmt.Sprintf("found %s, expected %s", found, e.Expected)
}
