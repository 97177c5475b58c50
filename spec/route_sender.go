package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NullSender is how the null reverse-path is written (RFC 5321 section 4.5.5).
const NullSender = "<>"

// viaPrefix begins the name of a destination that is a list of hosts.
const viaPrefix = "via:"

// Via returns the destination that is a list of hosts which an operator gave, for
// mail that goes there whatever its domain. Policy.Given reads them from it.
func Via(hosts []string) string { return viaPrefix + strings.ToLower(strings.Join(hosts, "+")) }

// viaHosts is the inverse of Via; nil for any other destination.
func viaHosts(destination string) []string {
	list, ok := strings.CutPrefix(destination, viaPrefix)
	if !ok || list == "" {
		return nil
	}
	return strings.Split(list, "+")
}

// AsRouted stands in an operator's word where another time a destination does: the
// mail goes where policy sends it.
const AsRouted = "as-routed"

// ViaTrouble says why a destination is not a list of hosts; nil when it is one.
func ViaTrouble(destination string) error {
	hosts := viaHosts(destination)
	if hosts == nil || strings.ToLower(destination) != destination {
		return fmt.Errorf("destination %.100q: write %sHOST, or %[2]sHOST+HOST, in small letters", destination, viaPrefix)
	}
	return hostsTrouble("destination "+destination, hosts)
}

// SenderRoute returns the hosts that SenderRoutes has for a sender, and the name
// under which it has them: the address, or the domain with an at sign before it.
// The null sender is empty, or "<>". Without a route both are empty.
func (p Policy) SenderRoute(sender string) (name string, hosts []string) {
	if len(p.SenderRoutes) == 0 {
		return "", nil
	}
	if sender == "" || sender == NullSender {
		return NullSender, p.SenderRoutes[NullSender]
	}
	at := strings.LastIndexByte(sender, '@')
	if at < 0 {
		return "", nil
	}
	domain := strings.ToLower(strings.TrimSuffix(sender[at:], "."))
	for _, name := range [...]string{sender[:at] + domain, domain} {
		if hosts := p.SenderRoutes[name]; len(hosts) > 0 {
			return name, hosts
		}
	}
	return "", nil
}

// validateSenders returns the first error of SenderRoutes.
func (p Policy) validateSenders() error {
	for _, name := range slices.Sorted(maps.Keys(p.SenderRoutes)) {
		if err := p.SenderRouteTrouble(name); err != nil {
			return err
		}
	}
	return nil
}

// SenderRouteTrouble says what is wrong with the route of a sender; nil for
// nothing.
func (p Policy) SenderRouteTrouble(name string) error {
	at := strings.LastIndexByte(name, '@')
	domain := name[at+1:]
	switch why := nameTrouble(domain); {
	case name == NullSender:
	case at < 0:
		return fmt.Errorf("sender route %.100q: write ADDRESS, @DOMAIN, or <> for the null sender", name)
	case why != "":
		return fmt.Errorf("sender route %.100q: %s; write ADDRESS, @DOMAIN, or <> for the null sender", name, why)
	case strings.ToLower(domain) != domain || strings.HasSuffix(domain, "."):
		return fmt.Errorf("sender route %.100q: write the domain in small letters and without a dot at its end", name)
	}
	if len(p.SenderRoutes[name]) == 0 {
		return fmt.Errorf("sender route %.100q: it has no host; write at least one", name)
	}
	return hostsTrouble("sender route "+name, p.SenderRoutes[name])
}
