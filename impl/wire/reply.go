package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A MalformedError says that bytes which should have been a reply are none in
// the grammar of RFC 5321 section 4.2. Where such a reply ends is not known,
// so nothing more can be read from the connection.
type MalformedError struct {
	// Line is the offending line without its line end, cut to 128 bytes.
	Line string
	// Why is what is wrong with it.
	Why string
}

// Error describes the malformed line, quoted.
func (e *MalformedError) Error() string { return fmt.Sprintf("malformed reply %q: %s", e.Line, e.Why) }

// quotedLine is how much of an offending line an error keeps.
const quotedLine = 128

func malformed(line []byte, why string) error {
	line = trimEOL(line)
	if len(line) > quotedLine {
		line = line[:quotedLine]
	}
	return &MalformedError{Line: string(line), Why: why}
}

// ReadReply reads one complete reply, of all its lines at most maxBytes with
// their line ends. It never keeps more than that in memory, whatever a server
// sends.
//
// The error is a *MalformedError when the bytes are no reply; io.EOF when the
// connection ended before the first byte, io.ErrUnexpectedEOF when it ended
// within the reply; else what r returned.
//
// It is strict where a guess could turn one answer into another, and lenient
// where there is only one way to understand the server:
//
//   - Lines of one reply with different codes are refused: RFC 5321 section
//     4.2.1 demands equal codes, and after the final dot "250-" followed by
//     "550 " is neither.
//   - A line may end in a bare LF. RFC 5321 section 2.3.8 calls for CRLF, but
//     refusing would turn a plain acceptance into a doubt, and a reply is read
//     in lock step: there is nobody to smuggle a second one in.
//   - Empty lines before a reply are passed over, as some servers send them:
//     taken for a reply, one would stand for the acceptance that follows it.
//   - The text may be missing, with or without its space (RFC 5321 section
//     4.2: "Reply-code [ SP textstring ] CRLF"), may be UTF-8 (RFC 6531
//     section 3.7.4.2), and its other bytes are replaced, as it ends up in
//     logs and reports.
//   - Any code from 200 to 599 is taken, also ones no standard knows: RFC 5321
//     section 4.3.2 has clients go by the first digit then.
//
// An enhanced status code (RFC 2034, RFC 3463) is split off the text when its
// class is the class of the code; else it stays text. That of a reply of several
// lines is the first one: RFC 2034 section 4 wants it on every line, but it
// stands on one alone in the field.
func ReadReply(r *bufio.Reader, maxBytes int) (spec.Reply, error) {
	var reply spec.Reply
	left := maxBytes
	for {
		line, err := readLine(r, left)
		if err != nil {
			if err == io.EOF && reply.Lines != nil {
				err = io.ErrUnexpectedEOF
			}
			return spec.Reply{}, err
		}
		left -= len(line)
		if reply.Lines == nil && len(trimEOL(line)) == 0 {
			continue
		}
		code, last, text, err := parseLine(line)
		if err != nil {
			return spec.Reply{}, err
		}
		if reply.Lines == nil {
			reply.Code = code
		} else if code != reply.Code {
			return spec.Reply{}, malformed(line, fmt.Sprintf("code differs from %d of the lines before", reply.Code))
		}
		enhanced, text := splitEnhanced(text, reply.Class())
		if reply.Enhanced == "" {
			reply.Enhanced = string(enhanced)
		}
		reply.Lines = append(reply.Lines, clean(text))
		if last {
			return reply, nil
		}
	}
}

// readLine returns the next line with its line end, at most limit bytes. The
// slice is valid until the next read.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(long)+len(part) > limit {
			return nil, malformed(append(long, part...), "reply is too long")
		}
		switch {
		case err == nil && long == nil:
			return part, nil
		case err == nil:
			return append(long, part...), nil
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
		case err == io.EOF && len(long)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// parseLine takes one line of a reply apart; last is false for "250-text".
func parseLine(line []byte) (code int, last bool, text []byte, err error) {
	body := trimEOL(line)
	if len(body) < 3 || !digit(body[0]) || !digit(body[1]) || !digit(body[2]) {
		return 0, false, nil, malformed(line, "does not begin with a three-digit code")
	}
	// RFC 5321 has no 1yz replies: no command lets the server send one.
	if body[0] < '2' || body[0] > '5' {
		return 0, false, nil, malformed(line, "code is not between 200 and 599")
	}
	code = int(body[0]-'0')*100 + int(body[1]-'0')*10 + int(body[2]-'0')
	if len(body) == 3 {
		return code, true, nil, nil
	}
	switch body[3] {
	case ' ':
		return code, true, body[4:], nil
	case '-':
		return code, false, body[4:], nil
	}
	return 0, false, nil, malformed(line, "code is followed by neither space nor hyphen")
}

// splitEnhanced splits "4.7.1 text" when the enhanced code's class is class.
func splitEnhanced(text []byte, class int) (enhanced, rest []byte) {
	word, rest, _ := bytes.Cut(text, []byte(" "))
	if !enhancedCode(word) || int(word[0]-'0') != class {
		return nil, text
	}
	return word, rest
}

// enhancedCode reports whether word is a status-code of RFC 3463 section 2:
// class "." subject "." detail, the class one of 2, 4 and 5, the others one
// to three digits.
func enhancedCode(word []byte) bool {
	if len(word) < len("2.0.0") || word[1] != '.' || word[0] != '2' && word[0] != '4' && word[0] != '5' {
		return false
	}
	subject, detail, ok := bytes.Cut(word[2:], []byte("."))
	return ok && upToThreeDigits(subject) && upToThreeDigits(detail)
}

func upToThreeDigits(b []byte) bool {
	for _, c := range b {
		if !digit(c) {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= 3
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func trimEOL(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// clean makes text safe to store and to show: control characters and what is
// not UTF-8 become "?", one for each run of bad bytes at least.
func clean(text []byte) string {
	plain := true
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return string(text)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || 0x7f <= r && r < 0xa0:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(string(text), "?"))
}
