package delivery

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

// greets offers one extension.
func greets(extension string) string {
	return "S: 220 mx\nC: EHLO relay.test\nS: 250-mx\nS: 250 " + extension + "\n"
}

func TestTheNextHostMayHaveWhatOneLacks(t *testing.T) {
	const zone = "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx2.y A 192.0.2.2"
	fits := "S: 220 mx\nC: EHLO relay.test\nS: 250-mx\nS: 250 SIZE 7\nC: MAIL FROM:<a@x> SIZE=7\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 ok\n"
	inUTF8 := "C: MAIL FROM:<a@x> SMTPUTF8\nS: 250 ok\nC: RCPT TO:<ü@y>\nS: 250 ok\n"
	const dial2 = "dial mx2.y 192.0.2.2:25"
	runCases(t, []testCase{
		{
			name: "room",
			world: world{zone: zone, servers: map[string][]string{
				"192.0.2.1": {greets("SIZE 6") + quit}, "192.0.2.2": {fits + data("S: 250 taken") + quit},
			}},
			want: []string{dial1, dial2, "intend mx2.y b@y", "dot mx2.y b@y", "settle b@y proceed: dot 2yz mx2.y", "last"},
		},
		{
			name: "nowhere: then it fails at once",
			world: world{zone: zone, servers: map[string][]string{
				"192.0.2.1": {greets("SIZE 6") + quit}, "192.0.2.2": {greets("SIZE 5") + quit},
			}},
			want: []string{dial1, dial2, "settle b@y fail-recipient: mail not-offered mx2.y", "last"},
		},
		{
			name:  "a host that cannot be asked may have it",
			world: world{zone: zone, servers: map[string][]string{"192.0.2.1": {greets("SIZE 6") + quit}, "192.0.2.2": {"refused"}}},
			want:  []string{dial1, dial2, "settle b@y defer: connect refused mx2.y", "last"},
		},
		{
			name: "a host whose address is not known may have it",
			world: world{zone: "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx2.y SERVFAIL", servers: map[string][]string{
				"192.0.2.1": {greets("SIZE 6") + quit},
			}},
			want: []string{dial1, "settle b@y defer: mail not-offered mx1.y", "last"},
		},
		{
			name: "a host that there was no room to try may have it",
			world: world{zone: zone, policy: func(p *spec.Policy) { p.Limits.NextHops = 1 }, servers: map[string][]string{
				"192.0.2.1": {greets("SIZE 6") + quit},
			}},
			want: []string{dial1, "settle b@y defer: mail not-offered mx1.y", "last"},
		},
		{
			name:       "one recipient needs SMTPUTF8, and the other does not wait for it",
			recipients: []string{"b@y", "ü@y"},
			world: world{zone: zone, servers: map[string][]string{
				"192.0.2.1": {hello + takes("b@y") + quit}, "192.0.2.2": {greets("SMTPUTF8") + inUTF8 + data("S: 250 taken") + quit},
			}},
			want: []string{
				dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y",
				dial2, "intend mx2.y ü@y", "dot mx2.y ü@y", "settle ü@y proceed: dot 2yz mx2.y", "last",
			},
		},
		{
			name:       "and fails when nobody takes it",
			recipients: []string{"b@y", "ü@y"},
			world: world{zone: zone, servers: map[string][]string{
				"192.0.2.1": {hello + takes("b@y") + quit}, "192.0.2.2": {greets("SIZE") + quit},
			}},
			want: []string{
				dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y",
				dial2, "settle ü@y fail-recipient: rcpt not-offered mx2.y", "last",
			},
		},
	})
}

func TestAMessageThatRequiresTLSNeverGoesInClear(t *testing.T) {
	const zone = "y MX 10 mx1.y.\nmx1.y A 192.0.2.1"
	requires := func(w world) world {
		w.zone, w.needs = zone, spec.NeedTLS
		return w
	}
	noTLS := "S: 220 mx\nC: EHLO relay.test\nS: 250-mx\nS: 250-STARTTLS\nS: 250 REQUIRETLS\nC: STARTTLS\nS: 454 4.7.0 not now\n"
	runCases(t, []testCase{
		{
			name:  "to a server without TLS, which may be another day's",
			world: requires(world{servers: map[string][]string{"192.0.2.1": {greets("REQUIRETLS") + quit}}}),
			want:  []string{dial1, "settle b@y defer: starttls not-offered mx1.y", "last"},
		},
		{
			name:  "to one whose TLS fails, though the policy is opportunistic",
			world: requires(world{servers: map[string][]string{"192.0.2.1": {noTLS + quit}}}),
			want:  []string{dial1, "settle b@y defer: starttls 4yz mx1.y", "last"},
		},
		{
			name: "nor where the policy has no TLS at all",
			world: requires(world{
				policy: func(p *spec.Policy) { p.TLS = spec.TLSOff }, servers: map[string][]string{"192.0.2.1": {noTLS + quit}},
			}),
			want: []string{dial1, "settle b@y defer: starttls 4yz mx1.y", "last"},
		},
	})
}
