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
	if want := c.policy.SourceFor(dest, e.Host, to); want.IsValid() && want != ip {
		c.violate(NextHopOrder, "source "+e.Session+e.At.String(), []*event{s.made, e},
			"the relay speaks with %s for %s from %s, and policy says from %s", e.Host, dest, ip, want)
	}
}
