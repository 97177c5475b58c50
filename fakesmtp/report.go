package fakesmtp

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A reported is what a delivery status notification says of one recipient.
type reported struct {
	// recipient is the Final-Recipient without its type, action the Action in
	// lower case, about the Message-ID of the message reported on.
	recipient, action, about string
	// state is Failed or Unknown, zero for any other action.
	state spec.RecipientState
}

// How much of a report is read: more than any honest one has.
const (
	maxParts      = 100
	maxRecipients = 10_000
)

// readReport reads a delivery status notification (RFC 3464). It returns
// nothing when content is none, or cannot be read.
func readReport(content []byte) []reported {
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return nil
	}
	var all []reported
	about := ""
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range maxParts {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			continue
		}
		switch kind {
		case "message/delivery-status", "message/global-delivery-status":
			all = append(all, readStatus(decoded(part))...)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			// What could be read is enough: the header comes first.
			original, _ := io.ReadAll(decoded(part))
			about = messageID(original)
		}
	}
	for i := range all {
		all[i].about = about
	}
	return all
}

// decoded undoes base64; the multipart reader has undone quoted-printable.
func decoded(p *multipart.Part) io.Reader {
	if strings.EqualFold(strings.TrimSpace(p.Header.Get("Content-Transfer-Encoding")), "base64") {
		return base64.NewDecoder(base64.StdEncoding, p)
	}
	return p
}

// readStatus reads the fields of a status part: those of the message, then
// those of each recipient (RFC 3464 section 2.1).
func readStatus(r io.Reader) []reported {
	fields := textproto.NewReader(bufio.NewReader(r))
	var all []reported
	for range maxRecipients {
		group, err := fields.ReadMIMEHeader()
		if recipient := group.Get("Final-Recipient"); recipient != "" {
			all = append(all, readRecipient(recipient, group))
		}
		if err != nil {
			break
		}
	}
	return all
}

// readRecipient reads the fields of one recipient.
func readRecipient(recipient string, group textproto.MIMEHeader) reported {
	if kind, address, ok := strings.Cut(recipient, ";"); ok {
		if recipient = address; strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
			recipient = unescaped(address)
		}
	}
	r := reported{recipient: strings.TrimSpace(recipient), action: strings.ToLower(strings.TrimSpace(group.Get("Action")))}
	switch {
	case strings.EqualFold(strings.TrimSpace(group.Get("X-Postonce-State")), spec.Unknown.String()):
		r.state = spec.Unknown
	case r.action == "failed":
		r.state = spec.Failed
	}
	return r
}

// unescaped undoes the utf-8-addr-xtext of RFC 6533 section 3, in which a
// character may stand as \x{HEX}.
func unescaped(address string) string {
	out, rest, found := strings.Cut(address, `\x{`)
	for found {
		hex, after, closed := strings.Cut(rest, "}")
		n, err := strconv.ParseUint(hex, 16, 21)
		if !closed || err != nil {
			return address
		}
		var more string
		more, rest, found = strings.Cut(after, `\x{`)
		out += string(rune(n)) + more
	}
	return out
}
