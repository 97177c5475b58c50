package spec

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Route returns the hosts that Routes has for a domain, and the name under
// which it has them: the domain's own, else that of the nearest domain above
// it, with a dot before it. Without a route both are empty.
func (p Policy) Route(domain string) (name string, hosts []string) {
	domain = strings.TrimSuffix(strings.ToLower(domain), ".")
	if hosts = p.Routes[domain]; len(hosts) > 0 {
		return domain, hosts
	}
	for at := range domain {
		if hosts = p.Routes[domain[at:]]; domain[at] == '.' && len(hosts) > 0 {
			return domain[at:], hosts
		}
	}
	return "", nil
}

// Given returns the hosts that the operator gave for a destination, from
// SenderRoutes, Routes or else Relays, and what to call them; nothing where the DNS decides.
func (p Policy) Given(destination string) (what string, hosts []string) {
	if hosts := viaHosts(destination); hosts != nil {
		return "route by sender", hosts
	}
	if name, hosts := p.Route(destination); len(hosts) > 0 {
		return "route for " + name, hosts
	}
	if len(p.Relays) > 0 {
		return "relays", p.Relays
	}
	return "", nil
}

// OwnName reports whether a host name is the relay's own: Hostname, or one of
// Own. It is given in lower case and without a trailing dot.
func (p Policy) OwnName(name string) bool {
	same := func(own string) bool { return strings.EqualFold(strings.TrimSuffix(own, "."), name) }
	return name != "" && (same(p.Hostname) || slices.ContainsFunc(p.Own, same))
}

// OwnAddress reports whether an address is among Own.
func (p Policy) OwnAddress(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Own, func(own string) bool {
		a, err := netip.ParseAddr(own)
		return err == nil && a.Unmap() == addr.Unmap()
	})
}

// NoMailHost reports whether an address that the DNS gave is one at which no MX
// host can be: a loopback address leads back to the relay's own machine. Where
// MX hosts are spoken to at another port than SMTP's, the operator has made a
// world of his own, which may live on one machine.
func (p Policy) NoMailHost(addr netip.Addr) bool {
	return addr.Unmap().IsLoopback() && (p.Port == 0 || p.Port == 25)
}

// validateWay returns the first error of what decides where mail goes.
func (p Policy) validateWay() error {
	if err := hostsTrouble("relays", p.Relays); err != nil {
		return err
	}
	if err := hostsTrouble("fallback", p.Fallback); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.Routes)) {
		if err := p.RouteTrouble(name); err != nil {
			return err
		}
	}
	if err := p.validateSenders(); err != nil {
		return err
	}
	if err := p.validateSource(); err != nil {
		return err
	}
	for i, own := range p.Own {
		if _, err := netip.ParseAddr(own); err != nil && nameTrouble(own) != "" {
			return fmt.Errorf("own[%d] %.100q: write a host name, or an address without a port", i, own)
		}
	}
	return nil
}

// RouteTrouble says what is wrong with the route of a name; nil for nothing.
func (p Policy) RouteTrouble(name string) error {
	domain := strings.TrimPrefix(name, ".")
	why := nameTrouble(domain)
	address, _ := literal(name)
	switch {
	case address:
	case why != "":
		return fmt.Errorf("route %.100q: %s; write DOMAIN, or .DOMAIN for all domains below it", name, why)
	case strings.ToLower(name) != name || strings.HasSuffix(name, "."):
		return fmt.Errorf("route %.100q: write it in small letters and without a dot at its end", name)
	case len(p.Relays) > 0 && name == RelayDestination:
		return fmt.Errorf("route %q: relays have that name", name)
	}
	if len(p.Routes[name]) == 0 {
		return fmt.Errorf("route %.100q: it has no host; write at least one", name)
	}
	return hostsTrouble("route "+name, p.Routes[name])
}

// hostsTrouble returns the first error of a list of hosts, each with or
// without a port.
func hostsTrouble(list string, hosts []string) error {
	for i, host := range hosts {
		if why := hostTrouble(host); why != "" {
			return fmt.Errorf("%s[%d] %.100q: %s; write HOST, HOST:PORT or [ADDRESS]:PORT", list, i, host, why)
		}
	}
	return nil
}
