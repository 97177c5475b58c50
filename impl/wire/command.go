package wire

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postonce/postonce/spec"
)

// Commands that take no argument.
const (
	DATA = "DATA\r\n"
	RSET = "RSET\r\n"
	QUIT = "QUIT\r\n"
	// STARTTLS is RFC 3207's.
	STARTTLS = "STARTTLS\r\n"
	// AuthCancel ends a login in the place of a response (RFC 4954 section 4).
	AuthCancel = "*\r\n"
	// LastChunk ends a message that was sent by BDAT (RFC 3030 section 2). It is
	// empty, so that it arrives whole or not at all: there are servers that take a
	// last chunk for whole when the connection ends within it.
	LastChunk = "BDAT 0 LAST\r\n"
)

// A CommandError says that a command cannot be written lawfully.
type CommandError struct {
	// Verb is the command, such as "RCPT".
	Verb string
	// Argument is what cannot be written, cut to 128 bytes.
	Argument string
	// Why is what is wrong with it.
	Why string
	// Enhanced is the enhanced status code that says so in a report: 5.1.3 or
	// 5.1.7 for bad syntax (RFC 3463 section 3.2), 5.6.7 for an address that
	// needs SMTPUTF8 (RFC 6531 section 3.5), 5.3.5 for a wrong own name.
	Enhanced string
}

// Error describes the argument, quoted.
func (e *CommandError) Error() string {
	return fmt.Sprintf("cannot send %s with %q: %s", e.Verb, e.Argument, e.Why)
}

const (
	// maxPath is RFC 5321 section 4.5.3.1.3: 256 octets with the brackets.
	maxPath = 256 - len("<>")
	// maxDomain is RFC 5321 section 4.5.3.1.2.
	maxDomain = 255
)

// EHLO writes the command with the client's own name or address literal.
func EHLO(hostname string) ([]byte, error) { return hello("EHLO", hostname) }

// HELO is for servers that refuse EHLO.
func HELO(hostname string) ([]byte, error) { return hello("HELO", hostname) }

func hello(verb, hostname string) ([]byte, error) {
	if why := hostnameTrouble(hostname); why != "" {
		return nil, commandError(verb, hostname, why, "5.3.5")
	}
	return line(verb, "5.3.5", " ", hostname)
}

func hostnameTrouble(name string) string {
	if name == "" {
		return "it is empty"
	}
	if len(name) > maxDomain {
		return fmt.Sprintf("it is longer than %d bytes", maxDomain)
	}
	for i := range len(name) {
		if name[i] == ' ' {
			return "it has a space"
		}
	}
	return ""
}

// MAIL writes the command for sender, without angle brackets; empty is the
// null sender. Of the parameters only those are written that ext offers:
// SIZE=size when size is positive, BODY=8BITMIME when body8Bit, SMTPUTF8 and
// REQUIRETLS when among needs, and RET= and ENVID= as they were received (RFC 3461
// section 5.2.1). With SMTPUTF8 the sender may be UTF-8.
func MAIL(sender string, size int64, body8Bit bool, needs spec.Needs, tracking spec.Tracking, ext Extensions) ([]byte, error) {
	if why := pathTrouble(sender); why != "" {
		return nil, commandError("MAIL", sender, why, "5.1.7")
	}
	params := ""
	if ext.Size && size > 0 {
		params += " SIZE=" + strconv.FormatInt(size, 10)
	}
	if ext.EightBitMIME && body8Bit {
		params += " BODY=8BITMIME"
	}
	inUTF8 := ext.SMTPUTF8 && needs.Has(spec.NeedUTF8)
	if inUTF8 {
		params += " SMTPUTF8"
	}
	if ext.RequireTLS && needs.Has(spec.NeedTLS) {
		params += " REQUIRETLS"
	}
	if ext.DSN {
		if err := tracking.Validate(); err != nil {
			return nil, commandError("MAIL", sender, err.Error(), "5.5.4")
		}
		if tracking.Return != 0 {
			params += " RET=" + tracking.Return.String()
		}
		if tracking.EnvelopeID != "" {
			params += " ENVID=" + spec.XText(tracking.EnvelopeID)
		}
	}
	return command("MAIL", "5.1.7", " FROM:<", sender, inUTF8, params)
}

// RCPT writes the command for recipient, without angle brackets; with NOTIFY= and
// ORCPT= as they were received, if ext offers that (RFC 3461 sections 5.2.1 and
// 5.2.2). What was not asked for is not added. It may be UTF-8 when ext offers
// SMTPUTF8: the MAIL before it says so then.
func RCPT(recipient string, asked spec.Asked, ext Extensions) ([]byte, error) {
	if recipient == "" {
		return nil, commandError("RCPT", recipient, "it is empty", "5.1.3")
	}
	if why := pathTrouble(recipient); why != "" {
		return nil, commandError("RCPT", recipient, why, "5.1.3")
	}
	params := ""
	if ext.DSN {
		if err := asked.Validate(); err != nil {
			return nil, commandError("RCPT", recipient, err.Error(), "5.5.4")
		}
		if asked.Notify != 0 {
			params += " NOTIFY=" + asked.Notify.Keywords()
		}
		if kind, address, ok := strings.Cut(asked.Original, ";"); ok {
			params += " ORCPT=" + kind + ";" + spec.XText(address)
		}
	}
	return command("RCPT", "5.1.3", " TO:<", recipient, ext.SMTPUTF8, params)
}

// command writes MAIL or RCPT. A path in UTF-8 is written where that is allowed, and
// is held to the same rules as line's parts (RFC 6531 section 3.3).
func command(verb, enhanced, before, path string, utf8Allowed bool, params string) ([]byte, error) {
	if !utf8Allowed || isASCII(path) {
		return line(verb, enhanced, before, path, ">", params)
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return nil, commandError(verb, path, "it is not UTF-8 or has a control character", enhanced)
	}
	end, err := line("", enhanced, ">", params)
	return append([]byte(verb+before+path), end...), err
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// BDAT writes the command before a chunk of size octets, which follow it at once
// (RFC 3030 section 2). It is not the last chunk.
func BDAT(size int64) []byte {
	return append(strconv.AppendInt([]byte("BDAT "), size, 10), '\r', '\n')
}

// pathTrouble says why address cannot stand between angle brackets: a space
// or a bracket outside a quoted string would end the path and begin parameters
// of the sender's or recipient's choosing.
func pathTrouble(address string) string {
	if len(address) > maxPath {
		return fmt.Sprintf("it is longer than %d bytes", maxPath)
	}
	quoted := false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
			if i == len(address) {
				return "it ends in a backslash"
			}
		case (c == ' ' || c == '<' || c == '>') && !quoted:
			return fmt.Sprintf("it has %q outside a quoted string", c)
		}
	}
	if quoted {
		return "its quoted string has no end"
	}
	return ""
}

// line is the one place where commands become bytes. Whatever the callers
// checked, no CR, LF, NUL or other control character passes here, so no
// address can smuggle in a command; and no byte outside ASCII, which without
// SMTPUTF8 is unlawful (RFC 5321 section 2.4). Enhanced is the status code of
// bad syntax in this command.
func line(verb, enhanced string, parts ...string) ([]byte, error) {
	b := []byte(verb)
	for _, part := range parts {
		for i := range len(part) {
			switch c := part[i]; {
			case c >= 0x80:
				return nil, commandError(verb, part, "it is not ASCII", "5.6.7")
			case c < ' ' || c == 0x7f:
				return nil, commandError(verb, part, "it has a control character", enhanced)
			}
		}
		b = append(b, part...)
	}
	return append(b, '\r', '\n'), nil
}

func commandError(verb, argument, why, enhanced string) error {
	if len(argument) > quotedLine {
		argument = argument[:quotedLine]
	}
	return &CommandError{Verb: verb, Argument: argument, Why: why, Enhanced: enhanced}
}
