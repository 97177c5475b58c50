package spec

import (
	"strings"
	"testing"
)

// TestARouteBySenderNamesItsHosts: the nearest name counts, and a route of the
// recipient's domain goes before.
func TestARouteBySenderNamesItsHosts(t *testing.T) {
	p := Policy{
		Hostname: "relay.example", Relays: []string{"smart.example"}, Routes: map[string][]string{"example.net": {"mx.example"}},
		SenderRoutes: map[string][]string{
			"Alice@example.org": {"A.example:587", "b.example"}, "@example.org": {"[2001:db8::1]:25"}, "<>": {"c.example"},
		},
	}
	for _, tt := range []struct{ from, to, dest, hosts string }{
		{"Alice@Example.ORG.", "bob@example.com", "via:a.example:587+b.example", "a.example:587 b.example"},
		{"alice@example.org", "bob@example.com", "via:[2001:db8::1]:25", "[2001:db8::1]:25"},
		{"", "bob@example.com", "via:c.example", "c.example"},
		{"<>", "bob@example.com", "via:c.example", "c.example"},
		{"alice@sub.example.org", "bob@example.com", RelayDestination, "smart.example"},
		{"?", "bob@example.com", RelayDestination, "smart.example"},
		{"Alice@example.org", "bob@example.net", "example.net", "mx.example"},
	} {
		dest := p.Destination(tt.from, tt.to)
		if _, hosts := p.Given(dest); dest != tt.dest || strings.Join(hosts, " ") != tt.hosts {
			t.Errorf("from %q to %s: %q by %q, want %q by %q", tt.from, tt.to, dest, hosts, tt.dest, tt.hosts)
		}
	}
	if got := p.TLSNames("via:a.example:587+b.example", "a.example"); len(got) != 1 || got[0] != "a.example" {
		t.Errorf("the certificate of a sender's smart host is to be for %q", got)
	}
}

func TestAWrongRouteBySenderIsRefused(t *testing.T) {
	for name, says := range map[string]string{
		"alice": "write ADDRESS, @DOMAIN, or <>", "@": "write ADDRESS, @DOMAIN, or <>", "a@Example.org": "in small letters", "a@example.org.": "at its end",
		"@a_b!.example": "write ADDRESS", "a@ok.example": "it has no host", "a@bad.example": "write HOST, HOST:PORT",
	} {
		p := DefaultPolicy("relay.example")
		p.SenderRoutes = map[string][]string{name: {"a.example"}}
		switch name {
		case "a@ok.example":
			p.SenderRoutes[name] = nil
		case "a@bad.example":
			p.SenderRoutes[name] = []string{"a b"}
		}
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}
