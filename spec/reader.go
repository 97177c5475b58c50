package spec

import (
	"fmt"
	"strings"
)

// Reader returns whom the relay tells that mail from a sender has failed for a
// recipient: the sender, or for the null sender the postmaster, if there is one.
// RFC 3461 section 6.2 forbids a report to whoever may be behind a null sender, and
// allows to inform the local postmaster in a way that does not itself lead to
// reports. So nobody is told of mail to the postmaster: a notice that fails is the
// last one. The null sender is empty, or "<>"; so is nobody.
func (p Policy) Reader(sender, recipient string) string {
	switch {
	case sender != "" && sender != NullSender:
		return sender
	case p.Postmaster == "" || Mailbox(recipient) == Mailbox(p.Postmaster):
		return ""
	}
	return p.Postmaster
}

// PostmasterTrouble says what is wrong with Postmaster; nil for nothing.
func (p Policy) PostmasterTrouble() error {
	if p.Postmaster == "" {
		return nil
	}
	at := strings.LastIndexByte(p.Postmaster, '@')
	local, domain := p.Postmaster[:max(at, 0)], p.Postmaster[at+1:]
	const write = "write an address, such as postmaster@example.org"
	special := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>()[],;:\"@`, r) }
	if local == "" || len(local) > 64 || strings.ContainsFunc(local, special) {
		return fmt.Errorf("%.100q: what stands before the @ is no name of a mailbox; %s", p.Postmaster, write)
	}
	if why := nameTrouble(domain); why != "" {
		return fmt.Errorf("%.100q: the domain is none: %s; %s", p.Postmaster, why, write)
	}
	return nil
}

// Returned returns how much of a message a report gives back to whom Policy.Reader
// names: what its sender asked for; to the postmaster all of it, for it is most
// likely a report, and what that says is what nobody else will read.
func Returned(sender string, t Tracking) Return {
	if sender == "" {
		return ReturnFull
	}
	return t.Return
}
