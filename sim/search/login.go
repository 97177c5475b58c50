package search

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// logins draws credentials for the hosts that the operator gave, servers that ask
// for them, or for others, and what goes wrong with that. It has a stream of its
// own, so that worlds without such hosts are what they would be.
func (g *generator) logins(n Number) {
	w := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x6c6f67696e)), on: g.on, sc: g.sc}
	p := &g.sc.Policy
	hosts := slices.Concat(p.Relays, p.Fallback)
	for _, route := range []string{"example.com", ".com"} {
		hosts = append(hosts, p.Routes[route]...)
	}
	for _, name := range slices.Sorted(maps.Keys(p.SenderRoutes)) {
		hosts = append(hosts, p.SenderRoutes[name]...)
	}
	for _, host := range hosts {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		i := slices.IndexFunc(g.sc.Servers, func(s scenarios.Server) bool { return s.Name == host })
		if i < 0 || g.sc.Servers[i].Script == nil || w.odds(0.3) {
			continue
		}
		w.login(host, g.sc.Servers[i].Script)
	}
}

// login draws the credentials for one host, and its server's side of them.
func (g *generator) login(host string, s *fakesmtp.Script) {
	p := &g.sc.Policy
	mechanisms := pick(g, nil, nil, []spec.Mechanism{spec.Plain}, []spec.Mechanism{spec.LoginPlain}, []spec.Mechanism{spec.CRAMMD5, spec.LoginPlain},
		[]spec.Mechanism{spec.XOAuth2}, []spec.Mechanism{spec.OAuthBearer, spec.XOAuth2})
	if !g.odds(0.1) { // or a host that is said nothing
		level, named := p.TLSAt[host]
		if p.Logins == nil {
			p.Logins = map[string]spec.Login{}
		}
		p.Logins[host] = spec.Login{
			User: "relay", Secret: spec.NewSecret("s3cret"), Mechanisms: mechanisms,
			Clear: named && level < spec.TLSRequired || g.odds(0.5) || !g.on[tls] && g.odds(0.8),
		}
	}
	if g.odds(0.9) { // or a server that asks nobody
		s.Auth = fakesmtp.Auth{User: "relay", Secret: pick(g, "s3cret", "s3cret", "s3cret", "s3cret", "another"), Clear: g.odds(0.7)}
		for _, m := range mechanisms {
			s.Auth.Mechanisms = append(s.Auth.Mechanisms, string(m))
		}
		if g.odds(0.2) {
			s.Auth.Mechanisms = pick(g, []string{"PLAIN"}, []string{"LOGIN", "XOAUTH2"}, []string{"SCRAM-SHA-256"})
		}
	}
	for g.odds(0.4) {
		script, err := fakesmtp.ParseScript(host, 1, g.refusedLogin())
		if err != nil {
			panic(fmt.Sprintf("a script that is none: %v", err)) // a mistake in this file
		}
		s.Rules = append(script.Rules, s.Rules...)
	}
}

// refusedLogin draws what goes wrong with a login, where that class of trouble
// is on; a refusal always may.
func (g *generator) refusedLogin() string {
	at := "at auth" + g.when("auth") + ": "
	switch {
	case g.on[odd] && g.odds(0.5):
		return at + pick(g, "334 what?", "334 Zm9v", "354 Go", "334-Zm9v|334 Zm9v", "235 2.7.0 In", `raw "in\r\n"`, `raw "235 In\r\n250 ok\r\n"`, "repeat 2; 235 In")
	case g.on[cuts] && g.odds(0.5):
		return at + pick(g, "cut", "fin", "cut after 2; 235 In")
	case g.on[slow] && g.odds(0.5):
		return at + pick(g, "silence", "delay 4m", "delay 10m", "drip 1s; 235 In")
	}
	return pick(g, at+"535 5.7.8 Not you", at+"454 4.7.0 Not now", at+"432 4.7.12 Change it", at+"421 4.3.2 Closing; fin", at+"534 5.7.9 Weak",
		"at mail"+g.when("auth")+": 530 5.7.0 Log in first", "at rcpt"+g.when("auth")+": 530 5.7.0 Log in first")
}

// dropStrangers leaves out logins at hosts to which no mail goes any more.
func dropStrangers(p *spec.Policy) {
	maps.DeleteFunc(p.Logins, func(host string, _ spec.Login) bool { return !p.Gives(host) })
}

// dropAuth has a server ask nobody who he is.
func dropAuth(s *fakesmtp.Script) bool {
	had := s.Auth.User != ""
	s.Auth = fakesmtp.Auth{}
	return had
}
