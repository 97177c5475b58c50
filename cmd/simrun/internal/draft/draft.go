// Package draft makes a scenario of what was seen of a real conversation, on the
// wire or in a log: DNS, servers that do the same again, and messages with other
// names. What it cannot know it leaves out, or guesses, and says so in the prose.
package draft

import (
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// A Draft is what was seen.
type Draft struct {
	// Title says what holds, without a full stop; Notes are sentences that follow
	// it, such as what was guessed.
	Title string
	Notes []string
	// Hosts are the servers, in the order in which they are to be tried.
	Hosts []*Host
	Mails []Mail
	// Faults are answers of the DNS that went wrong.
	Faults []Fault
	// Login is true when the client logged in: the hosts are smart hosts then.
	Login bool
}

// A Host is one server.
type Host struct {
	// Name is its real one, or its address.
	Name string
	// Offer is what its reply to EHLO offers; nil is what is usual.
	Offer []fakesmtp.Extension
	// Domains are those that it serves; nil is all.
	Domains []string
	// Network says how connecting goes, as scenarios.Server has it, and until when.
	Network      string
	NetworkUntil time.Duration
	// Clear is true when the client logged in without TLS.
	Clear  bool
	Events []Event
}

// A Fault is an answer of the DNS that went wrong: about a recipient's domain, or
// the host of Hosts that is so called.
type Fault struct {
	Name string
	// Type and Fault are words of the dns section.
	Type, Fault string
	// First is how often, 0 for ever.
	First int
}

// An Event is what a server did at one stage, well or not.
type Event struct {
	Stage spec.Stage
	// To is the recipient, at RCPT.
	To string
	// Reply is what it said, with the ends of lines; what was torn ends anywhere.
	Reply []byte
	// Wait is how long it took to say it.
	Wait time.Duration
	// Show is the certificate that was presented, at a handshake.
	Show fakesmtp.CertificateKind
	// Count is how much was read before the End, at body.
	Count int
	// End says how the connection ended then.
	End End
}

// An End is how a connection ends.
type End string

// The ends. Left is a client that had no reply and went.
const (
	Open End = ""
	Fin  End = "fin"
	Cut  End = "cut"
	Left End = "silence"
)

// A Mail is one message that was submitted.
type Mail struct {
	At   time.Duration
	From string
	To   []string
	// Size is that of the content, 0 when it does not matter.
	Size     int64
	EightBit bool
}
