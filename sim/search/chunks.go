package search

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// chunks draws CHUNKING and LIMITS: who offers them, what policy says of them, and
// what goes wrong with a chunk. It has a stream of its own, so that worlds without
// any of it are what they would be.
func (g *generator) chunks(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x62646174)), on: g.on, sc: g.sc}
	if !(w.on[shapes] || w.on[policies] || w.on[many]) || w.odds(0.5) {
		return
	}
	p := &g.sc.Policy
	if p.Chunking = w.odds(0.8); w.odds(0.2) {
		p.ChunkingAt = map[string]bool{pick(w, "example.net", "example.com", "example.org", "smart1.example.com"): !p.Chunking}
	}
	p.Limits.ChunkBytes = pick(w, 60, 100, 1000, 50_000, spec.DefaultLimits().ChunkBytes)
	if slices.ContainsFunc(g.sc.Plan, func(s scenarios.Step) bool { return s.Size > 1000 }) {
		p.Limits.ChunkBytes = max(p.Limits.ChunkBytes, 20_000) // thousands of chunks show nothing that ten do not
	}
	for _, s := range g.sc.Servers {
		if s.Script == nil {
			continue
		}
		if w.odds(0.6) {
			s.Script.Offer = append(s.Script.Offer, fakesmtp.Extension{Keyword: "CHUNKING"})
		}
		if w.odds(0.3) {
			s.Script.Offer = append(s.Script.Offer, fakesmtp.Extension{Keyword: "LIMITS", Params: w.limits()})
		}
		for w.odds(0.4) {
			if rule := w.chunkRule(); rule != "" {
				s.Script.Rules = append(s.Script.Rules, mustRule(rule))
			}
		}
	}
}

// limits draws what a server takes of one client.
func (g *generator) limits() string {
	return pick(g, "RCPTMAX=1", "RCPTMAX=2", "MAILMAX=1", "MAILMAX=2 RCPTMAX=1", "RCPTDOMAINMAX=1", "RCPTDOMAINMAX=1 MAILMAX=1", "MAILMAX=0 RCPTMAX=many")
}

// chunkRule draws what a server does to a chunk, of the classes of trouble that
// the world has.
func (g *generator) chunkRule() string {
	at := "at bdat" + g.whom("dot") + g.when("dot") + ": "
	switch pick(g, refusals, cuts, slow, odd, many) {
	case refusals:
		if g.on[refusals] {
			return at + pick(g, "452 4.3.1 No room", "451 4.3.0 Trouble", "554 5.6.0 No", "421 4.3.2 Closing; fin", "503 5.5.1 What?")
		}
	case cuts:
		if g.on[cuts] {
			return pick(g, at+"cut", at+"fin", fmt.Sprintf("at body: cut after %d", g.between(50, 3000)))
		}
	case slow:
		if g.on[slow] {
			return at + pick(g, "silence", "delay 30s", "delay 4m", "drip 1s; 250 More")
		}
	case odd:
		if g.on[odd] {
			return at + pick(g, "354 More", `raw "what?\r\n"`, "repeat 2; 250 More", `raw "250-\r\n"`, "299 More", `raw "250 More\r\n250 More\r\n"`)
		}
	default:
		if g.on[many] {
			return fmt.Sprintf("at rcpt, over %d recipients: %s", g.between(1, 4), pick(g, "452 4.5.3 Too many recipients", "452 Too many", "552 Too many"))
		}
	}
	return ""
}

// mustRule reads a rule that was made here.
func mustRule(text string) fakesmtp.Rule {
	script, err := fakesmtp.ParseScript("a rule", 1, text)
	if err != nil {
		panic(fmt.Sprintf("a rule that is none: %v", err)) // a mistake in this file
	}
	return script.Rules[0]
}

// offersNo leaves an extension out of what a server offers.
func offersNo(keyword string) func(s *scenarios.Server) bool {
	return func(s *scenarios.Server) bool {
		if s.Script == nil {
			return false
		}
		before := len(s.Script.Offer)
		s.Script.Offer = slices.DeleteFunc(s.Script.Offer, func(e fakesmtp.Extension) bool { return e.Keyword == keyword })
		return len(s.Script.Offer) < before
	}
}
