package search

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/postonce/postonce/scenarios"
)

// way draws what else decides where mail goes: routes, the family of addresses
// that comes first, mail to an address literal, and how long answers may be
// remembered. It has a stream of its own, so that worlds without any of it are
// what they would be.
func (g *generator) way(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x776179)), on: g.on, sc: g.sc, ips: g.ips}
	p := &g.sc.Policy
	if w.on[policies] && w.odds(0.2) {
		p.PreferIPv6 = true
	}
	if w.on[policies] && w.odds(0.2) {
		hops := []string{"way1.example.com:2525", "way2.example.com"}[:w.between(1, 2)]
		p.Routes = map[string][]string{pick(w, "example.com", ".com"): hops}
		for _, hop := range hops {
			name, _, _ := strings.Cut(hop, ":")
			w.host(name)
		}
	}
	if w.on[dnsShape] && w.odds(0.2) {
		g.to = append(g.to, "erin@[192.0.2.10]") // the first host has this address
	}
	if w.on[dnsShape] || w.on[dnsFault] {
		w.lives()
	}
	g.ips = w.ips
}

// lives draws how long some answers may be remembered.
func (g *generator) lives() {
	for i := range g.sc.DNS {
		r := &g.sc.DNS[i]
		if remembered := r.Fault == "" || r.Fault == "NXDOMAIN" || r.Fault == "NODATA"; remembered && g.odds(0.15) {
			r.TTL = pick(g, scenarios.NoTTL, time.Second, 20*time.Minute, 2*time.Hour)
		}
	}
}
