package smtpclient

import (
	"fmt"

	"github.com/postonce/postonce/spec"
)

// lack returns what the server does not offer and the message cannot do without;
// ok is false when there is nothing. The message is not begun then: a server that
// gets what it did not offer may do anything with it.
func (t *transaction) lack() (r Result, ok bool) {
	ext, host := t.c.ext, t.c.opts.Host
	lacks := func(enhanced, format string, args ...any) (Result, bool) {
		return notOffered(spec.StageMAIL, enhanced, fmt.Sprintf(format, args...)), true
	}
	switch {
	case t.Needs.Has(spec.NeedTLS) && t.Sender != "" && !t.c.requiresTLS():
		return lacks("5.7.30", "the sender wants TLS all the way to the recipient (REQUIRETLS), which %s does not offer", host)
	case (t.Needs.Has(spec.NeedUTF8) || spec.UTF8Local(t.Sender)) && !ext.SMTPUTF8:
		return lacks("5.6.7", "the sender's address or the header is beyond ASCII (SMTPUTF8), which %s does not take", host)
	case t.Body8Bit && !ext.EightBitMIME:
		return lacks("5.6.3", "message has 8-bit content, which %s does not take: send it again, encoded as quoted-printable or base64", host)
	case ext.SizeLimit > 0 && t.Size > ext.SizeLimit:
		return lacks("5.3.4", "message of %d bytes is larger than the %d that %s takes", t.Size, ext.SizeLimit, host)
	}
	return Result{}, false
}

// lackFor is lack for what a recipient's own address needs.
func (t *transaction) lackFor(recipient string) (r Result, ok bool) {
	if t.c.ext.SMTPUTF8 || !spec.UTF8Local(recipient) {
		return Result{}, false
	}
	return notOffered(spec.StageRCPT, "5.6.7", fmt.Sprintf("the recipient's address is beyond ASCII (SMTPUTF8), which %s does not take", t.c.opts.Host)), true
}

// notOffered says what a server does not offer. The status code is the client's.
func notOffered(stage spec.Stage, enhanced, text string) Result {
	return Result{Stage: stage, Event: spec.NotOffered, Reply: spec.Reply{Enhanced: enhanced}, Text: enhanced + " " + text}
}

// says returns the extensions that MAIL asks for: those without which the message
// cannot be had, and REQUIRETLS wherever it can be.
func (t *transaction) says() spec.Needs {
	needs := t.Needs
	for _, address := range append([]string{t.Sender}, t.Recipients...) {
		if spec.UTF8Local(address) {
			needs |= spec.NeedUTF8
		}
	}
	if needs.Has(spec.NeedTLS) && t.c.stream == t.c.conn {
		needs &^= spec.NeedTLS // in clear it means nothing (RFC 8689 section 2)
	}
	return needs
}

// requiresTLS reports whether the server has said, over TLS and after it showed who
// it is, that it keeps to REQUIRETLS (RFC 8689 section 4.2.1). What stands in the way
// of TLS itself, the level sees to.
func (c *Client) requiresTLS() bool { return c.verified && c.ext.RequireTLS }
