package route

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

func TestEveryDecisionHasItsReason(t *testing.T) {
	self := spec.Policy{Hostname: own, Own: []string{"also.example.org"}, Port: 25}
	with := func(change func(*spec.Policy)) spec.Policy {
		p := self
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name   string
		policy spec.Policy
		dest   string
		answer Answer
		want   string
	}{
		{"MX", self, "example.net", Answer{MX: []MX{{"b.net.", 20}, {"A.net.", 10}}}, "MX 10 a.net, MX 20 b.net"},
		{"an alias", self, "example.net", Answer{MX: []MX{{"a.net.", 10}}, Alias: "other.net"}, "example.net is an alias of other.net: MX 10 a.net"},
		{"no MX", self, "example.net", Answer{Event: spec.NoAddress}, "example.net has no MX record, so it is its own mail host (RFC 5321 section 5.1)"},
		{"a literal", self, "[192.0.2.1]", Answer{}, "an address literal: [192.0.2.1]"},
		{"relays", with(func(p *spec.Policy) { p.Relays = []string{"r.net:587", "s.net"} }), spec.RelayDestination, Answer{}, "relays: r.net:587, s.net"},
		{"a route", with(func(p *spec.Policy) { p.Routes = map[string][]string{".net": {"[2001:db8::1]:26"}} }), "example.net", Answer{},
			"route for .net: [ipv6:2001:db8::1]:26"},
		{"fallback", with(func(p *spec.Policy) { p.Fallback = []string{"last.net:2525"} }), "example.net", Answer{MX: []MX{{"a.net.", 10}}},
			"MX 10 a.net; fallback: last.net:2525"},
		{"ourselves", self, "example.net", Answer{MX: []MX{{"a.net.", 10}, {"also.example.org.", 20}, {"b.net", 20}, {"c.net", 30}}},
			"MX 10 a.net; left out: MX 20 also.example.org is this relay itself, MX 20 b.net is no better than this relay, MX 30 c.net is no better than this relay"},
		{"what is no host", self, "example.net", Answer{MX: []MX{{"192.0.2.1.", 5}, {".", 0}, {"a.net.", 10}}},
			"MX 10 a.net; left out: MX 0 . means no host (RFC 7505 section 3), MX 5 192.0.2.1 is an address, not a host name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hosts, problem := Hosts(tt.policy, tt.dest, tt.answer, nil)
			if problem != nil {
				t.Fatal(problem)
			}
			if got := Why(tt.policy, tt.dest, tt.answer, hosts); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestReasonsAreShortHoweverLongTheList(t *testing.T) {
	var records []MX
	for i := range 150 {
		records = append(records, MX{fmt.Sprintf("%s%d.net.", strings.Repeat("a", 60), i), 10}, MX{fmt.Sprintf("10.0.0.%d.", i), 10})
	}
	answer := Answer{MX: records}
	hosts, _ := Hosts(spec.Policy{Hostname: own}, "example.net", answer, nil)
	text := Why(spec.Policy{Hostname: own}, "example.net", answer, hosts)
	for _, part := range []string{", and 90 more; left out: MX 10 10.0.0.0 is an address", ", and 195 more"} {
		if !strings.Contains(text, part) || len(text) > 2000 {
			t.Errorf("%d bytes, without %q: %s", len(text), part, text)
		}
	}
}

// TestWhatIsNotChosenIsLeftOut: no record is passed over in silence.
func TestWhatIsNotChosenIsLeftOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawMX(t)
		records = records[:min(len(records), mostLeft)]
		hosts, problem := route(records, 1)
		if problem != nil {
			return
		}
		text := Why(spec.Policy{Hostname: own, Port: 25}, "example.net", Answer{MX: records}, hosts)
		for _, r := range records {
			if !strings.Contains(text, printable(r.Host)) {
				t.Fatalf("nothing about %v in %q", r, text)
			}
		}
	})
}
