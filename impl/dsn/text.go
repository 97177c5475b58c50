package dsn

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// maxAddress bounds what stands on a line of its own, so that the line
	// keeps to the 998 octets of RFC 5322 section 2.1.1.
	maxAddress = 800
	// maxDiagnostic bounds a server's words.
	maxDiagnostic = 2000
	// width is the line length that RFC 5322 section 2.1.1 asks for.
	width = 78
)

var (
	// localPattern is the Local-part of RFC 5321 section 4.1.2, with the UTF-8 of
	// RFC 6531 section 3.3.
	localPattern = regexp.MustCompile(`^(` + atom + `(\.` + atom + `)*|"([ !#-\[\]-~[:^ascii:]]|\\[ -~])*")$`)
	// typedPattern is an address with its type (RFC 3464 section 2.1.2).
	typedPattern = regexp.MustCompile(`^` + atom + `; *[^ ]`)
	// idPattern is generous: Message-IDs are.
	idPattern = regexp.MustCompile(`^[!-;=?-~]{1,800}$`)
)

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~[:^ascii:]-]+"

// safe makes text harmless: one line of at most limit printable ASCII
// characters. White space becomes a space, anything else a question mark.
func safe(text string, limit int) string {
	return harmless(text, limit, func(r rune) bool { return r >= ' ' && r <= '~' })
}

// harmless is safe for characters of which keep is true.
func harmless(text string, limit int, keep func(rune) bool) string {
	if len(text) > 4*limit {
		text = text[:4*limit] // the longest character takes four octets
	}
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\r' || r == '\n':
			return ' '
		case r == utf8.RuneError || !keep(r):
			return '?'
		}
		return r
	}, text))
	if len(text) > limit {
		return strings.TrimSpace(cut(text, limit-3)) + "..."
	}
	return text
}

// wrap writes text, which is safe, as lines of at most width octets where its
// spaces allow, never of more than 998: first begins the first line, next all
// others.
func wrap(b *bytes.Buffer, first, next, text string) {
	line, empty := first, true
	for word := range strings.FieldsSeq(text) {
		for word != "" {
			piece := cut(word, maxAddress)
			word = word[len(piece):]
			if !empty && len(line)+1+len(piece) > width {
				b.WriteString(line + "\r\n")
				line, empty = next, true
			}
			if !empty {
				line += " "
			}
			line += piece
			empty = false
		}
	}
	b.WriteString(line + "\r\n")
}

// only returns text without the characters that keep refuses.
func only(text string, keep func(c rune) bool) string {
	return strings.Map(func(c rune) rune {
		if keep(c) {
			return c
		}
		return -1
	}, text)
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// alphanumeric returns the letters and digits of text, up to 100.
func alphanumeric(text string) string {
	text = only(text, isAlphanumeric)
	return text[:min(len(text), 100)]
}

// token returns text without what cannot stand in the name of a type.
func token(text string) string {
	return only(text, func(c rune) bool { return isAlphanumeric(c) || c == '-' })
}

// domain returns the host's name as it can stand in a mailbox; an address
// literal keeps its brackets.
func domain(host string) string {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner = strings.TrimSuffix(inner, "]")
		if addr, err := netip.ParseAddr(strings.TrimPrefix(strings.ToLower(inner), "ipv6:")); err == nil && addr.Zone() == "" {
			return "[" + inner + "]"
		}
	}
	var labels []string
	length := 0
	for label := range strings.SplitSeq(host, ".") {
		label = only(label, func(c rune) bool { return isAlphanumeric(c) || c == '-' || c == '_' })
		if length += len(label) + 1; label != "" && length <= 254 {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return "localhost"
	}
	return strings.Join(labels, ".")
}

// mailbox returns the address for the To field: the envelope decides where the
// report goes, so that one which the field cannot hold is left out.
func mailbox(address string) string {
	at := strings.LastIndexByte(address, '@')
	whole := isUTF8(address) || safe(address, maxAddress) == address
	if at > 0 && whole && len(address) <= maxAddress && localPattern.MatchString(address[:at]) && domain(address[at+1:]) == address[at+1:] {
		return "<" + address + ">"
	}
	return nobody
}

// nobody is the To field of a report whose reader it cannot name.
const nobody = "undisclosed-recipients:;"

// messageID returns a Message-ID without its brackets, or "" when it is not
// one that a field can hold.
func messageID(id string) string {
	id = strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
	if idPattern.MatchString(id) {
		return id
	}
	return ""
}
