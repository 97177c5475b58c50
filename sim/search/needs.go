package search

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// needs draws what messages need of servers, and servers offer: SMTPUTF8 and
// REQUIRETLS. It has a stream of its own, so that worlds without any of it are what
// they would be.
func (g *generator) needs(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x6e65656473)), on: g.on, sc: g.sc}
	if !w.on[shapes] || w.odds(0.5) {
		return
	}
	for _, s := range w.sc.Servers {
		if s.Script == nil {
			continue
		}
		if w.odds(0.6) {
			offerToo(s.Script, "SMTPUTF8")
		}
		if w.odds(0.6) {
			offerToo(s.Script, "REQUIRETLS")
		}
	}
	for i := range w.sc.Plan {
		if s := &w.sc.Plan[i]; s.Kind == scenarios.StepSubmit {
			w.need(s)
		}
	}
}

// need draws what one message needs.
func (g *generator) need(s *scenarios.Step) {
	if s.UTF8 = g.odds(0.6); s.UTF8 {
		switch g.rand.IntN(4) {
		case 0:
			s.Recipients = append(slices.Clip(s.Recipients), "öva@example.net")
		case 1:
			s.Recipients = append(slices.Clip(s.Recipients), "öva@example.com")
		case 2:
			if s.Sender != "" {
				s.Sender = "älice@example.org"
			}
		case 3:
			if s.Size == 0 {
				s.EightBit = true
				g.sc.Messages = append(g.sc.Messages, scenarios.Message{
					Name: s.Message, Content: []byte("From: alice@example.org\r\nSubject: Grüße\r\n\r\nThis is " + s.Message + ".\r\n"),
				})
			}
		}
	}
	if g.on[tls] && g.odds(0.4) {
		s.RequireTLS, g.sc.Policy.PrivateIntake = true, true
	}
}

// offerToo has a server offer one extension more.
func offerToo(s *fakesmtp.Script, keyword string) {
	if !slices.ContainsFunc(s.Offer, func(e fakesmtp.Extension) bool { return strings.EqualFold(e.Keyword, keyword) }) {
		s.Offer = append(slices.Clip(s.Offer), fakesmtp.Extension{Keyword: keyword})
	}
}
