package submission

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// maxLine is the longest text line that may be sent, CRLF included
	// (RFC 5321 section 4.5.3.1.6).
	maxLine = 1000
	// maxReceived is the number of Received fields from which on a message is
	// taken to go in a circle (RFC 5321 section 6.3).
	maxReceived = 100
	// maxMessageID bounds what is kept of a Message-ID field while it is read.
	maxMessageID = 2 * maxLine
)

// errRead is wrapped by the errors of the client's side, to tell them from
// those of the store.
var errRead = errors.New("the content cannot be read")

// A content streams the content of one message from the client into the spool,
// line by line, and learns on the way what the relay has to know of it. What
// it writes is what it reads; it only adds a Message-ID at the end of the
// header when there is none.
type content struct {
	// messageID is the Message-ID of the message without angle brackets. It
	// is set before copy to what is added when the message has none.
	messageID string
	// limit is the greatest size that is taken.
	limit int64
	// eightBit is true when an octet above 127 was seen.
	eightBit bool
	// utf8 is true when the header has UTF-8 beyond ASCII.
	utf8 bool

	size     int64
	received int
	inHeader bool
	// field is the header field being read, lower case; id collects the value
	// of the first Message-ID field, and seenID tells that there was one.
	field  string
	id     []byte
	seenID bool
}

// A Content is what the relay has to know of the content of a message.
type Content struct {
	// MessageID is without angle brackets.
	MessageID string
	// EightBit is true when there are octets above 127.
	EightBit bool
}

// CopyContent copies the content of a message that does not come by SMTP, and
// refuses what would be refused there: more than limit bytes, line ends other
// than CRLF, lines that are too long, NUL, and mail that goes in a circle. It
// adds a Message-ID field with messageID when there is none. The error is a
// *Refusal, or that of reading or writing.
func CopyContent(w io.Writer, r io.Reader, messageID string, limit int64) (Content, error) {
	c := content{messageID: messageID, limit: limit}
	err := c.copy(w, r)
	return Content{c.messageID, c.eightBit}, err
}

// copy reads r to its end. The error is a *Refusal, or wraps errRead when r
// failed, or is w's.
func (c *content) copy(w io.Writer, r io.Reader) error {
	c.inHeader = true
	lines := bufio.NewReaderSize(r, 2*maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		c.size += int64(len(line))
		switch {
		case c.size > c.limit:
			return refuseLarge
		case errors.Is(err, bufio.ErrBufferFull):
			return refuseLine
		case err == io.EOF && len(line) == 0:
			return c.endHeader(w)
		case err == io.EOF:
			// What comes by DATA cannot end within a line, and what goes by it
			// cannot either, so the line is completed.
			line = append(bytes.Clone(line), '\r', '\n')
		case err != nil:
			return fmt.Errorf("%w: %w", errRead, err)
		}
		if err := c.line(w, line); err != nil {
			return err
		}
	}
}

// line checks and writes one line, which ends in LF.
func (c *content) line(w io.Writer, line []byte) error {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 {
		return refuseBare
	}
	if len(line) > maxLine {
		return refuseLine
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return refuseNUL
	}
	beyond := bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
	c.eightBit = c.eightBit || beyond
	if c.inHeader {
		c.utf8 = c.utf8 || beyond && isUTF8Field(text)
		if err := c.header(w, text); err != nil {
			return err
		}
	}
	_, err := w.Write(line)
	return err
}

// header takes a line of the header, or the first line after it: the empty
// one, or one that cannot be of a header.
func (c *content) header(w io.Writer, text []byte) error {
	if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') && c.field != "" {
		c.value(text)
		return nil
	}
	name, value, ok := bytes.Cut(text, []byte(":"))
	name = bytes.TrimRight(name, " \t") // RFC 5322 section 4.5.
	if !ok || !isFieldName(name) {
		return c.endHeader(w)
	}
	c.field = strings.ToLower(string(name))
	switch c.field {
	case "received":
		if c.received++; c.received > maxReceived {
			return refuseLoop
		}
	case "message-id":
		if c.seenID {
			c.field = "another message-id" // Only the first one counts.
		}
		c.seenID = true
	}
	c.value(value)
	return nil
}

// value takes a piece of the value of the field being read.
func (c *content) value(text []byte) {
	if c.field == "message-id" && len(c.id)+len(text) <= maxMessageID {
		c.id = append(c.id, text...)
	}
}

// endHeader settles the Message-ID.
func (c *content) endHeader(w io.Writer) error {
	if !c.inHeader {
		return nil
	}
	c.inHeader = false
	if !c.seenID {
		_, err := fmt.Fprintf(w, "Message-ID: <%s>\r\n", c.messageID)
		return err
	}
	// A Message-ID that is empty names nothing, and a second field is not
	// allowed: then the one that would have been added names the message here.
	if id := messageID(string(c.id)); id != "" {
		c.messageID = id
	}
	return nil
}

// messageID returns what stands in the angle brackets of a Message-ID field,
// or, where there are none, all of it.
func messageID(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		if id, _, ok := strings.Cut(rest, ">"); ok {
			value = id
		}
	}
	return strings.TrimSpace(value)
}

// isUTF8Field reports whether a line is of a header, and UTF-8. What is in another
// encoding, without MIME's words for it, is nothing that SMTPUTF8 could help.
func isUTF8Field(line []byte) bool {
	folded := line[0] == ' ' || line[0] == '\t'
	name, _, ok := bytes.Cut(line, []byte(":"))
	return utf8.Valid(line) && (folded || ok && isFieldName(bytes.TrimRight(name, " \t")))
}

// isFieldName reports whether name is the name of a header field (RFC 5322
// section 2.2).
func isFieldName(name []byte) bool {
	for _, b := range name {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(name) > 0
}
