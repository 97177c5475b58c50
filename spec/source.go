package spec

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// SourceFor returns the address of this machine from which mail for a destination
// leaves for a host at an address; invalid where the system chooses. What names
// the destination goes before what names the host, and that before the rest. One
// that has no address of the family leaves the choice to the system, as Postfix
// does where only smtp_bind_address is set and IPv6 is spoken: who wants no IPv6
// says so to the system.
func (p Policy) SourceFor(destination, host string, to netip.Addr) netip.Addr {
	all, ok := p.Source[strings.ToLower(destination)]
	if !ok && p.configured(destination, host) {
		all, ok = p.Source[hostName(host)]
	}
	if !ok {
		all = p.Source[""]
	}
	for _, from := range all {
		if from.Is4() == to.Unmap().Is4() {
			return from
		}
	}
	return netip.Addr{}
}

// validateSource returns the first error of Source.
func (p Policy) validateSource() error {
	for _, name := range slices.Sorted(maps.Keys(p.Source)) {
		if err := SourceTrouble(p.Source[name]); err != nil {
			return fmt.Errorf("source %.100q: %w", name, err)
		}
	}
	return nil
}

// SourceTrouble says what is wrong with addresses from which mail is to leave; nil
// for nothing.
func SourceTrouble(all []netip.Addr) error {
	for i, a := range all {
		switch same := func(b netip.Addr) bool { return b.Is4() == a.Is4() }; {
		case !a.IsValid() || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "":
			return fmt.Errorf("%s is not the address of a machine", a)
		case slices.ContainsFunc(all[:i], same):
			return fmt.Errorf("%s is the second address of its kind: write one of IPv4 and one of IPv6 at most", a)
		}
	}
	return nil
}
