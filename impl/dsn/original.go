package dsn

import (
	"bytes"
	"mime/quotedprintable"

	"github.com/postonce/postonce/spec"
)

// MaxHeader caps the octets of the original's header that a report shows.
const MaxHeader = 16 << 10

// maxLine is the line length that RFC 5322 section 2.1.1 allows, without CRLF.
const maxLine = 998

// original returns the part that gives back the message: its type, its content
// and its Content-Transfer-Encoding.
func (r *Report) original() (kind string, content []byte, encoding string) {
	if r.Original.Whole && r.count(spec.Failed)+r.count(spec.Unknown) > 0 && sendable(r.Original.Header) {
		return "message/rfc822", r.Original.Header, "7bit"
	}
	content, encoding = originalHeader(r.Original.Header)
	return "text/rfc822-headers", content, encoding
}

// sendable reports whether content can stand in a report as it is: lines of
// printable ASCII that end in CRLF.
func sendable(content []byte) bool {
	for line := range bytes.Lines(content) {
		line, ended := bytes.CutSuffix(line, []byte("\r\n"))
		if !ended || !printable(line) {
			return false
		}
	}
	return len(content) > 0
}

// printable reports whether a line, without its end, needs no encoding.
func printable(line []byte) bool {
	return len(line) <= maxLine && !bytes.ContainsFunc(line, func(c rune) bool { return c != '\t' && (c < ' ' || c > '~') })
}

// originalHeader returns the part that shows the original's header and its
// Content-Transfer-Encoding. What does not go as it is goes quoted-printable,
// which RFC 6522 section 4 allows for just this.
func originalHeader(header []byte) (content []byte, encoding string) {
	lines, plain := headerLines(header)
	if plain {
		return lines, "7bit"
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(lines) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes(), "quoted-printable"
}

// headerLines returns the header block with CRLF line ends, cut before the
// field that exceeds MaxHeader, and whether it can be sent without encoding.
func headerLines(header []byte) (lines []byte, plain bool) {
	var b bytes.Buffer
	field := 0 // where the last field begins in b
	plain = true
	for line := range bytes.Lines(header) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			field = b.Len()
		}
		if b.Len()+len(line)+2 > MaxHeader {
			b.Truncate(field)
			break
		}
		// A bare CR would end a line for some readers (RFC 5322 section 2.2),
		// and also for the encoder.
		b.Write(bytes.ReplaceAll(line, []byte("\r"), []byte("?")))
		b.WriteString("\r\n")
		plain = plain && printable(line)
	}
	return b.Bytes(), plain
}
