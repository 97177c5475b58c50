package submission

import (
	"errors"
	"strconv"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/postonce/postonce/spec"
)

// A Refusal is an error that carries the reply for the client: why a message,
// a sender or a recipient is not taken, now (4yz) or ever (5yz).
type Refusal struct{ Reply spec.Reply }

// Error returns the reply on one line.
func (r *Refusal) Error() string { return r.Reply.String() }

// refuse makes a Refusal of one line.
func refuse(code int, enhanced, text string) *Refusal {
	return &Refusal{spec.Reply{Code: code, Enhanced: enhanced, Lines: []string{text}}}
}

// What the intake refuses by itself. Enhanced codes are those of RFC 3463 and
// the registry that RFC 5248 made of it.
var (
	refuseNested = refuse(503, "5.5.1", "one MAIL per transaction: send RSET first (RFC 5321 section 4.1.4)")
	refuseBare   = refuse(554, "5.6.11", "CR and LF stand only together, as CRLF (RFC 5321 section 2.3.8)")
	// RFC 5321 section 4.5.3.1.6 obliges nobody to take a longer line, and
	// forbids us to send it on.
	refuseLine = refuse(554, "5.6.0", "a line is longer than 1000 octets (RFC 5321 section 4.5.3.1.6)")
	// RFC 5322 section 2.2 and RFC 2045 section 2.7: not even 8-bit text has it.
	refuseNUL   = refuse(554, "5.6.0", "the content has a NUL octet")
	refuseLarge = refuse(552, "5.3.4", "the message is larger than the limit that EHLO announces")
	refuseLoop  = refuse(554, "5.4.6", "too many Received fields: the message goes in a circle (RFC 5321 section 6.3)")
	refuseLost  = refuse(451, "4.4.2", "the connection ended within the message")
	// RFC 6531 section 3.5.
	refuseUTF8       = refuse(553, "5.6.7", "the address is not ASCII: say SMTPUTF8 with MAIL")
	refuseRequireTLS = refuse(555, "5.5.4", "REQUIRETLS is not offered (RFC 8689 section 2)")
	refuseDrain      = refuse(421, "4.3.2", "shutting down: come back later")
	refuseStore      = refuse(451, "4.3.0", "the message cannot be stored now: try again later")
)

// refuseAddress refuses an address as RFC 5321 section 4.5.3.1.10 and
// RFC 3463 have it.
func refuseAddress(why error) *Refusal { return refuse(501, "5.1.3", why.Error()) }

// answer turns an error into what go-smtp sends as a reply. Only a Refusal's
// text, or one that go-smtp made itself, reaches the client.
func answer(err error) *smtp.SMTPError {
	var refusal *Refusal
	var own *smtp.SMTPError
	switch {
	case errors.As(err, &refusal) && refusal.Reply.Class() >= 4:
		return wire(refusal.Reply)
	case errors.As(err, &own):
		return own
	}
	return wire(refuseStore.Reply)
}

// wire converts a reply to go-smtp's form.
func wire(r spec.Reply) *smtp.SMTPError {
	enhanced := smtp.EnhancedCodeNotSet
	for i, part := range strings.SplitN(r.Enhanced, ".", len(enhanced)) {
		n, err := strconv.Atoi(part)
		if err != nil {
			enhanced = smtp.EnhancedCodeNotSet
			break
		}
		enhanced[i] = n
	}
	return &smtp.SMTPError{Code: r.Code, EnhancedCode: enhanced, Message: strings.Join(r.Lines, "\n")}
}
