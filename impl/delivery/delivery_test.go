package delivery

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// twoHosts has one MX better than the other; the better has two addresses.
const zone2 = `
	y MX 20 mx2.y.
	y MX 10 mx1.y.
	mx1.y A 192.0.2.1
	mx1.y AAAA 2001:db8::1
	mx2.y A 192.0.2.2`

// withoutDNS drops the questions from a log.
func withoutDNS(log []string) []string {
	var kept []string
	for _, line := range log {
		if !strings.HasPrefix(line, "ask ") {
			kept = append(kept, line)
		}
	}
	return kept
}

type testCase struct {
	name       string
	world      world
	recipients []string // b@y when there are none
	want       []string // the log without the questions
}

func runCases(t *testing.T, tests []testCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				to := tt.recipients
				if to == nil {
					to = []string{"b@y"}
				}
				w := tt.world
				w.deliver(t, t.Context(), to...)
				if diff := cmp.Diff(tt.want, withoutDNS(w.log)); diff != "" {
					t.Error(diff)
				}
				for addr, left := range w.servers {
					if len(left) > 0 {
						t.Errorf("%s was dialled too few times", addr)
					}
				}
			})
		})
	}
}

const (
	dial1  = "dial mx1.y 192.0.2.1:25"
	dial16 = "dial mx1.y [2001:db8::1]:25"
	dial2  = "dial mx2.y 192.0.2.2:25"
)

func TestNextHops(t *testing.T) {
	runCases(t, []testCase{
		{
			name:  "the best host's first address is first, and enough",
			world: world{zone: zone2, servers: map[string][]string{"192.0.2.1": {hello + takes("b@y") + quit}}},
			want:  []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name:  "all addresses of a host come before the next host",
			world: world{zone: zone2, servers: map[string][]string{"192.0.2.2": {hello + takes("b@y") + quit}}},
			want: []string{dial1, dial16, dial2, "intend mx2.y b@y", "dot mx2.y b@y",
				"settle b@y proceed: dot 2yz mx2.y", "last"},
		},
		{
			name: "trouble before the dot leads to the next host",
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {"S: 421 bye\neof"},
				"[2001":     {hello + envelope("b@y", "250 ok") + "C: DATA\nS: 451 not now\n" + quit},
				"192.0.2.2": {hello + takes("b@y") + quit},
			}},
			want: []string{dial1, dial16, dial2, "intend mx2.y b@y", "dot mx2.y b@y", "settle b@y proceed: dot 2yz mx2.y", "last"},
		},
		{
			name: "when all hosts are used up, the most telling trouble defers",
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {"S: 554 not you\n" + quit}, "[2001": {"silent"}, "192.0.2.2": {"reset"},
			}},
			want: []string{dial1, dial16, dial2, "settle b@y defer: greeting 5yz mx1.y", "last"},
		},
		{
			name:  "of equally telling troubles the last",
			world: world{zone: zone2, servers: map[string][]string{"192.0.2.1": {"silent"}, "[2001": {"close"}, "192.0.2.2": {"reset"}}},
			want:  []string{dial1, dial16, dial2, "settle b@y defer: connect cut mx2.y", "last"},
		},
		{
			name: "no more addresses than allowed, and half of them for who comes next",
			world: world{zone: zone2, policy: func(p *spec.Policy) { p.Limits.NextHops = 2 },
				servers: map[string][]string{"192.0.2.1": {"silent"}}},
			want: []string{dial1, dial2, "settle b@y defer: connect refused mx2.y", "last"},
		},
		{
			name: "the only host has all the addresses that are allowed",
			world: world{zone: "y MX 10 mx1.y.\nmx1.y A 192.0.2.1\nmx1.y A 192.0.2.9\nmx1.y AAAA 2001:db8::1",
				policy: func(p *spec.Policy) { p.Limits.NextHops = 2 }},
			want: []string{dial1, dial16, "settle b@y defer: connect refused mx1.y", "last"},
		},
		{
			name:  "a domain without MX is its own host",
			world: world{zone: "y A 192.0.2.9", servers: map[string][]string{"192.0.2.9": {hello + takes("b@y") + quit}}},
			want:  []string{"dial y 192.0.2.9:25", "intend y b@y", "dot y b@y", "settle b@y proceed: dot 2yz y", "last"},
		},
		{
			name: "another port", world: world{zone: "y A 192.0.2.9", policy: func(p *spec.Policy) { p.Port = 2525 }},
			want: []string{"dial y 192.0.2.9:2525", "settle b@y defer: connect refused y", "last"},
		},
	})
}

func TestWithoutAddresses(t *testing.T) {
	runCases(t, []testCase{
		{name: "no such domain", want: []string{"settle b@y fail-message: resolve nxdomain", "last"}},
		{name: "null MX", world: world{zone: "y MX 0 ."}, want: []string{"settle b@y fail-message: resolve null-mx", "last"}},
		{name: "the best host is the relay itself", world: world{zone: "y MX 0 relay.test."},
			want: []string{"settle b@y fail-message: resolve loop", "last"}},
		{name: "the DNS does not answer", world: world{zone: "y SILENT"},
			want: []string{"settle b@y defer: resolve dns-trouble", "last"}},
		{name: "neither MX nor address", world: world{zone: "y EXISTS"},
			want: []string{"settle b@y fail-message: resolve no-address y", "last"}},
		{name: "no host has an address", world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y EXISTS"},
			want: []string{"settle b@y fail-message: resolve no-address mx2.y", "last"}},
		{name: "one host may have an address", world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y SERVFAIL"},
			want: []string{"settle b@y defer: resolve dns-trouble mx1.y", "last"}},
		{name: "one host has an address but does not answer", world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1"},
			want: []string{dial1, "settle b@y defer: connect refused mx1.y", "last"}},
		{
			name: "a host whose addresses are not known is passed over",
			world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y SERVFAIL\nmx2.y A 192.0.2.2",
				servers: map[string][]string{"192.0.2.2": {hello + takes("b@y") + quit}}},
			want: []string{dial2, "intend mx2.y b@y", "dot mx2.y b@y", "settle b@y proceed: dot 2yz mx2.y", "last"},
		},
	})
}

func TestNoMoreLookUpsThanAllowed(t *testing.T) {
	two := func(p *spec.Policy) { p.Limits.NextHops = 2 }
	const hosts = "y MX 10 mx1.y.\ny MX 20 mx2.y.\ny MX 30 mx3.y.\nmx3.y A 192.0.2.3\n"
	for _, tt := range []struct{ name, addresses, want string }{
		{"of which the DNS says nothing", "mx1.y SILENT\nmx2.y SILENT\n", "settle b@y defer: resolve dns-trouble mx2.y"},
		{"which have no address: a third one may have", "mx1.y EXISTS\nmx2.y EXISTS\n", "settle b@y defer: resolve no-address mx2.y"},
	} {
		bubble(t, func(t *testing.T) {
			w := world{zone: hosts + tt.addresses, policy: two}
			w.deliver(t, t.Context(), "b@y")
			for _, line := range w.log {
				if strings.HasPrefix(line, "ask mx3.y") {
					t.Errorf("after two hosts %s the third one was looked up", tt.name)
				}
			}
			if diff := cmp.Diff([]string{tt.want, "last"}, withoutDNS(w.log)); diff != "" {
				t.Errorf("after two hosts %s: %s", tt.name, diff)
			}
		})
	}
}

func TestFallback(t *testing.T) {
	fallback := func(p *spec.Policy) { p.Fallback = []string{"192.0.2.7", "fb.test:2525"} }
	const zone = "y MX 10 mx1.y.\nmx1.y A 192.0.2.1\nfb.test A 192.0.2.8\n"
	const (
		dial7 = "dial [192.0.2.7] 192.0.2.7:25"
		dial8 = "dial fb.test 192.0.2.8:2525"
	)
	taken := []string{"intend fb.test b@y", "dot fb.test b@y", "settle b@y proceed: dot 2yz fb.test", "last"}
	takes8 := map[string][]string{"192.0.2.8": {hello + takes("b@y") + quit}}
	runCases(t, []testCase{
		{name: "is tried after every other host, in order", world: world{zone: zone, policy: fallback, servers: takes8},
			want: append([]string{dial1, dial7, dial8}, taken...)},
		{name: "is tried when no host's address is known",
			world: world{zone: "y MX 10 mx1.y.\nmx1.y SERVFAIL\nfb.test A 192.0.2.8", policy: fallback,
				servers: map[string][]string{"192.0.2.8": {hello + takes("b@y") + quit}}},
			want: append([]string{dial7, dial8}, taken...)},
		{name: "is tried when the DNS does not answer",
			world: world{zone: "y SERVFAIL\nfb.test A 192.0.2.8", policy: fallback,
				servers: map[string][]string{"192.0.2.8": {hello + takes("b@y") + quit}}},
			want: append([]string{dial7, dial8}, taken...)},
		{name: "is not tried for what the DNS refuses", world: world{zone: "y MX 0 .", policy: fallback},
			want: []string{"settle b@y fail-message: resolve null-mx", "last"}},
		{name: "is not tried when no host has an address", world: world{zone: "y MX 10 mx1.y.", policy: fallback},
			want: []string{"settle b@y fail-message: resolve no-address mx1.y", "last"}},
		{name: "is not tried for a refused or deferred recipient", recipients: []string{"b@y", "c@y"},
			world: world{zone: zone, policy: fallback,
				servers: map[string][]string{"192.0.2.1": {hello + envelope("b@y", "550 no", "c@y", "450 later") + quit}}},
			want: []string{dial1, "settle b@y fail-recipient: rcpt 5yz mx1.y", "settle c@y defer: rcpt 4yz mx1.y", "last"}},
		{name: "is not tried after a dot",
			world: world{zone: zone, policy: fallback,
				servers: map[string][]string{"192.0.2.1": {hello + envelope("b@y", "250 ok") + data("S: 421 bye") + "eof"}}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y defer: dot 421 mx1.y", "last"}},
		{name: "without an address fails nothing",
			world: world{zone: "y MX 10 mx1.y.\nmx1.y SERVFAIL", policy: func(p *spec.Policy) { p.Fallback = []string{"fb.test"} }},
			want:  []string{"settle b@y defer: resolve dns-trouble fb.test", "last"}},
	})
}

func TestTheRelaysOwnAddressesAreLeftOut(t *testing.T) {
	own := func(p *spec.Policy) { p.Own = []string{"192.0.2.2", "2001:db8::1"} }
	const refused = "settle b@y defer: connect refused mx1.y"
	runCases(t, []testCase{
		{name: "with what is no better", want: []string{"dial mx1.y 192.0.2.1:25", refused, "last"},
			world: world{policy: own, zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\ny MX 30 mx3.y.\n" +
				"mx1.y A 192.0.2.1\nmx2.y A 192.0.2.2\nmx3.y A 192.0.2.3"}},
		{name: "and nothing is better", want: []string{"settle b@y fail-message: resolve loop mx1.y", "last"},
			world: world{policy: own, zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx1.y AAAA 2001:db8::1\nmx2.y A 192.0.2.9"}},
		{name: "and no fallback host is asked then", want: []string{"dial mx1.y 192.0.2.1:25", refused, "last"},
			world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx2.y A 192.0.2.2\nfb.test A 192.0.2.9",
				policy: func(p *spec.Policy) { own(p); p.Fallback = []string{"fb.test"} }}},
		{name: "and a loopback address is no MX host's", want: []string{"dial mx2.y 192.0.2.2:25", "settle b@y defer: connect refused mx2.y", "last"},
			world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 127.0.0.1\nmx1.y AAAA ::1\nmx2.y A 192.0.2.2"}},
		{name: "but what is not known may be another", want: []string{"settle b@y defer: resolve dns-trouble mx1.y", "last"},
			world: world{zone: "y MX 10 mx1.y.\nmx1.y A SERVFAIL\nmx1.y AAAA ::1"}},
		{name: "and where there are only such, nobody takes the mail", want: []string{"settle b@y fail-message: resolve no-address mx1.y", "last"},
			world: world{zone: "y MX 10 mx1.y.\nmx1.y A 127.0.0.1"}},
		{name: "but not where the operator gave the host", want: []string{"dial mx2.y 192.0.2.2:2525", "settle b@y defer: connect refused mx2.y", "last"},
			world: world{zone: "mx2.y A 192.0.2.2", policy: func(p *spec.Policy) {
				own(p)
				p.Routes = map[string][]string{"y": {"mx2.y:2525"}}
			}}},
	})
}

func TestRelayMode(t *testing.T) {
	relays := func(p *spec.Policy) { p.Relays = []string{"r1.test", "r2.test:587"} }
	const zone = "r1.test A 192.0.2.1\nr2.test A 192.0.2.2\nr1.test MX 0 elsewhere.test.\n"
	bubble(t, func(t *testing.T) {
		w := world{zone: zone, policy: relays, servers: map[string][]string{"192.0.2.2": {hello + takes("b@y", "c@z") + quit}}}
		w.deliver(t, t.Context(), "b@y", "c@z")
		want := []string{
			"ask r1.test A", "ask r1.test AAAA", "dial r1.test 192.0.2.1:25",
			"ask r2.test A", "ask r2.test AAAA", "dial r2.test 192.0.2.2:587",
			"intend r2.test b@y c@z", "dot r2.test b@y c@z",
			"settle b@y proceed: dot 2yz r2.test", "settle c@z proceed: dot 2yz r2.test", "last",
		}
		if diff := cmp.Diff(want, w.log); diff != "" {
			t.Error(diff)
		}
	})
	runCases(t, []testCase{
		{name: "a relay that does not exist fails nothing", world: world{policy: relays},
			want: []string{"settle b@y defer: resolve dns-trouble r2.test", "last"}},
		{name: "relays that refuse connections defer", world: world{zone: zone, policy: relays},
			want: []string{"dial r1.test 192.0.2.1:25", "dial r2.test 192.0.2.2:587", "settle b@y defer: connect refused r2.test", "last"}},
	})
}

func TestAddressLiteral(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := world{servers: map[string][]string{"192.0.2.9": {hello + takes("b@[192.0.2.9]") + quit}}}
		w.deliver(t, t.Context(), "b@[192.0.2.9]")
		want := []string{"dial [192.0.2.9] 192.0.2.9:25", "intend [192.0.2.9] b@[192.0.2.9]", "dot [192.0.2.9] b@[192.0.2.9]",
			"settle b@[192.0.2.9] proceed: dot 2yz [192.0.2.9]", "last"}
		if diff := cmp.Diff(want, w.log); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRecipientsHaveResultsOfTheirOwn(t *testing.T) {
	three := []string{"b@y", "c@y", "d@y"}
	runCases(t, []testCase{
		{
			name: "in one transaction", recipients: three,
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "550 no", "c@y", "250 ok", "d@y", "450 later") + data("S: 250 taken") + quit}}},
			want: []string{dial1, "intend mx1.y c@y", "dot mx1.y c@y", "settle b@y fail-recipient: rcpt 5yz mx1.y",
				"settle c@y proceed: dot 2yz mx1.y", "settle d@y defer: rcpt 4yz mx1.y", "last"},
		},
		{
			name: "those left open go on to the next host, the others do not", recipients: three,
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "550 no", "c@y", "450 later", "d@y", "421 bye") + "eof"},
				"[2001":     {"refused"},
				"192.0.2.2": {hello + takes("d@y") + quit}}},
			want: []string{dial1, dial16, dial2, "intend mx2.y d@y", "dot mx2.y d@y", "settle b@y fail-recipient: rcpt 5yz mx1.y",
				"settle c@y defer: rcpt 4yz mx1.y", "settle d@y proceed: dot 2yz mx2.y", "last"},
		},
		{
			name: "after the dot a lost reply is a doubt, and no other host is asked", recipients: three,
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "550 no", "c@y", "250 ok", "d@y", "250 ok") + data("reset")}}},
			want: []string{dial1, "intend mx1.y c@y d@y", "dot mx1.y c@y d@y", "settle b@y fail-recipient: rcpt 5yz mx1.y",
				"settle c@y in-doubt: dot cut mx1.y", "settle d@y in-doubt: dot cut mx1.y", "last"},
		},
		{
			name: "nobody accepted, nothing intended", recipients: three[:1],
			world: world{zone: zone2, servers: map[string][]string{"192.0.2.1": {hello + envelope("b@y", "550 no") + quit}}},
			want:  []string{dial1, "settle b@y fail-recipient: rcpt 5yz mx1.y", "last"},
		},
		{
			name: "a refused message fails for all of the transaction", recipients: three[:2],
			world: world{zone: zone2, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "250 ok", "c@y", "250 ok") + data("S: 554 spam") + quit}}},
			want: []string{dial1, "intend mx1.y b@y c@y", "dot mx1.y b@y c@y", "settle b@y fail-message: dot 5yz mx1.y",
				"settle c@y fail-message: dot 5yz mx1.y", "last"},
		},
	})
}

func TestManyRecipientsTakeSeveralTransactions(t *testing.T) {
	two := func(p *spec.Policy) { p.Limits.RecipientsPerTransaction = 2 }
	three := []string{"b@y", "c@y", "d@y"}
	first := []string{dial1, "intend mx1.y b@y c@y", "dot mx1.y b@y c@y", "settle b@y proceed: dot 2yz mx1.y",
		"settle c@y proceed: dot 2yz mx1.y"}
	rest := []string{"intend mx1.y d@y", "dot mx1.y d@y", "settle d@y proceed: dot 2yz mx1.y", "last"}
	join := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	runCases(t, []testCase{
		{
			name: "on one connection", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + takes("b@y", "c@y") + takes("d@y") + quit}}},
			want: join(first, rest),
		},
		{
			name: "on another one when the server has hung up", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + takes("b@y", "c@y") + "close", hello + takes("d@y") + quit}}},
			want: join(first, []string{dial1}, rest),
		},
		{
			name: "on another one when the server takes one message a connection", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + takes("b@y", "c@y") + "C: MAIL FROM:<a@x>\nS: 421 enough\neof", hello + takes("d@y") + quit}}},
			want: join(first, []string{dial1}, rest),
		},
		{
			name: "on another one when RSET is refused", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "550 no", "c@y", "550 no") + "C: RSET\nS: 500 what\neof", hello + takes("d@y") + quit}}},
			want: []string{dial1, dial1, "intend mx1.y d@y", "dot mx1.y d@y", "settle b@y fail-recipient: rcpt 5yz mx1.y",
				"settle c@y fail-recipient: rcpt 5yz mx1.y", "settle d@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name: "on the next host's when the server was out of step", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "350 what") + "eof"}, "[2001": {"refused"},
				"192.0.2.2": {hello + takes("b@y", "c@y") + takes("d@y") + quit}}},
			want: []string{dial1, dial16, dial2, "intend mx2.y b@y c@y", "dot mx2.y b@y c@y", "settle b@y proceed: dot 2yz mx2.y",
				"settle c@y proceed: dot 2yz mx2.y", "intend mx2.y d@y", "dot mx2.y d@y", "settle d@y proceed: dot 2yz mx2.y", "last"},
		},
		{
			name: "and a doubt of the first sends nobody else's elsewhere twice", recipients: three,
			world: world{zone: zone2, policy: two, servers: map[string][]string{
				"192.0.2.1": {hello + envelope("b@y", "250 ok", "c@y", "250 ok") + data("close")}, "[2001": {"refused"},
				"192.0.2.2": {hello + takes("d@y") + quit}}},
			want: []string{dial1, "intend mx1.y b@y c@y", "dot mx1.y b@y c@y", "settle b@y in-doubt: dot cut mx1.y",
				"settle c@y in-doubt: dot cut mx1.y", dial16, dial2, "intend mx2.y d@y", "dot mx2.y d@y",
				"settle d@y proceed: dot 2yz mx2.y", "last"},
		},
	})
}

func TestThisSideEndsTheAttempt(t *testing.T) {
	failed := errors.New("disk full")
	toContent := hello + envelope("b@y", "250 ok", "c@y", "550 no") + "C: DATA\nS: 354 go\n"
	two := []string{"b@y", "c@y"}
	runCases(t, []testCase{
		{
			name: "an intent that is not stored defers, and no dot leaves", recipients: two,
			world: world{zone: zone2, intend: func() error { return failed },
				servers: map[string][]string{"192.0.2.1": {toContent + "B: \"hello\"\neof"}}},
			want: []string{dial1, "intend mx1.y b@y", "settle b@y defer: body cut mx1.y", "settle c@y fail-recipient: rcpt 5yz mx1.y", "last"},
		},
		{
			name: "a server that speaks before the dot has an intent, so nobody else is tried", recipients: two,
			world: world{zone: zone2, intend: func() error { time.Sleep(2 * time.Second); return nil },
				servers: map[string][]string{"192.0.2.1": {toContent + "B: \"hello\"\nwait 1s\nS: 250 early\neof"}}},
			want: []string{dial1, "intend mx1.y b@y", "settle b@y defer: body 2yz mx1.y", "settle c@y fail-recipient: rcpt 5yz mx1.y", "last"},
		},
		{
			name: "a message that cannot be opened defers",
			world: world{zone: zone2, open: func() (io.ReadCloser, error) { return nil, failed },
				servers: map[string][]string{"192.0.2.1": {hello + quit}}},
			want: []string{dial1, "settle b@y defer: mail cut mx1.y", "last"},
		},
		{
			name: "results that are not stored come again at the end, and nobody else is tried", recipients: []string{"b@y", "c@y"},
			world: world{zone: zone2, settle: func() error { return failed },
				policy:  func(p *spec.Policy) { p.Limits.RecipientsPerTransaction = 1 },
				servers: map[string][]string{"192.0.2.1": {hello + takes("b@y") + quit}}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y",
				"settle b@y proceed: dot 2yz mx1.y", "settle c@y defer: connect cut", "last"},
		},
	})
}

// When the context is done, what has no dot on its way is deferred at once.
func TestCancel(t *testing.T) {
	tests := []struct {
		name   string
		zone   string
		script string
		// dot: the final dot has left by then, and its reply is waited for.
		dot  bool
		want string
	}{
		{"while the DNS is asked for MX", "y SILENT", "", false, "defer: connect cut"},
		{"while the DNS is asked for addresses", "y MX 0 mx1.y.\nmx1.y SILENT", "", false, "defer: connect cut"},
		{"while connecting", zone2, "silent", false, "defer: connect cut mx1.y"},
		{"while waiting for the greeting", zone2, "eof", false, "defer: greeting cut mx1.y"},
		{"while waiting for a recipient", zone2, hello + "C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\neof", false, "defer: rcpt cut mx1.y"},
		{"while waiting for the reply to the dot", zone2, hello + envelope("b@y", "250 ok") + data("wait 5m\nS: 250 taken\neof"), true,
			"proceed: dot 2yz mx1.y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := world{zone: tt.zone, servers: map[string][]string{"192.0.2.1": {tt.script}}}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				w.deliver(t, ctx, "b@y")
				took, want := time.Since(start), time.Second
				if tt.dot {
					want = 5 * time.Minute
				}
				if took != want {
					t.Errorf("it took %v, want %v", took, want)
				}
				log := withoutDNS(w.log)
				if got := log[len(log)-2:]; !cmp.Equal(got, []string{"settle b@y " + tt.want, "last"}) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
	t.Run("before it began", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w := world{zone: zone2}
			w.deliver(t, ctx, "b@y")
			if want := []string{"settle b@y defer: connect cut", "last"}; !cmp.Equal(w.log, want) {
				t.Errorf("got %q", w.log)
			}
		})
	})
}
