package spec

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What hosts are called, and which of them are the relay itself.

// hostName returns a host name in the form in which names are compared.
func hostName(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }

// hopNames returns the names of hosts that an operator gave. A host that is
// given by its address is called by it, in brackets.
func hopNames(list []string) []string {
	var names []string
	for _, entry := range list {
		name := hostName(withoutPort(entry))
		if ip := literalAddress(name); ip.IsValid() {
			name = literalOf(ip)
		}
		names = append(names, name)
	}
	return names
}

// literalAddress returns the address that a name is, with or without brackets
// (RFC 5321 section 4.1.3); invalid when it is none.
func literalAddress(name string) netip.Addr {
	inner := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	ip, err := netip.ParseAddr(strings.TrimPrefix(inner, "ipv6:"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
}

// literalOf is the inverse, in the one form in which literals are compared.
func literalOf(ip netip.Addr) string {
	if ip.Is6() {
		return "[ipv6:" + ip.String() + "]"
	}
	return "[" + ip.String() + "]"
}

// given returns the hosts that the operator gave for a destination.
func (c *Checker) given(dest string) []string {
	_, hosts := c.policy.Given(dest)
	return hopNames(hosts)
}

// withoutPort removes the port from host:port.
func withoutPort(s string) string {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || strings.Contains(s[:colon], ":") && !strings.HasSuffix(s[:colon], "]") {
		return s
	}
	if _, err := strconv.ParseUint(s[colon+1:], 10, 16); err != nil {
		return s
	}
	return s[:colon]
}

// ownHost reports whether a host has one of the relay's own addresses.
func (c *Checker) ownHost(host string) bool {
	at := func(kind string) bool {
		return slices.ContainsFunc(c.hops.addrs[c.hops.end(host, kind)], c.policy.OwnAddress)
	}
	return len(c.policy.Own) > 0 && (at("A") || at("AAAA"))
}

// ownBest reports whether none of some MX records, sorted, is better than one
// whose host has the relay's own address.
func (c *Checker) ownBest(mx []mxRecord) bool {
	return slices.ContainsFunc(mx, func(r mxRecord) bool { return r.preference == mx[0].preference && c.ownHost(r.host) })
}
