package search

import (
	"fmt"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// levels draws how far mail must be encrypted. Reports go to a server that has
// no TLS, so what is asked for everywhere is not asked for there.
func (g *generator) levels() {
	p := &g.sc.Policy
	p.TLS = pick(g, spec.TLSOpportunistic, spec.TLSOpportunistic, spec.TLSRequired, spec.TLSVerified, spec.TLSOff)
	p.TLSAt = map[string]spec.TLSLevel{}
	if p.TLS >= spec.TLSRequired {
		p.TLSAt["example.org"], p.TLSAt[scenarios.MailboxServer] = spec.TLSOpportunistic, spec.TLSOpportunistic
	}
	for _, at := range []string{"example.net", "example.com", "smart1.example.com"} {
		if g.odds(0.3) {
			p.TLSAt[at] = pick(g, spec.TLSLevels()...)
		}
	}
}

// offer draws what a server offers; empty is the default.
func (g *generator) offer() string {
	offer := ""
	if g.odds(0.2) {
		offer = pick(g, "none", "SIZE 10000000", "PIPELINING", "PIPELINING, SIZE 2000, 8BITMIME", "8BITMIME", "PIPELINING, DSN")
	}
	if !g.on[tls] || g.odds(0.2) {
		return offer
	}
	switch offer {
	case "":
		return "PIPELINING, 8BITMIME, SIZE 67108864, ENHANCEDSTATUSCODES, STARTTLS"
	case "none":
		return "STARTTLS"
	}
	return offer + ", STARTTLS"
}

// encryption draws what goes wrong with TLS, or only differs.
func (g *generator) encryption() string {
	switch g.rand.IntN(4) {
	case 0:
		return "at starttls" + g.when("starttls") + ": " + pick(g, "454 4.7.0 Not now", "501 5.5.4 What?", "421 4.3.2 Closing; fin", "354 Go on", "cut", "fin",
			"silence", "delay 4m", "drip 1s; 220 Go", "cut after 2; 220 Go", `raw "what?\r\n"`, `raw "220 Go\r\n250 mx1\r\n"`, `raw "220-Go\r\n220 on\r\n"`)
	case 1: // about 700 octets are all that a server sends: then the client thinks that all is well
		return "at handshake" + g.when("handshake") + ": " + pick(g, "cut", "fin", "silence", "delay 4m", "delay 10m", fmt.Sprintf("cut after %d", g.between(1, 900)),
			`raw "what?\r\n"`, `raw "\x15\x03\x03\x00\x02\x02\x28"`)
	}
	shows := "at handshake" + g.when("handshake") + ": present "
	kind := pick(g, "self-signed", "unknown-authority", "expired", "not-yet-valid", "wrong-name")
	name := pick(g, "", "", " for example.net")
	if kind == "wrong-name" {
		name = ""
	}
	return shows + kind + name
}
