package search

import (
	"fmt"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// domains draws the DNS and the servers.
func (g *generator) domains() {
	for _, domain := range []string{"example.net", "example.com", "example.edu"}[:pick(g, 1, 2, 2, 3)] {
		g.domain(domain)
		for _, name := range []string{"bob", "carol", "dave"}[:g.between(1, 3)] {
			g.to = append(g.to, name+"@"+domain)
		}
	}
	for _, hop := range append(g.sc.Policy.Relays[:len(g.sc.Policy.Relays):len(g.sc.Policy.Relays)], g.sc.Policy.Fallback...) {
		g.host(hop)
	}
	if g.on[senders] {
		g.mx(scenarios.MailboxDomain, 10, scenarios.MailboxServer)
		g.host(scenarios.MailboxServer)
	}
}

func (g *generator) record(r scenarios.Record) { g.sc.DNS = append(g.sc.DNS, r) }

func (g *generator) mx(domain string, preference int, host string) {
	g.record(scenarios.Record{Name: domain + ".", Type: "MX", Preference: uint16(preference), Value: host + "."})
}

// domain draws one domain with its servers.
func (g *generator) domain(domain string) {
	hosts := []string{"mx1." + domain, "mx2." + domain}
	shape := 0
	if g.on[dnsShape] {
		shape = g.rand.IntN(13)
	}
	switch shape {
	case 0: // one server
		g.mx(domain, 10, hosts[0])
		g.host(hosts[0])
	case 1, 2: // two, by preference or equal
		g.mx(domain, 10, hosts[0])
		g.mx(domain, pick(g, 10, 20), hosts[1])
		g.host(hosts[0])
		g.host(hosts[1])
	case 3: // the domain is its own server
		g.host(domain)
	case 4: // it has another name
		g.record(scenarios.Record{Name: domain + ".", Type: "CNAME", Value: "really." + domain + "."})
		g.mx("really."+domain, 10, hosts[0])
		g.host(hosts[0])
	case 5: // it takes no mail
		g.record(scenarios.Record{Name: domain + ".", Type: "MX", Value: "."})
	case 6: // the best server does not exist
		g.mx(domain, 10, "gone."+domain)
		g.mx(domain, 20, hosts[0])
		g.host(hosts[0])
	case 7: // its server does not exist
		g.mx(domain, 10, "gone."+domain)
	case 8: // it does not exist
	case 9: // its best server is the relay itself
		g.mx(domain, 10, g.sc.Policy.Hostname)
	case 10: // it has two other names in a row
		g.record(scenarios.Record{Name: domain + ".", Type: "CNAME", Value: "once." + domain + "."})
		g.record(scenarios.Record{Name: "once." + domain + ".", Type: "CNAME", Value: "twice." + domain + "."})
		g.mx("twice."+domain, 10, hosts[0])
		g.host(hosts[0])
	case 11: // its names lead back to it
		g.record(scenarios.Record{Name: domain + ".", Type: "CNAME", Value: "round." + domain + "."})
		g.record(scenarios.Record{Name: "round." + domain + ".", Type: "CNAME", Value: domain + "."})
	case 12: // it has more servers than are tried, most of them without an address
		for i := range 7 {
			g.mx(domain, 10*i, fmt.Sprintf("gone%d.%s", i, domain))
		}
		g.mx(domain, pick(g, 10, 100), hosts[0])
		g.host(hosts[0])
	}
	if g.on[dnsFault] && g.odds(0.6) {
		g.dnsTrouble(pick(g, domain, domain, hosts[0]))
	}
}

// dnsTrouble draws an answer that goes wrong.
func (g *generator) dnsTrouble(name string) {
	r := scenarios.Record{
		Name: name + ".", Type: pick(g, "ANY", "MX", "A", "AAAA"),
		Fault: pick(g, "SERVFAIL", "SERVFAIL", "TIMEOUT", "NXDOMAIN", "NODATA", "REFUSED", "TRUNCATED"),
	}
	switch g.rand.IntN(4) {
	case 0:
		r.First = g.between(1, 4)
	case 1:
		r.Until = g.minutes(1, 120)
	case 2:
		r.From = g.minutes(1, 60)
		r.Until = r.From + g.minutes(1, 120)
	}
	g.record(r)
}

func (g *generator) minutes(a, b int) time.Duration {
	return time.Duration(g.between(a, b)) * time.Minute
}

// host draws one server with its addresses.
func (g *generator) host(name string) {
	for _, s := range g.sc.Servers {
		if s.Name == name {
			return
		}
	}
	g.ips++
	g.record(scenarios.Record{Name: name + ".", Type: "A", Value: fmt.Sprintf("192.0.2.%d", 9+g.ips)})
	if g.on[dnsShape] && g.odds(0.3) {
		g.record(scenarios.Record{Name: name + ".", Type: "AAAA", Value: fmt.Sprintf("2001:db8::%d", 9+g.ips)})
	}
	if g.on[dnsShape] && g.odds(0.2) {
		g.ips++
		g.record(scenarios.Record{Name: name + ".", Type: "A", Value: fmt.Sprintf("192.0.2.%d", 9+g.ips)})
	}
	s := scenarios.Server{Name: name, Peer: g.odds(0.05), SplitReads: g.on[odd] && g.odds(0.4)}
	if g.on[netDown] && g.odds(0.4) {
		s.Network = pick(g, "refused", "unreachable", "silent")
		if g.odds(0.8) {
			s.NetworkUntil = g.minutes(1, 120)
		}
	}
	if !s.Peer {
		script, err := fakesmtp.ParseScript(name, 1, g.script())
		if err != nil {
			panic(fmt.Sprintf("a script that is none: %v", err)) // a mistake in this file
		}
		s.Script = script
	}
	g.sc.Servers = append(g.sc.Servers, s)
}
