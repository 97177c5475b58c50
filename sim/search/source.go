package search

import (
	"math/rand/v2"
	"net/netip"
)

// source draws from which addresses mail leaves, now and then from one that the
// machine does not have. It has a stream of its own, so that worlds without any
// are what they would be.
func (g *generator) source(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x736f75726365)), on: g.on, sc: g.sc}
	if !w.on[policies] || !w.odds(0.3) {
		return
	}
	g.sc.Policy.Source = map[string][]netip.Addr{}
	for w.odds(0.7) {
		from := pick(w, "198.51.100.71", "198.51.100.72", "198.51.100.73", "2001:db8:99::7")
		if w.odds(0.1) {
			from = "203.0.113.7"
		}
		name := pick(w, "", "example.net", "example.com", "smart1.example.com")
		g.sc.Policy.Source[name] = []netip.Addr{netip.MustParseAddr(from)}
	}
}
