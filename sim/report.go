package sim

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A reported is what a report (RFC 3464) says of one recipient.
type reported struct {
	// recipient is the Final-Recipient without its type, action the Action in
	// lower case, about the Message-ID of the message reported on.
	recipient, action, about string
	// state is Failed or Unknown; zero for any other action.
	state spec.RecipientState
}

// readReport reads a report; it returns nothing when content is none.
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
	for {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			all = append(all, readStatus(part)...)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			original, _ := io.ReadAll(part) // what could be read has the header
			about = messageID(append(original, "\r\n\r\n"...))
		}
	}
	for i := range all {
		all[i].about = about
	}
	return all
}

// readStatus reads the groups of fields of a status part, one per recipient.
func readStatus(r io.Reader) []reported {
	fields := textproto.NewReader(bufio.NewReader(r))
	var all []reported
	for {
		group, err := fields.ReadMIMEHeader()
		if _, address, ok := strings.Cut(group.Get("Final-Recipient"), ";"); ok {
			one := reported{recipient: strings.TrimSpace(address), action: strings.ToLower(strings.TrimSpace(group.Get("Action")))}
			switch {
			case strings.EqualFold(strings.TrimSpace(group.Get("X-Postonce-State")), spec.Unknown.String()):
				one.state = spec.Unknown
			case one.action == "failed":
				one.state = spec.Failed
			}
			all = append(all, one)
		}
		if err != nil {
			return all
		}
	}
}
