package dsn

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postonce/postonce/spec"
)

// International reports whether the report has UTF-8 in its header and fields, so
// that it needs SMTPUTF8 and 8BITMIME (RFC 6533 section 1): only where its reader's
// own address does. Anybody else might be unable to get it.
func (r *Report) International() bool {
	return spec.UTF8Local(r.To) && mailbox(r.To) != nobody
}

// text makes text harmless as safe does, but in a report that is International
// letters of other scripts stand as they are.
func (r *Report) text(text string, limit int) string {
	if !r.International() {
		return safe(text, limit)
	}
	return harmless(text, limit, unicode.IsGraphic)
}

// address is text for an address. Where a report is ASCII, one beyond ASCII stands
// there in an encoding that can be undone (RFC 6533 section 3), not in question
// marks.
func (r *Report) address(address string) string {
	if isUTF8(address) && !r.International() {
		return xtext(address)
	}
	return r.text(address, maxAddress)
}

// addressType is the type of an address (RFC 6533 section 3).
func addressType(address string) string {
	if isUTF8(address) {
		return "utf-8"
	}
	return "rfc822"
}

// isUTF8 reports whether text is beyond ASCII, and the UTF-8 of what can be shown.
func isUTF8(text string) bool {
	beyond := false
	for _, c := range text {
		if !unicode.IsGraphic(c) {
			return false
		}
		beyond = beyond || c > '~'
	}
	return beyond && utf8.ValidString(text)
}

// xtext encodes an address as the utf-8-addr-xtext of RFC 6533 section 3: what is
// not printable ASCII, and what has a meaning in it, in hexadecimal. What is too
// long for a line is cut between two characters.
func xtext(address string) string {
	var b strings.Builder
	for _, c := range address {
		piece := string(c)
		if c <= ' ' || c > '~' || strings.ContainsRune(`\+=`, c) {
			piece = fmt.Sprintf(`\x{%02X}`, c)
		}
		if b.Len()+len(piece) > maxAddress-len("...") {
			b.WriteString("...")
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// cut returns at most n bytes of text, and no half of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
