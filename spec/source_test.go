package spec

import (
	"net/netip"
	"strings"
	"testing"
)

// sources is a policy with addresses for a domain, a smart host, and the rest.
func sources() Policy {
	ip := netip.MustParseAddr
	p := DefaultPolicy("relay.test")
	p.Fallback = []string{"smart1.example.com:587"}
	p.Source = map[string][]netip.Addr{
		"": {ip("198.51.100.7"), ip("2001:db8:99::7")}, "example.net": {ip("198.51.100.8")}, "smart1.example.com": {ip("198.51.100.9")},
	}
	return p
}

// TestASourceIsThatOfDestinationHostOrRest: and of the family of the server.
func TestASourceIsThatOfDestinationHostOrRest(t *testing.T) {
	for _, tt := range []struct{ dest, host, to, want string }{
		{"example.net", "mx1.example.net", "192.0.2.10", "198.51.100.8"},
		{"example.net", "mx1.example.net", "::ffff:192.0.2.10", "198.51.100.8"},
		{"example.net", "mx1.example.net", "2001:db8::10", "invalid IP"},
		{"Example.NET", "smart1.example.com", "192.0.2.10", "198.51.100.8"},
		{"example.com", "mx1.example.com", "192.0.2.10", "198.51.100.7"},
		{"example.com", "mx1.example.com", "2001:db8::10", "2001:db8:99::7"},
		{"example.com", "smart1.example.com", "192.0.2.10", "198.51.100.9"},
	} {
		if got := sources().SourceFor(tt.dest, tt.host, netip.MustParseAddr(tt.to)); got.String() != tt.want {
			t.Errorf("mail for %s to %s at %s leaves from %s, want %s", tt.dest, tt.host, tt.to, got, tt.want)
		}
	}
	p := DefaultPolicy("relay.test")
	if got := p.SourceFor("example.net", "mx1.example.net", netip.MustParseAddr("192.0.2.10")); got.IsValid() {
		t.Errorf("nobody said so, and it leaves from %s", got)
	}
}

func TestASourceIsOneAddressOfAFamily(t *testing.T) {
	if err := sources().Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]string{{"0.0.0.0"}, {"::"}, {"224.0.0.1"}, {"fe80::1%eth0"}, {"::ffff:192.0.2.7"}, {"192.0.2.7", "192.0.2.8"}} {
		p := sources()
		p.Source["example.org"] = nil
		for _, a := range bad {
			p.Source["example.org"] = append(p.Source["example.org"], netip.MustParseAddr(a))
		}
		if p.Validate() == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// TestMailLeavesFromItsSource: and the connection says where it comes from.
func TestMailLeavesFromItsSource(t *testing.T) {
	const from8 = "session=198.51.100.8:1025"
	policy := func(p *Policy) { p.Source = sources().Source }
	at := func(from string) string { return strings.ReplaceAll(delivered, "session=s1", "session="+from) }
	six := strings.NewReplacer("192.0.2.1:25", "[2001:db8::1]:25", "A: NOERROR A 192.0.2.1", "AAAA: NOERROR AAAA 2001:db8::1")
	runTrials(t, []trial{
		{name: "from there", base: strings.ReplaceAll(delivered, "session=s1", from8), policy: policy},
		{name: "from that for the rest", base: at("198.51.100.7:1025"), policy: policy,
			want: []string{"NEXT-HOP-ORDER: the relay speaks with mx1 for example.net from 198.51.100.7, and policy says from 198.51.100.8"}},
		{name: "nobody said from where", base: at("198.51.100.7:1025")},
		{name: "nothing says from where", base: delivered, policy: policy},
		{name: "to a server of the other family", base: six.Replace(at("198.51.100.7:1025")), policy: policy},
	})
}
