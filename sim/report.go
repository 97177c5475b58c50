package sim

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strconv"
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

// escaped is a character of the utf-8-addr-xtext of RFC 6533 section 3.
var escaped = regexp.MustCompile(`\\x\{[0-9A-F]{2,6}\}`)

// character undoes one.
func character(escape string) string {
	n, _ := strconv.ParseUint(escape[len(`\x{`):len(escape)-len("}")], 16, 32)
	return string(rune(n))
}

// readStatus reads the groups of fields of a status part, one per recipient.
func readStatus(r io.Reader) []reported {
	fields := textproto.NewReader(bufio.NewReader(r))
	var all []reported
	for {
		group, err := fields.ReadMIMEHeader()
		if kind, address, ok := strings.Cut(group.Get("Final-Recipient"), ";"); ok {
			if strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
				address = escaped.ReplaceAllStringFunc(address, character)
			}
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
