package fakesmtp

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
)

// readSize is how much of the input is buffered; more than any lawful line.
const readSize = 4096

// The longest line of a command (RFC 5321 section 4.5.3.1.4) and of content
// (section 4.5.3.1.6), with CRLF.
const (
	maxCommand = 512
	maxText    = 1000
	// maxResponse is that of a line of a login (RFC 4954 section 4); AUTH itself
	// is a command like others.
	maxResponse = 12288
)

// What extensions add to the length of a command line.
var longer = []struct {
	verb, keyword string
	octets        int
}{
	{"MAIL", "SIZE", 26},       // RFC 1870 section 3
	{"MAIL", "8BITMIME", 17},   // RFC 6152 section 2
	{"MAIL", "SMTPUTF8", 10},   // RFC 6531 section 3.1
	{"MAIL", "AUTH", 500},      // RFC 4954 section 3
	{"MAIL", "DSN", 107},       // RFC 3461 section 4
	{"RCPT", "DSN", 500},       // RFC 3461 section 4
	{"MAIL", "DELIVERBY", 17},  // RFC 2852 section 3
	{"MAIL", "REQUIRETLS", 11}, // RFC 8689 section 2
}

// readCommand reads one command. See readLine.
func (c *session) readCommand() (line, problem string, err error) {
	return c.readLine(func(line string) int {
		limit, verb := maxCommand, verbOf(line)
		for _, l := range longer {
			if l.verb == verb && c.offers(l.keyword) {
				limit += l.octets
			}
		}
		return limit
	})
}

// readLine reads one line and returns it without its end. What is wrong with it
// as a line is told in problem; a line that is too long is cut.
func (c *session) readLine(most func(line string) int) (line, problem string, err error) {
	part, err := c.in.ReadSlice('\n')
	line = string(part)
	length := len(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = c.in.ReadSlice('\n')
		if length += len(part); length <= maxResponse {
			line += string(part)
		}
	}
	if err != nil {
		return "", "", err
	}
	c.length = length
	end := len(line) == length && !strings.HasSuffix(line, "\r\n")
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	limit := most(line)
	switch {
	case length > limit:
		problem = "the command line is longer than " + plural(limit) + " (RFC 5321 section 4.5.3.1.4)"
	case strings.IndexByte(line, 0) >= 0:
		problem = "the command line has a NUL (RFC 5321 section 4.1.2)"
	case strings.IndexByte(line, '\r') >= 0:
		problem = "the command line has a bare CR (RFC 5321 section 2.3.8)"
	case end:
		problem = "the command line ends in a bare LF (RFC 5321 section 2.3.8)"
	}
	return line, problem, nil
}

// verbOf returns the first word of a command in upper case.
func verbOf(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	return upper(verb)
}

// upper returns an ASCII word in upper case. Any other is no keyword, and stays
// as it is: the upper case of "ı" is an honest "I".
func upper(word string) string {
	if !isASCII(word) {
		return word
	}
	return strings.ToUpper(word)
}

// isASCII reports whether p has no octet above 127.
func isASCII[T string | []byte](p T) bool {
	for i := range len(p) {
		if p[i] >= 0x80 {
			return false
		}
	}
	return true
}

// bareCR reports whether part of a line, as it was read, has a CR that no LF
// follows. A CR at its very end is not yet known to be bare.
func bareCR(part []byte) bool {
	for {
		i := bytes.IndexByte(part, '\r')
		if i < 0 || i == len(part)-1 {
			return false
		}
		if part[i+1] != '\n' {
			return true
		}
		part = part[i+2:]
	}
}
