package spec

import (
	"net/netip"
	"slices"
	"testing"
)

func TestTheNearestRouteCounts(t *testing.T) {
	p := DefaultPolicy("relay.example.org")
	p.Routes = map[string][]string{
		"example.net": {"own"}, ".example.net": {"below"}, ".b.example.net": {"nearer"}, ".net": {"all"}, "[192.0.2.1]": {"literal"},
	}
	for domain, want := range map[string]string{
		"example.net": "own", "Example.NET.": "own", "a.example.net": "below", "c.b.example.net": "nearer", "b.example.net": "below",
		"other.net": "all", "net": "", "badexample.net": "all", "example.com": "", "[192.0.2.1]": "literal", "[192.0.2.2]": "", "": "",
	} {
		_, hosts := p.Route(domain)
		if want == "" && hosts != nil || want != "" && !slices.Equal(hosts, []string{want}) {
			t.Errorf("%s goes to %v, want %q", domain, hosts, want)
		}
	}
}

func TestARouteGoesBeforeRelaysAndMakesADestination(t *testing.T) {
	p := DefaultPolicy("relay.example.org")
	p.Relays, p.Routes = []string{"smart"}, map[string][]string{"example.net": {"own"}}
	for to, want := range map[string][2]string{
		"bob@Example.NET": {"example.net", "route for example.net"}, "bob@example.com": {RelayDestination, "relays"},
	} {
		dest := p.Destination("alice@example.org", to)
		if what, _ := p.Given(dest); dest != want[0] || what != want[1] {
			t.Errorf("%s: %s, by %s; want %v", to, dest, what, want)
		}
	}
	p.Relays = nil
	if what, hosts := p.Given("example.com"); what != "" || hosts != nil {
		t.Errorf("given %s %v", what, hosts)
	}
}

func TestOwnNamesAndAddresses(t *testing.T) {
	p := DefaultPolicy("Relay.example.org.")
	p.Own = []string{"MX.example.org", "192.0.2.1", "2001:db8::1"}
	for name, want := range map[string]bool{"relay.example.org": true, "mx.example.org": true, "": false, "192.0.2.1": true, "a.example.org": false} {
		if got := p.OwnName(name); got != want {
			t.Errorf("OwnName(%q) = %v", name, got)
		}
	}
	for addr, want := range map[string]bool{"192.0.2.1": true, "::ffff:192.0.2.1": true, "2001:db8::1": true, "192.0.2.2": false} {
		if got := p.OwnAddress(netip.MustParseAddr(addr)); got != want {
			t.Errorf("OwnAddress(%s) = %v", addr, got)
		}
	}
	for addr, want := range map[string]bool{"192.0.2.1": false, "127.0.0.2": true, "::1": true, "::ffff:127.0.0.1": true} {
		if got := p.NoMailHost(netip.MustParseAddr(addr)); got != want {
			t.Errorf("NoMailHost(%s) = %v", addr, got)
		}
	}
	p.Port = 2525
	if p.NoMailHost(netip.MustParseAddr("127.0.0.1")) {
		t.Error("a world of its own may live on one machine")
	}
}
