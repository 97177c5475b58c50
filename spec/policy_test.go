package spec

import (
	"slices"
	"testing"
)

func tlsPolicy() Policy {
	p := DefaultPolicy("relay.example.org")
	p.Routes = map[string][]string{".example.biz": {"hub.example.com"}}
	p.Fallback = []string{"Smart.example.com:587", "192.0.2.9", "[2001:db8::9]:25"}
	p.TLSAt = map[string]TLSLevel{"example.net": TLSVerified, "example.edu": TLSOff, "smart.example.com": TLSRequired,
		"mx1.example.org": TLSVerified, "hub.example.com": TLSRequired}
	return p
}

func TestTheStricterOfTwoTLSLevelsHolds(t *testing.T) {
	for _, c := range []struct {
		dest, host string
		want       TLSLevel
	}{
		{"example.org", "mx9.example.org", TLSOpportunistic},
		{"Example.NET", "mx1.example.net", TLSVerified},
		{"example.edu", "mx1.example.edu", TLSOff},
		{"example.org", "smart.example.com.", TLSRequired},
		{"example.net", "smart.example.com", TLSVerified},
		{"example.edu", "smart.example.com", TLSRequired},
		// Whoever answers for the DNS names MX hosts; so they have no entries.
		{"example.org", "mx1.example.org", TLSOpportunistic},
		{"example.org", "hub.example.com", TLSOpportunistic},
		{"a.example.biz", "hub.example.com", TLSRequired},
	} {
		if got := tlsPolicy().TLSFor(c.dest, c.host); got != c.want {
			t.Errorf("%s at %s: %v, want %v", c.dest, c.host, got, c.want)
		}
	}
}

func TestACertificateIsForANameThatTheDNSDidNotGive(t *testing.T) {
	for _, c := range []struct {
		dest, host string
		want       []string
	}{
		{"example.net", "MX1.example.net.", []string{"example.net", "mx1.example.net"}},
		{"example.net", "example.net", []string{"example.net"}},
		{"example.net", "mx1.example.com", []string{"example.net"}},
		{"example.net", "mx.badexample.net", []string{"example.net"}},
		{"example.net", "smart.example.com", []string{"smart.example.com"}},
		{"example.net", "hub.example.com", []string{"example.net"}},
		{"a.example.biz", "hub.example.com", []string{"hub.example.com"}},
		{"example.net", "[192.0.2.9]", []string{"192.0.2.9"}},
		{"example.net", "[ipv6:2001:db8::9]", []string{"2001:db8::9"}},
		{"[192.0.2.1]", "[192.0.2.1]", []string{"192.0.2.1"}},
		{"[IPv6:2001:db8::1]", "[2001:db8::1]", []string{"2001:db8::1"}},
	} {
		if got := tlsPolicy().TLSNames(c.dest, c.host); !slices.Equal(got, c.want) {
			t.Errorf("%s at %s: %q, want %q", c.dest, c.host, got, c.want)
		}
	}
}

func TestTLSLevelsHaveNames(t *testing.T) {
	for _, l := range TLSLevels() {
		if got, err := ParseTLSLevel(l.String()); err != nil || got != l {
			t.Errorf("%v is read as %v, %v", l, got, err)
		}
	}
	if _, err := ParseTLSLevel("maybe"); err == nil {
		t.Error("maybe is a level")
	}
}

func TestChunkingIsOffWhereOneOfTheTwoCannotDoIt(t *testing.T) {
	p := tlsPolicy()
	if p.ChunkingFor("example.org", "mx1.example.org") {
		t.Error("on by default")
	}
	p.Chunking = true
	p.ChunkingAt = map[string]bool{"example.net": false, "example.com": true, "smart.example.com": false, "mx1.example.org": false, "hub.example.com": true}
	for _, c := range []struct {
		dest, host string
		want       bool
	}{
		{"example.org", "mx9.example.org", true},
		{"Example.NET", "mx1.example.net", false},
		{"example.org", "smart.example.com.", false},
		{"example.com", "smart.example.com", false},
		{"example.org", "mx1.example.org", true}, // an MX host has no entry
		{"a.example.biz", "hub.example.com", true},
	} {
		if got := p.ChunkingFor(c.dest, c.host); got != c.want {
			t.Errorf("%s at %s: %t, want %t", c.dest, c.host, got, c.want)
		}
	}
	p.Chunking = false
	if p.ChunkingFor("example.org", "mx1.example.org") || !p.ChunkingFor("example.com", "mx1.example.com") {
		t.Error("off, but for one")
	}
}
