package spec

import "strings"

// A QueueID names a message in one relay's spool. It is unique in that spool
// for ever, short, and safe in a reply, a log line and a file name.
type QueueID string

// An Envelope is what MAIL and RCPT say about a message (RFC 5321 section 2.3.1).
type Envelope struct {
	// Sender is the reverse-path without angle brackets; empty is the null
	// sender of RFC 5321 section 4.5.5, to which nothing is ever reported.
	Sender string
	// Recipients are the forward-paths without angle brackets, in the order
	// in which they were given.
	Recipients []string
	// Body8Bit is true when the content has octets above 127, so that only a
	// server with 8BITMIME may get it (RFC 6152). What the sender declared does
	// not matter: BODY=8BITMIME in front of plain ASCII needs nothing.
	Body8Bit bool
	// Needs is what else a server has to offer.
	Needs Needs
	// Tracking and Asked are what the sender wants to be told, of the message and
	// of each of the Recipients, in their order (RFC 3461). Asked may be shorter
	// than they are: of the others nothing was asked for.
	Tracking Tracking
	Asked    []Asked
}

// Mailbox returns what is equal for two spellings of one mailbox: domains do not
// depend on case, local parts do (RFC 5321 section 2.4), but may be quoted or not
// (section 4.1.2).
func Mailbox(address string) string { return canonical(address) }

// Domain returns the part of an address after its last "@", lower-cased, in
// A-labels where it has such a form, with no trailing dot; empty when there is
// none. An address literal keeps its brackets (RFC 5321 section 4.1.3).
func Domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	return domainForm(address[at+1:])
}

// domainForm returns a domain in the form in which domains are compared.
func domainForm(domain string) string {
	if ascii, ok := ALabels(domain); ok {
		domain = ascii
	}
	return strings.TrimSuffix(strings.ToLower(domain), ".")
}
