package dsn

import (
	"bytes"
	"fmt"
	"strings"

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
	failed, unknown := r.count(spec.Failed), r.count(spec.Unknown)
	delayed, relayed := r.count(spec.Queued), r.count(spec.Delivered)
	switch {
	case r.Notice:
		return "Postmaster notice: mail from the null sender was not delivered"
	case failed+unknown == 0 && delayed > 0:
		return "Your message is delayed"
	case failed+unknown == 0 && relayed > 0:
		return "Your message was passed on"
	case delayed+relayed > 0:
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
	about, its := fmt.Sprintf("It is about the message that you sent on %s%s.", date(r.Original.Arrival), r.named()), "Your message"
	if r.Notice {
		about = fmt.Sprintf("It is about a message from the null sender that it took on %s%s: a report, most likely, which nobody gets now. "+
			"You are told as the postmaster, and nobody else is. If this notice cannot be delivered, no other one follows.",
			date(r.Original.Arrival), r.named())
		its = "The message"
	}
	wrap(&b, "", "", about)
	r.list(&b, its+" was NOT delivered to:", "", func(rcpt Recipient) bool { return rcpt.State == spec.Failed })
	r.list(&b, "It is NOT KNOWN whether "+strings.ToLower(its)+" was delivered to:",
		"For these, sending had reached its last step, and the server's answer to it was lost or could not be read. "+
			"The message may or may not have arrived; it was not sent again and will not be. Ask the recipient before sending it again.",
		func(rcpt Recipient) bool { return rcpt.State == spec.Unknown && !rcpt.Again })
	r.list(&b, "It is NOT KNOWN whether "+strings.ToLower(its)+" was delivered at an earlier attempt to:",
		"For these, an earlier attempt had reached its last step, and the server's answer to it was lost or could not be read. "+
			"The message may or may not have arrived then. It was to be sent again, which did not succeed; what is said above is "+
			"about the last attempt. It will not be sent again. Ask the recipient before sending it again yourself.",
		func(rcpt Recipient) bool { return rcpt.State == spec.Unknown && rcpt.Again })
	r.list(&b, "Your message has NOT YET been delivered to:",
		"For these, delivery is still being tried. Nothing need be done now, and the message need not be sent again.",
		func(rcpt Recipient) bool { return rcpt.State == spec.Queued })
	r.list(&b, "Your message was passed on for:",
		"For these, the next mail system has taken the message. It does not report on delivery, so this is all that is known.",
		func(rcpt Recipient) bool { return rcpt.State == spec.Delivered })
	return b.Bytes()
}

// named tells the original from others sent at that time.
func (r *Report) named() string {
	if id := messageID(r.Original.MessageID); id != "" {
		return ", Message-ID <" + id + ">"
	}
	return ""
}

// list writes those of the recipients of whom the heading is true, each with its
// reason, and then what has to be said about them; nothing when there are none.
func (r *Report) list(b *bytes.Buffer, heading, about string, of func(Recipient) bool) {
	none := true
	for _, rcpt := range r.Recipients {
		if !of(rcpt) {
			continue
		}
		if none {
			none = false
			b.WriteString("\r\n")
			wrap(b, "", "", heading)
		}
		fmt.Fprintf(b, "\r\n    <%s>\r\n", r.address(rcpt.Address))
		kind, text := r.diagnostic(&rcpt)
		if host := safe(rcpt.RemoteMTA, maxAddress); host != "" && kind == "smtp" {
			text = host + " said: " + text
		}
		if text == "" {
			text = "status " + rcpt.status()
		}
		// The indentation keeps a server's words apart from ours.
		wrap(b, "        ", "        ", text)
	}
	if !none && about != "" {
		b.WriteString("\r\n")
		wrap(b, "", "", about)
	}
}
