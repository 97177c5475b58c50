package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

const (
	zoneTLS = `
		y MX 10 mx1.y.
		y MX 20 mx2.y.
		mx1.y A 192.0.2.1
		mx2.y A 192.0.2.2`
	// offers is a server that offers STARTTLS and is asked for it.
	offers = `
		S: 220 mx
		C: EHLO relay.test
		S: 250-mx
		S: 250 STARTTLS
		C: STARTTLS
	`
	refuses = offers + "S: 454 4.7.0 not now\n" + quit
	goes    = offers + "close\n"
	// inClear takes the mail although it offers STARTTLS.
	inClear = `
		S: 220 mx
		C: EHLO relay.test
		S: 250-mx
		S: 250 STARTTLS
	`
)

func required(p *spec.Policy) { p.TLSAt = map[string]spec.TLSLevel{"y": spec.TLSRequired} }

func TestWhereTLSFails(t *testing.T) {
	taken := func(host string) []string {
		return []string{"intend " + host + " b@y", "dot " + host + " b@y", "settle b@y proceed: dot 2yz " + host, "last"}
	}
	runCases(t, []testCase{
		{
			name: "the next host is asked",
			world: world{zone: zoneTLS, servers: map[string][]string{
				"192.0.2.1": {refuses}, "192.0.2.2": {hello + takes("b@y") + quit},
			}},
			want: append([]string{dial1, dial2}, taken("mx2.y")...),
		},
		{
			name: "and when none is left, each is asked again in clear, in the same order",
			world: world{zone: zoneTLS, servers: map[string][]string{
				"192.0.2.1": {refuses, inClear + envelope("b@y", "250 ok") + "C: DATA\nS: 451 not now\n" + quit},
				"192.0.2.2": {goes, inClear + takes("b@y") + quit},
			}},
			want: append([]string{dial1, dial2, dial1, dial2}, taken("mx2.y")...),
		},
		{
			name: "and nobody with whom it did not fail",
			world: world{zone: zoneTLS, servers: map[string][]string{
				"192.0.2.1": {"S: 554 not you\n" + quit}, "192.0.2.2": {refuses, "S: 554 not you either\n" + quit},
			}},
			want: []string{dial1, dial2, dial2, "settle b@y defer: greeting 5yz mx2.y", "last"},
		},
		{
			name: "and nobody whom the same server had under TLS, or in another session", recipients: []string{"b@y", "c@y"},
			world: world{zone: "y A 192.0.2.1", policy: func(p *spec.Policy) { p.Limits.RecipientsPerTransaction = 1 },
				servers: map[string][]string{"192.0.2.1": {
					hello + "C: MAIL FROM:<a@x>\nS: 451 busy\nC: RSET\nS: 250 ok\nC: MAIL FROM:<a@x>\nS: 421 bye\neof", refuses, inClear + takes("c@y") + quit,
				}}},
			want: []string{"dial y 192.0.2.1:25", "dial y 192.0.2.1:25", "dial y 192.0.2.1:25", "intend y c@y", "dot y c@y",
				"settle c@y proceed: dot 2yz y", "settle b@y defer: starttls 4yz y", "last"},
		},
		{
			name:  "a server that closes for now is not asked again at once",
			world: world{zone: "y A 192.0.2.1", servers: map[string][]string{"192.0.2.1": {offers + "S: 421 bye\neof"}}},
			want:  []string{"dial y 192.0.2.1:25", "settle b@y defer: starttls 421 y", "last"},
		},
		{
			name: "and it is required, mail waits",
			world: world{zone: zoneTLS, policy: required, servers: map[string][]string{
				"192.0.2.1": {hello + quit}, "192.0.2.2": {refuses},
			}},
			want: []string{dial1, dial2, "settle b@y defer: starttls 4yz mx2.y", "last"},
		},
		{
			name: "an answer at another host is an answer",
			world: world{zone: zoneTLS, servers: map[string][]string{
				"192.0.2.1": {refuses}, "192.0.2.2": {hello + envelope("b@y", "450 later") + quit},
			}},
			want: []string{dial1, dial2, "settle b@y defer: rcpt 4yz mx2.y", "last"},
		},
	})
}

func TestAFactSaysThatMailGoesInClear(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := world{zone: zoneTLS, facts: new([]string), servers: map[string][]string{
			"192.0.2.1": {offers + "S: 220 go\nwait 1h\nclose", inClear + takes("b@y") + quit},
		}}
		start := time.Now()
		w.deliver(t, t.Context(), "b@y")
		want := []string{
			"route |MX 10 mx1.y, MX 20 mx2.y",
			"dial mx1.y|",
			"trouble mx1.y handshake b@y  timeout next-host|no answer within 5m0s",
			"dial mx2.y|",
			"trouble mx2.y connect b@y  refused next-host|192.0.2.2:25: connection refused",
			"dial mx1.y|in clear, for TLS has failed",
			"dot mx1.y|",
		}
		if diff := cmp.Diff(want, *w.facts); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(start).Round(time.Minute); took != time.Hour { // until the server's script is over
			t.Errorf("it took %v", took)
		}
	})
}

func TestAConfiguredHostHasALevelOfItsOwn(t *testing.T) {
	relays := func(p *spec.Policy) {
		p.Relays, p.TLSAt = []string{"smart1", "smart2"}, map[string]spec.TLSLevel{"smart1": spec.TLSRequired, "smart2": spec.TLSOff}
	}
	runCases(t, []testCase{{
		name: "required at one, off at the other",
		world: world{zone: "smart1 A 192.0.2.1\nsmart2 A 192.0.2.2", policy: relays, servers: map[string][]string{
			"192.0.2.1": {hello + quit}, "192.0.2.2": {inClear + takes("b@y") + quit},
		}},
		want: []string{"dial smart1 192.0.2.1:25", "dial smart2 192.0.2.2:25", "intend smart2 b@y", "dot smart2 b@y",
			"settle b@y proceed: dot 2yz smart2", "last"},
	}})
}
