package delivery

import (
	"math/rand/v2"
	"testing"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

const (
	zoneSmart = "smart1 A 192.0.2.1\nsmart2 A 192.0.2.2\ny MX 10 smart1\ny MX 20 mx2.y\nmx2.y A 192.0.2.3"
	// asks is a server that wants a login, and lets in comes.
	asks = `
		S: 220 mx
		C: EHLO relay.test
		S: 250-mx
		S: 250 AUTH PLAIN
	`
	comes = asks + "C: AUTH PLAIN AHJlbGF5AGh1bnRlcjI=\nS: 235 in\n"
)

// refusesAuth is a server that does not let us in, and says so.
func refusesAuth(reply string) string {
	return asks + "C: AUTH PLAIN AHJlbGF5AGh1bnRlcjI=\nS: " + reply + "\n" + quit
}

func logins(p *spec.Policy) {
	p.Relays = []string{"smart1", "smart2"}
	l := spec.Login{User: "relay", Secret: spec.NewSecret("hunter2"), Clear: true}
	p.Logins = map[string]spec.Login{"smart1": l, "smart2": l}
}

func TestWhereALoginFails(t *testing.T) {
	const one, two = "dial smart1 192.0.2.1:25", "dial smart2 192.0.2.2:25"
	taken := func(host string) []string {
		return []string{"intend " + host + " b@y", "dot " + host + " b@y", "settle b@y proceed: dot 2yz " + host, "last"}
	}
	first := func(script string) map[string][]string { return map[string][]string{"192.0.2.1": {script}} }
	runCases(t, []testCase{
		{
			name:  "it does not, and mail goes",
			world: world{zone: zoneSmart, policy: logins, servers: first(comes + takes("b@y") + quit)},
			want:  append([]string{one, "login smart1 PLAIN"}, taken("smart1")...),
		},
		{
			name: "the next host is asked",
			world: world{zone: zoneSmart, policy: logins, servers: map[string][]string{
				"192.0.2.1": {refusesAuth("535 5.7.8 no")}, "192.0.2.2": {comes + takes("b@y") + quit},
			}},
			want: append([]string{one, "alarm smart1: 5yz", two, "login smart2 PLAIN"}, taken("smart2")...),
		},
		{
			name:  "and when none is left, the mail waits",
			world: world{zone: zoneSmart, policy: logins, servers: first(refusesAuth("535 5.7.8 no"))},
			want:  []string{one, "alarm smart1: 5yz", two, "settle b@y defer: auth 5yz smart1", "last"},
		},
		{
			name:  "for now, nobody has to hear of it",
			world: world{zone: zoneSmart, policy: logins, servers: first(refusesAuth("454 4.7.0 not now"))},
			want:  []string{one, two, "settle b@y defer: auth 4yz smart1", "last"},
		},
		{
			name:  "because it is not offered",
			world: world{zone: zoneSmart, policy: logins, servers: first(hello + quit)},
			want:  []string{one, "alarm smart1: not-offered", two, "settle b@y defer: connect refused smart2", "last"},
		},
		{
			name:  "after all, at MAIL",
			world: world{zone: zoneSmart, policy: logins, servers: first(comes + "C: MAIL FROM:<a@x>\nS: 530 5.7.0 log in first\n" + quit)},
			want:  []string{one, "login smart1 PLAIN", "alarm smart1: 5yz", two, "settle b@y defer: auth 5yz smart1", "last"},
		},
		{
			name: "because there are no credentials for a host that the operator gave",
			world: world{zone: zoneSmart, policy: func(p *spec.Policy) { p.Relays = []string{"smart1"} },
				servers: first(hello + "C: MAIL FROM:<a@x>\nS: 530 5.7.0 log in first\n" + quit)},
			want: []string{one, "alarm smart1: 5yz", "settle b@y defer: auth 5yz smart1", "last"},
		},
		{
			name:  "but a host that the DNS named refuses for good",
			world: world{zone: "y A 192.0.2.1", servers: first(hello + "C: MAIL FROM:<a@x>\nS: 530 5.7.0 STARTTLS first\n" + quit)},
			want:  []string{"dial y 192.0.2.1:25", "settle b@y fail-message: mail 5yz y", "last"},
		},
	})
}

// TestWhomTheDNSNamesIsToldNoCredentials: not even when it names the fallback.
func TestWhomTheDNSNamesIsToldNoCredentials(t *testing.T) {
	runCases(t, []testCase{{
		name: "which is tried once, as an MX",
		world: world{zone: zoneSmart, policy: func(p *spec.Policy) {
			logins(p)
			p.Relays, p.Fallback = nil, []string{"smart1"}
			p.Limits.NextHops = 10
		}, servers: map[string][]string{"192.0.2.1": {hello + envelope("b@y", "421 4.3.2 closing") + "eof"}}},
		want: []string{"dial smart1 192.0.2.1:25", "dial mx2.y 192.0.2.3:25", "settle b@y defer: rcpt 421 smart1", "last"},
	}})
}

func TestEveryLoginHasANonceOfItsOwn(t *testing.T) {
	p := spec.DefaultPolicy("relay.test")
	logins(&p)
	var names []string
	d := &Deliverer{Policy: p, Random: func(name string) *rand.Rand {
		names = append(names, name)
		return rand.New(rand.NewPCG(uint64(len(names)), 0))
	}}
	a := &attempt{d: d, job: Job{ID: "j7", Dest: spec.RelayDestination}, given: true}
	h := hop{Host: route.Host{Name: "smart1"}}
	if one, two := a.login(h).Nonce(), a.login(h).Nonce(); one == two || names[0] != "login j7 1" || names[1] != "login j7 2" {
		t.Errorf("%q and %q, from the streams %q", one, two, names)
	}
}
