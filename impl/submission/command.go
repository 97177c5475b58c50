package submission

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// go-smtp is generous with what clients say, and has words of its own for what
// it answers. What it may see of a command, and what clients see of its replies,
// is decided here.

var (
	// Where lines end is not agreed on, so nothing that follows can be relied on.
	refuseEnd = refuse(500, "5.5.2", "a command line ends in CRLF (RFC 5321 section 2.3.8): closing")
	// A chunk follows the command, of a size that may be said or not, and is no
	// command.
	refuseChunks  = refuse(502, "5.5.1", "CHUNKING is not offered: closing")
	refuseLong    = refuse(500, "5.5.2", "the command line is longer than 4096 octets")
	refuseCommand = refuse(502, "5.5.1", "the command is not implemented")
	refuseHello   = refuse(501, "5.5.4", "write EHLO and the name of your host, or its address in brackets")
	refuseSender  = refuse(501, "5.1.7", "write the sender in angle brackets: MAIL FROM:<user@example.org>, or <> for none")
	refuseTo      = refuse(501, "5.1.3", "write the recipient in angle brackets: RCPT TO:<user@example.org>")
	refuseMany    = refuse(421, "4.7.0", "too many errors: closing")
)

// maxErrors is how many commands may be refused here before the connection ends.
const maxErrors = 20

// helloArgument is what may stand after EHLO: more than a domain or an address
// literal, since clients do not know what their host is called; but nothing
// that means anything where the name ends up.
var helloArgument = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]{1,255}$`)

// sizeArgument finds a SIZE that go-smtp, which reads 32 bits, cannot read (RFC
// 1870 section 3 has up to 20 digits).
var sizeArgument = regexp.MustCompile(`(?i) SIZE=([0-9]{10,20})( |$)`)

// command returns the line that go-smtp gets for a command line of a client,
// which ends in CRLF; or a refusal.
func command(line, hostname string) (string, *Refusal) {
	text := strings.TrimSuffix(line, "\r\n")
	verb, argument, _ := strings.Cut(text, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		if !helloArgument.MatchString(strings.TrimSpace(argument)) {
			return "", refuseHello
		}
	case "MAIL":
		if !bracketed(argument, "FROM:") {
			return "", refuseSender
		}
		return sizeArgument.ReplaceAllString(text, " SIZE=4294967295$2") + "\r\n", nil
	case "RCPT":
		if !bracketed(argument, "TO:") {
			return "", refuseTo
		}
		// RFC 5321 section 4.5.1: mail for Postmaster must be taken, also
		// without a domain.
		if at := strings.Index(strings.ToLower(text), "<postmaster>"); at >= 0 {
			at += len("<postmaster")
			return text[:at] + "@" + hostname + text[at:] + "\r\n", nil
		}
	case "BDAT":
		return "", refuseChunks
	case "AUTH", "STARTTLS":
		return "", refuseCommand
	}
	return line, nil
}

// bracketed reports whether an argument is what MAIL and RCPT have: a word, and
// a path in angle brackets (RFC 5321 section 4.1.1.2).
func bracketed(argument, word string) bool {
	argument = strings.TrimSpace(argument)
	if len(argument) < len(word) || !strings.EqualFold(argument[:len(word)], word) {
		return false
	}
	path := strings.TrimSpace(argument[len(word):])
	return strings.HasPrefix(path, "<") && strings.Contains(path, ">")
}

// said gives a reply of go-smtp's the words that clients see: a line, which
// ends in CRLF. Nil hides it.
func (c *conn) said(line []byte) []byte {
	requireTLS := ""
	if c.private {
		requireTLS = "250-REQUIRETLS" // go-smtp has no word for that without TLS
	}
	for _, r := range [...]struct{ theirs, ours string }{
		{"250 2.0.0 Roger, accepting mail from ", "250 2.1.0 sender ok"},
		{"250 2.0.0 I'll make sure ", "250 2.1.5 recipient ok"},
		{"250 2.0.0 I have successfully done nothing", "250 2.0.0 ok"},
		{"250-CHUNKING\r", requireTLS},
		{"250-SIZE\r", fmt.Sprintf("250-SIZE %d", c.limit)},
		{"500 5.5.1 Too many errors. Quiting now", wired(refuseMany)},
		{"421 4.4.2 Idle timeout, bye bye", "421 4.4.2 nothing came for too long: closing"},
		{"421 4.4.0 Connection error, sorry", "421 4.4.2 the connection failed: closing"},
		{"501 5.5.4 Unable to parse SIZE as an integer", "501 5.5.4 SIZE is a number of octets"},
		{"502 5.5.1 Missing MAIL FROM command.", "503 5.5.1 MAIL comes first"},
		{"502 5.5.1 Missing RCPT TO command.", "503 5.5.1 RCPT comes first"},
		{"502 5.5.1 Please introduce yourself first.", "503 5.5.1 EHLO comes first"},
	} {
		if !bytes.HasPrefix(line, []byte(r.theirs)) {
			continue
		}
		if r.ours == "" {
			return nil
		}
		if strings.HasPrefix(r.theirs, "421 4.4.2") && c.ending() {
			r.ours = wired(refuseDrain)
		}
		return []byte(r.ours + "\r\n")
	}
	return line
}

// wired is a reply as it is sent, without its line end.
func wired(r *Refusal) string {
	return r.Reply.String()
}
