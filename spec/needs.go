package spec

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Needs are extensions of SMTP without which a server cannot have a message,
// besides those that its size and its octets show (Envelope.Body8Bit).
type Needs uint8

const (
	// NeedUTF8: the header has UTF-8, for which the sender said SMTPUTF8 (RFC
	// 6531). What an address needs, it shows itself: see UTF8Local.
	NeedUTF8 Needs = 1 << iota
	// NeedTLS: the sender wants TLS all the way to the recipient (REQUIRETLS,
	// RFC 8689). A message from the null sender goes without, rather than not
	// at all (section 5 there).
	NeedTLS
)

var needNames = [...]struct {
	bit  Needs
	name string
}{{NeedUTF8, "SMTPUTF8"}, {NeedTLS, "REQUIRETLS"}}

// Has reports whether all of some needs are among n.
func (n Needs) Has(some Needs) bool { return n&some == some }

// Keywords returns the extensions that are needed, as EHLO names them.
func (n Needs) Keywords() []string {
	var words []string
	for _, x := range needNames {
		if n.Has(x.bit) {
			words = append(words, x.name)
		}
	}
	return words
}

// Needed are the extensions that a message needs, as facts have them.
func Needed(body8Bit bool, needs Needs) []string {
	if body8Bit {
		return append([]string{"8BITMIME"}, needs.Keywords()...)
	}
	return needs.Keywords()
}

// UTF8Local reports whether the local part of an address is beyond ASCII: such an
// address can be said only with SMTPUTF8. A domain that is can be said as A-label.
func UTF8Local(address string) bool {
	return !isASCII(address[:strings.LastIndexByte(address, '@')+1])
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// ALabels returns a domain with its internationalised labels as A-labels, in the
// profile for look-ups (RFC 5891 section 5), and whether it has such a form. A
// domain that is ASCII is returned as it is.
func ALabels(domain string) (string, bool) {
	if isASCII(domain) {
		return domain, true
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	return ascii, err == nil && utf8.ValidString(domain)
}
