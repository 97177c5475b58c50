package spec

import "net/netip"

// judgeSource judges, when a recipient is named, that the connection comes from
// the address that policy has for him.
func (c *Checker) judgeSource(s *session, e *event) {
	if len(c.policy.Source) == 0 || e.Stage != StageRCPT {
		return
	}
	from, err := netip.ParseAddrPort(e.Session)
	dest, known := c.destFor(s, path(e.Text))
	if err != nil || !known {
		return
	}
	ip, to := from.Addr().Unmap(), from.Addr()
	if at, err := netip.ParseAddrPort(s.addr); err == nil {
		to = at.Addr()
	}
	host := e.Host
	if to.Unmap() == literalAddress(dest) {
		host = dest // who writes to an address literal means the host that is there, under no name
	}
	if want := c.policy.SourceFor(dest, host, to); want.IsValid() && want != ip {
		c.violate(NextHopOrder, "source "+e.Session+e.At.String(), []*event{s.made, e},
			"the relay speaks with %s for %s from %s, and policy says from %s", e.Host, dest, ip, want)
	}
}
