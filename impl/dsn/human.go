package dsn

import (
	"bytes"
	"fmt"

	"github.com/postonce/postonce/spec"
)

// count returns how many of the recipients are in state s.
func (r *Report) count(s spec.RecipientState) int {
	n := 0
	for _, rcpt := range r.Recipients {
		if rcpt.State == s {
			n++
		}
	}
	return n
}

// subject says at once whether there is doubt.
func (r *Report) subject() string {
	switch failed, unknown := r.count(spec.Failed), r.count(spec.Unknown); {
	case unknown == 0:
		return "Your message was not delivered"
	case failed == 0:
		return "Your message may not have been delivered"
	}
	return "Your message was not delivered to everyone"
}

// human is the part for a person.
func (r *Report) human() []byte {
	var b bytes.Buffer
	wrap(&b, "", "", fmt.Sprintf("This is the mail system at %s.", domain(r.Hostname)))
	b.WriteString("\r\n")
	wrap(&b, "", "", fmt.Sprintf("It is about the message that you sent on %s%s.", date(r.Original.Arrival), r.named()))
	if r.count(spec.Failed) > 0 {
		b.WriteString("\r\nYour message was NOT delivered to:\r\n")
		r.list(&b, spec.Failed)
	}
	if r.count(spec.Unknown) > 0 {
		b.WriteString("\r\nIt is NOT KNOWN whether your message was delivered to:\r\n")
		r.list(&b, spec.Unknown)
		b.WriteString("\r\n")
		wrap(&b, "", "", "For these, sending had reached its last step, and the server's answer to it was lost or could not be read. "+
			"The message may or may not have arrived; it was not sent again and will not be. Ask the recipient before sending it again.")
	}
	return b.Bytes()
}

// named tells the original from others sent at that time.
func (r *Report) named() string {
	if id := messageID(r.Original.MessageID); id != "" {
		return ", Message-ID <" + id + ">"
	}
	return ""
}

// list writes the recipients in state s, each with its reason.
func (r *Report) list(b *bytes.Buffer, s spec.RecipientState) {
	for _, rcpt := range r.Recipients {
		if rcpt.State != s {
			continue
		}
		fmt.Fprintf(b, "\r\n    <%s>\r\n", safe(rcpt.Address, maxAddress))
		kind, text := rcpt.diagnostic()
		if host := safe(rcpt.RemoteMTA, maxAddress); host != "" && kind == "smtp" {
			text = host + " said: " + text
		}
		if text == "" {
			text = "status " + rcpt.status()
		}
		// The indentation keeps a server's words apart from ours.
		wrap(b, "        ", "        ", text)
	}
}
