package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/postonce/postonce/spec"
)

// sources returns the addresses from which mail leaves as a policy has them. They
// have been checked.
func (c *config) sources() map[string][]netip.Addr {
	var all map[string][]netip.Addr
	for name, addresses := range c.Source {
		if all == nil {
			all = make(map[string][]netip.Addr)
		}
		dest := destination(name)
		if name == defaultKey {
			dest = ""
		}
		all[dest] = []netip.Addr{}
		for _, address := range addresses {
			if a, err := netip.ParseAddr(string(address)); err == nil {
				all[dest] = append(all[dest], a)
			}
		}
	}
	return all
}

// sources finds what is wrong with the addresses from which mail leaves.
func (k *checker) sources(hosts []string) {
	names := slices.Sorted(maps.Keys(k.config.Source))
	k.destinations("source", names, hosts)
	for _, name := range names {
		var all []netip.Addr
		for i, address := range k.config.Source[name] {
			at := new(yaml.PathBuilder).Root().Child("source").Child(name).Index(uint(i)).Build()
			a, err := netip.ParseAddr(string(address))
			if err != nil {
				k.at(at, fmt.Errorf("%.100q is not an IP address: write it like 192.0.2.7 or 2001:db8::7", address))
				continue
			}
			if err := spec.SourceTrouble(append(all, a)); err != nil {
				k.at(at, err)
				continue
			}
			all = append(all, a)
		}
	}
}

// elsewhere lists the addresses from which mail is to leave and which this machine
// does not have now. That is no error: it may get them later, or the configuration
// be checked on another one.
func (c *config) elsewhere(here []net.Addr) (missing []netip.Addr) {
	for _, all := range c.sources() { // any order: they are sorted below
		for _, a := range all {
			has := slices.ContainsFunc(here, func(h net.Addr) bool {
				n, ok := h.(*net.IPNet)
				ip, valid := netip.Addr{}, false
				if ok {
					ip, valid = netip.AddrFromSlice(n.IP)
				}
				return valid && ip.Unmap() == a
			})
			if !has && !a.IsLoopback() {
				missing = append(missing, a)
			}
		}
	}
	slices.SortFunc(missing, netip.Addr.Compare)
	return slices.Compact(missing)
}
