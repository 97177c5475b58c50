package route

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/postonce/postonce/spec"
)

// canonical returns name in the one form in which names are compared and
// shown: lower-cased, without the trailing dot.
func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// notAHost returns why the canonical name cannot be that of a mail host, or
// "". An address is no name: an MX must point to a host (RFC 5321 section
// 2.3.5), and an address as its target would be resolved as a name for ever.
func notAHost(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return "is an address, not a host name"
	}
	if len(name) > 253 {
		return "is longer than 253 octets"
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "has a label that is empty or longer than 63 octets"
		}
		for _, c := range []byte(label) {
			// The underscore is not in RFC 952's letters, but in the DNS.
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return "has a character that no host name has"
			}
		}
	}
	return ""
}

// literal routes to an address literal, given in lower case with its brackets
// (RFC 5321 section 4.1.3): no DNS is asked.
func literal(dest string, port uint16) ([]Host, *Problem) {
	addr, ok := parseLiteral(dest)
	if !ok {
		return nil, &Problem{spec.NoDomain, fmt.Sprintf("%.100q is not an address literal (RFC 5321 section 4.1.3)", dest)}
	}
	if addr.IsUnspecified() || addr.IsMulticast() {
		return nil, &Problem{spec.NoAddress, fmt.Sprintf("%s is not the address of a host", addr)}
	}
	return []Host{{Name: literalName(addr), Port: port, Addr: addr}}, nil
}

// parseLiteral parses "[192.0.2.1]" and "[ipv6:2001:db8::1]", in lower case.
func parseLiteral(text string) (netip.Addr, bool) {
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return netip.Addr{}, false
	}
	if inner, ok = strings.CutSuffix(inner, "]"); !ok {
		return netip.Addr{}, false
	}
	inner, six := strings.CutPrefix(inner, "ipv6:")
	addr, err := netip.ParseAddr(inner)
	if err != nil || addr.Zone() != "" || addr.Is6() != six {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// literalName is the inverse of parseLiteral.
func literalName(addr netip.Addr) string {
	if addr.Is6() {
		return "[ipv6:" + addr.String() + "]"
	}
	return "[" + addr.String() + "]"
}
