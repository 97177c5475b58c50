package submission

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postonce/postonce/spec"
)

// The limits of RFC 5321 section 4.5.3.1, in octets. A path has two angle
// brackets more than the mailbox in it.
const (
	maxLocal   = 64
	maxDomain  = 255
	maxMailbox = 256 - 2
	maxLabel   = 63 // RFC 1035 section 2.3.4
)

// A Mailbox is an address as RFC 5321 section 4.1.2 writes it.
type Mailbox struct {
	// Local is the local-part in its shortest form: quoted only when it must
	// be. Two spellings of one local-part become one.
	Local string
	// Domain is a domain name, or an address literal with its brackets.
	Domain string
}

// String returns the address as it stands between angle brackets.
func (m Mailbox) String() string { return m.Local + "@" + m.Domain }

// Same returns what is equal for two spellings of one mailbox.
func (m Mailbox) Same() string { return spec.Mailbox(m.String()) }

// Errors of ParseMailbox. Each says what to change, and nothing of the input.
var (
	errNoAt     = errors.New("an address needs a local part and a domain with an @ between them")
	errLocal    = errors.New("malformed local part")
	errQuoted   = errors.New("malformed quoted local part")
	errDomain   = errors.New("malformed domain")
	errLiteral  = errors.New("malformed address literal")
	errTooLong  = errors.New("address too long")
	errNotUTF8  = errors.New("address is neither ASCII nor UTF-8")
	errNoALabel = errors.New("the domain is no internationalised domain name (RFC 5891)")
)

// ParseMailbox parses the Mailbox of RFC 5321 section 4.1.2, without angle
// brackets and source route, as RFC 6531 section 3.3 extends it: UTF-8 may stand in
// the local part, and in the domain, of which the Mailbox has the A-labels.
func ParseMailbox(s string) (Mailbox, error) {
	if !strings.HasPrefix(s, `"`) {
		local, domain, ok := strings.Cut(s, "@")
		if !ok {
			return Mailbox{}, errNoAt
		}
		if !isDotString(local) {
			return Mailbox{}, errLocal
		}
		return mailbox(local, domain)
	}
	raw, rest, err := unquote(s)
	if err != nil {
		return Mailbox{}, err
	}
	domain, ok := strings.CutPrefix(rest, "@")
	if !ok {
		return Mailbox{}, errNoAt
	}
	return mailbox(raw, domain)
}

// mailbox makes a Mailbox of a local-part without quotes.
func mailbox(raw, domain string) (Mailbox, error) {
	local := raw
	if !isDotString(raw) {
		for i := range len(raw) {
			if !isText(raw[i]) {
				return Mailbox{}, errLocal
			}
		}
		local = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(raw) + `"`
	}
	if !utf8.ValidString(raw) || !utf8.ValidString(domain) || strings.ContainsFunc(raw, unicode.IsControl) {
		return Mailbox{}, errNotUTF8
	}
	given := domain
	domain, ok := spec.ALabels(domain)
	if !ok {
		return Mailbox{}, errNoALabel
	}
	if !isDomain(domain) && !isLiteral(domain) {
		return Mailbox{}, domainError(given)
	}
	m := Mailbox{Local: local, Domain: domain}
	if len(local) > maxLocal || len(m.String()) > maxMailbox {
		return Mailbox{}, errTooLong
	}
	return m, nil
}

// isText reports whether a byte may stand in a quoted string: of what is printed,
// or of a character beyond ASCII.
func isText(c byte) bool { return c >= ' ' && c != 0x7f }

func domainError(domain string) error {
	switch {
	case strings.HasPrefix(domain, "["):
		return errLiteral
	case len(domain) > maxDomain:
		return errTooLong
	}
	return errDomain
}

// unquote reads the Quoted-string at the start of s and returns what it stands
// for, and what follows it.
func unquote(s string) (raw, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			c = s[i]
		}
		if !isText(c) {
			return "", "", errLocal
		}
		b.WriteByte(c)
	}
	return "", "", errQuoted
}

// isDotString reports whether s is atoms with single dots between them.
func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if !isAlnum(atom[i]) && atom[i] < 0x80 && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(atom[i])) {
				return false
			}
		}
	}
	return true
}

// isDomain reports whether s is a Domain: labels of letters, digits and inner
// hyphens. A trailing dot is no part of the grammar.
func isDomain(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

// isLiteral reports whether s is an IPv4 or IPv6 address literal (RFC 5321
// section 4.1.3). No other kind was ever registered.
func isLiteral(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return false
	}
	if inner, ok = strings.CutSuffix(inner, "]"); !ok {
		return false
	}
	const tag = "IPv6:"
	v6 := len(inner) > len(tag) && strings.EqualFold(inner[:len(tag)], tag)
	if v6 {
		inner = inner[len(tag):]
	}
	addr, err := netip.ParseAddr(inner)
	return err == nil && addr.Zone() == "" && addr.Is6() == v6
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
