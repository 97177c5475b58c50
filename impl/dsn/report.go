package dsn

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A Report is a delivery status notification about one message.
type Report struct {
	// ID is the queue ID of the report itself.
	ID spec.QueueID
	// MessageID is the report's Message-ID without angle brackets; one is
	// made of ID and Hostname when it is not usable.
	MessageID string
	// Hostname is the relay's own name.
	Hostname string
	// To is the sender of the original, without angle brackets; of a Notice the
	// postmaster.
	To string
	// Notice is true for a report on mail of the null sender, most likely a report
	// itself. It is for the postmaster, since there is nobody else.
	Notice bool
	// Date is when the report was made.
	Date     spec.Wall
	Original Original
	// Recipients are those reported on. One whose State says nothing (see
	// Recipient) is left out: of it nothing true could be said.
	Recipients []Recipient
}

// An Original is the message that a report is about.
type Original struct {
	// Queue is its queue ID, MessageID its Message-ID without angle brackets.
	Queue     spec.QueueID
	MessageID string
	// EnvelopeID is the ENVID of RFC 3461 section 4.4, decoded; often empty.
	EnvelopeID string
	// Arrival is when the relay took the message.
	Arrival spec.Wall
	// Header is its header block; MaxHeader octets of it are shown. What
	// follows an empty line is not, but with Whole: then it is the whole message,
	// and all of it is shown, if anybody failed or is unknown (RFC 3461 section
	// 4.3) and it is ASCII in lines of at most 998 octets. A message/rfc822 cannot
	// be encoded (RFC 2046 section 5.2.1), and a report that needs 8BITMIME could
	// itself fail to arrive.
	Header []byte
	Whole  bool
}

// A Recipient says what became of the message for one recipient.
type Recipient struct {
	// Address is the recipient without angle brackets.
	Address string
	// Original is the ORCPT of RFC 3461 section 4.2, decoded; often empty.
	Original string
	// State is Failed or Unknown; Queued for one to whom delivery is delayed; or
	// Delivered for one relayed to a server that will not report on it.
	State spec.RecipientState
	// Status is the code of RFC 3463, such as "5.1.1"; see Status.
	Status string
	// Diagnostic is what went wrong, with the type of RFC 3464 section 2.3.6
	// in front, as in "smtp; 550 5.1.1 No such user". Without a type it is
	// taken for the relay's own words.
	Diagnostic string
	// RemoteMTA is the server that said so; empty when there was none.
	RemoteMTA string
	// LastAttempt is when the last attempt was made; 0 when there was none.
	LastAttempt spec.Wall
	// Until is how long delivery will be tried to one who is Queued.
	Until spec.Wall
	// Again is true for one that is Unknown because of an earlier attempt, after
	// which it was to be sent again. What went wrong is then of the last one.
	Again bool
}

// dateFormat is the date-time of RFC 5322 section 3.3.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

func date(w spec.Wall) string { return w.Time().Format(dateFormat) }

// Content returns the report as a message in the Internet Message Format: CRLF
// line ends, lines of at most 998 octets, ASCII unless it is International.
func (r *Report) Content() []byte {
	human := r.human()
	status := r.deliveryStatus()
	original, header, encoding := r.original()
	boundary := r.boundary(human, status, header)

	var b bytes.Buffer
	r.header(&b, boundary)
	part := func(contentType, encoding string, content []byte) {
		fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", boundary, contentType, encoding)
		b.Write(content)
	}
	if r.International() {
		part("text/plain; charset=utf-8", "8bit", human)
		part("message/global-delivery-status", "8bit", status)
	} else {
		part("text/plain; charset=us-ascii", "7bit", human)
		part("message/delivery-status", "7bit", status)
	}
	part(original, encoding, header)
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

// header writes the report's own header.
func (r *Report) header(b *bytes.Buffer, boundary string) {
	host := domain(r.Hostname)
	id := messageID(r.MessageID)
	if id == "" {
		id = alphanumeric(string(r.ID)) + "@" + host
	}
	fmt.Fprintf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n", host)
	fmt.Fprintf(b, "To: %s\r\n", mailbox(r.To))
	fmt.Fprintf(b, "Subject: %s\r\n", r.subject())
	fmt.Fprintf(b, "Date: %s\r\n", date(r.Date))
	fmt.Fprintf(b, "Message-ID: <%s>\r\n", id)
	if original := messageID(r.Original.MessageID); original != "" {
		// So that a mail program shows the report with its original (RFC 3834
		// section 3.1).
		fmt.Fprintf(b, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", original, original)
	}
	// Without it, a vacation notice could answer the report (RFC 3834). A notice is
	// no reply: who sent what it is about is not known (section 5 there).
	if r.Notice {
		b.WriteString("Auto-Submitted: auto-generated\r\n")
	} else {
		b.WriteString("Auto-Submitted: auto-replied\r\n")
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	fmt.Fprintf(b, "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"%s\"\r\n", boundary)
}

// deliveryStatus is the part for programs (RFC 3464 section 2.1).
func (r *Report) deliveryStatus() []byte {
	var b bytes.Buffer
	if id := safe(r.Original.EnvelopeID, maxAddress); id != "" {
		fmt.Fprintf(&b, "Original-Envelope-Id: %s\r\n", id)
	}
	fmt.Fprintf(&b, "Reporting-MTA: dns; %s\r\n", domain(r.Hostname))
	fmt.Fprintf(&b, "Arrival-Date: %s\r\n", date(r.Original.Arrival))
	fmt.Fprintf(&b, "X-Postonce-Queue-ID: %s\r\n", safe(string(r.Original.Queue), maxAddress))
	if id := messageID(r.Original.MessageID); id != "" {
		fmt.Fprintf(&b, "X-Postonce-Message-ID: <%s>\r\n", id)
	}
	for _, rcpt := range r.Recipients {
		if rcpt.action() != "" {
			b.WriteString("\r\n")
			r.fields(&b, &rcpt)
		}
	}
	return b.Bytes()
}

// fields writes the per-recipient fields (RFC 3464 section 2.3).
func (r *Report) fields(b *bytes.Buffer, rcpt *Recipient) {
	if original := safe(rcpt.Original, maxAddress); typedPattern.MatchString(original) {
		fmt.Fprintf(b, "Original-Recipient: %s\r\n", original)
	}
	fmt.Fprintf(b, "Final-Recipient: %s; %s\r\n", addressType(rcpt.Address), r.address(rcpt.Address))
	fmt.Fprintf(b, "Action: %s\r\n", rcpt.action())
	fmt.Fprintf(b, "Status: %s\r\n", rcpt.status())
	if host := safe(rcpt.RemoteMTA, maxAddress); host != "" {
		fmt.Fprintf(b, "Remote-MTA: dns; %s\r\n", host)
	}
	if kind, text := r.diagnostic(rcpt); text != "" {
		wrap(b, "Diagnostic-Code: ", " ", kind+"; "+text)
	}
	if rcpt.LastAttempt != 0 {
		fmt.Fprintf(b, "Last-Attempt-Date: %s\r\n", date(rcpt.LastAttempt))
	}
	if rcpt.Until != 0 && rcpt.State == spec.Queued {
		fmt.Fprintf(b, "Will-Retry-Until: %s\r\n", date(rcpt.Until))
	}
	fmt.Fprintf(b, "X-Postonce-State: %s\r\n", rcpt.State)
}

// action is the Action of RFC 3464 section 2.3.3; empty when nothing can be said.
func (rcpt *Recipient) action() string {
	switch rcpt.State {
	case spec.Failed, spec.Unknown:
		// "failed" for an unknown outcome, too: of the actions defined it is the
		// only one that says that the relay has given up. X-Postonce-State is
		// for those who can tell the two apart.
		return "failed"
	case spec.Queued:
		return "delayed"
	case spec.Delivered:
		return "relayed"
	}
	return ""
}

// status is the Status field, which must be there and be well formed.
func (rcpt *Recipient) status() string {
	if enhanced.MatchString(rcpt.Status) {
		return rcpt.Status
	}
	switch rcpt.State {
	case spec.Unknown:
		return statusUnknown
	case spec.Delivered:
		return statusRelayed
	case spec.Queued:
		return "4.0.0"
	}
	return "5.0.0"
}

// diagnostic splits the Diagnostic into its type and its text.
func (r *Report) diagnostic(rcpt *Recipient) (kind, text string) {
	all := r.text(rcpt.Diagnostic, maxDiagnostic)
	if kind, text, ok := strings.Cut(all, ";"); ok && kind != "" && kind == token(kind) {
		return kind, strings.TrimSpace(text)
	}
	return "x-postonce", all
}

// boundary returns a boundary that occurs in none of the parts. The loop ends,
// because finitely many octets hold finitely many boundaries. "=_" keeps it
// out of anything quoted-printable (RFC 2045 section 6.7).
func (r *Report) boundary(parts ...[]byte) string {
	for n := 0; ; n++ {
		candidate := fmt.Sprintf("=_%.40s_%d", alphanumeric(string(r.ID)), n)
		taken := false
		for _, p := range parts {
			taken = taken || bytes.Contains(p, []byte(candidate))
		}
		if !taken {
			return candidate
		}
	}
}
