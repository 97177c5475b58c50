package search

import (
	"math/rand/v2"
	"slices"
)

// sendersWay draws smart hosts of senders. It has a stream of its own, so that
// worlds without any are what they would be.
func (g *generator) sendersWay(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x73656e646572)), on: g.on, sc: g.sc, ips: g.ips}
	if !w.on[policies] || !w.odds(0.2) {
		return
	}
	hops := []string{"sender1.example.com:2525", "sender2.example.com"}[:w.between(1, 2)]
	g.sc.Policy.SenderRoutes = map[string][]string{pick(w, "alice@example.org", "@example.org", "<>"): hops}
	for i, name := range []string{"sender1.example.com", "sender2.example.com"} {
		if i < len(hops) && !slices.Contains(g.sc.Policy.Relays, name) {
			w.host(name)
		}
	}
	g.ips = w.ips
}
