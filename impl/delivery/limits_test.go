package delivery

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// offering greets with one extension.
func offering(extension string) string {
	return "S: 220 mx\nC: EHLO relay.test\nS: 250-mx\nS: 250 " + extension + "\n"
}

func TestTooManyRecipientsFollowAtOnce(t *testing.T) {
	const zone = "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx2.y A 192.0.2.2"
	full := envelope("b@y", "250 ok", "c@y", "452 4.5.3 too many", "d@y", "452 too many")
	runCases(t, []testCase{
		{
			name:       "in transactions of as many as were taken, over the same connection",
			recipients: []string{"b@y", "c@y", "d@y"},
			world: world{zone: zone, servers: map[string][]string{"192.0.2.1": {hello +
				full + data("S: 250 taken") + takes("c@y") + takes("d@y") + quit}}},
			want: []string{dial1,
				"intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y",
				"intend mx1.y c@y", "dot mx1.y c@y", "settle c@y proceed: dot 2yz mx1.y",
				"intend mx1.y d@y", "dot mx1.y d@y", "settle d@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name:       "though the content is refused for those who were taken",
			recipients: []string{"b@y", "c@y", "d@y"},
			world: world{zone: zone, servers: map[string][]string{"192.0.2.1": {hello +
				full + data("S: 554 spam") + takes("c@y") + takes("d@y") + quit}}},
			want: []string{dial1,
				"intend mx1.y b@y", "dot mx1.y b@y", "settle b@y fail-message: dot 5yz mx1.y",
				"intend mx1.y c@y", "dot mx1.y c@y", "settle c@y proceed: dot 2yz mx1.y",
				"intend mx1.y d@y", "dot mx1.y d@y", "settle d@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name:       "when the server takes nobody, they wait",
			recipients: []string{"b@y", "c@y"},
			world: world{zone: zone, servers: map[string][]string{"192.0.2.1": {hello +
				envelope("b@y", "452 4.5.3 too many", "c@y", "452 4.5.3 too many") + quit}}},
			want: []string{dial1, "settle b@y defer: rcpt 4yz mx1.y", "settle c@y defer: rcpt 4yz mx1.y", "last"},
		},
		{
			name:       "when the connection breaks, they wait",
			recipients: []string{"b@y", "c@y", "d@y"},
			world:      world{zone: zone, servers: map[string][]string{"192.0.2.1": {hello + full + data("close")}}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y in-doubt: dot cut mx1.y",
				"settle c@y defer: rcpt 4yz mx1.y", "settle d@y defer: rcpt 4yz mx1.y", "last"},
		},
		{
			name:       "over another connection, when the server closes this one after the message",
			recipients: []string{"b@y", "c@y", "d@y"},
			world: world{zone: zone, servers: map[string][]string{"192.0.2.1": {
				hello + full + data("S: 250 taken") + "C: MAIL FROM:<a@x>\nS: 421 enough\neof", hello + takes("c@y", "d@y") + quit,
			}}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y", dial1,
				"intend mx1.y c@y d@y", "dot mx1.y c@y d@y", "settle c@y proceed: dot 2yz mx1.y", "settle d@y proceed: dot 2yz mx1.y", "last"},
		},
	})
}

func TestLimitsOfTheServerAreHeeded(t *testing.T) {
	const zone = "y MX 10 mx1.y.\nmx1.y A 192.0.2.1"
	relayed := func(p *spec.Policy) { p.Relays = []string{"mx1.y"} }
	runCases(t, []testCase{
		{
			name:       "RCPTMAX splits a transaction",
			recipients: []string{"b@y", "c@y", "d@y"},
			world:      world{zone: zone, servers: map[string][]string{"192.0.2.1": {offering("LIMITS RCPTMAX=2") + takes("b@y", "c@y") + takes("d@y") + quit}}},
			want: []string{dial1,
				"intend mx1.y b@y c@y", "dot mx1.y b@y c@y", "settle b@y proceed: dot 2yz mx1.y", "settle c@y proceed: dot 2yz mx1.y",
				"intend mx1.y d@y", "dot mx1.y d@y", "settle d@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name:       "MAILMAX splits a conversation",
			recipients: []string{"b@y", "c@y"},
			world: world{zone: zone, policy: func(p *spec.Policy) { p.Limits.RecipientsPerTransaction = 1 }, servers: map[string][]string{"192.0.2.1": {
				offering("LIMITS MAILMAX=1") + takes("b@y") + quit, offering("LIMITS MAILMAX=1") + takes("c@y") + quit,
			}}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y",
				dial1, "intend mx1.y c@y", "dot mx1.y c@y", "settle c@y proceed: dot 2yz mx1.y", "last"},
		},
		{
			name:       "RCPTDOMAINMAX gives each domain a conversation",
			recipients: []string{"b@y", "c@z", "d@y"},
			world: world{zone: zone, policy: relayed, servers: map[string][]string{"192.0.2.1": {
				offering("LIMITS RCPTDOMAINMAX=1") + takes("b@y", "d@y") + quit, offering("LIMITS RCPTDOMAINMAX=1") + takes("c@z") + quit,
			}}},
			want: []string{dial1, "intend mx1.y b@y d@y", "dot mx1.y b@y d@y", "settle b@y proceed: dot 2yz mx1.y", "settle d@y proceed: dot 2yz mx1.y",
				dial1, "intend mx1.y c@z", "dot mx1.y c@z", "settle c@z proceed: dot 2yz mx1.y", "last"},
		},
	})
}

func TestChunksAreSentWherePolicySaysOn(t *testing.T) {
	const zone = "y MX 10 mx1.y.\nmx1.y A 192.0.2.1"
	chunks := offering("CHUNKING") + envelope("b@y", "250 ok") + "C: BDAT 7\nC: hello\nS: 250 more\nC: BDAT 0 LAST\nS: 250 taken\n" + quit
	on := func(p *spec.Policy) { p.Chunking = true }
	delivered := []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y proceed: dot 2yz mx1.y", "last"}
	runCases(t, []testCase{
		{name: "on", world: world{zone: zone, policy: on, servers: map[string][]string{"192.0.2.1": {chunks}}}, want: delivered},
		{
			name: "in smaller ones",
			world: world{zone: zone, policy: func(p *spec.Policy) { p.Chunking, p.Limits.ChunkBytes = true, 5 }, servers: map[string][]string{
				"192.0.2.1": {strings.Replace(chunks, "C: BDAT 7\nC: hello", "C: BDAT 5\nB: \"hello\"\nS: 250 more\nC: BDAT 2\nB: \"\\r\\n\"", 1)},
			}},
			want: delivered,
		},
		{
			name: "off for the destination",
			world: world{zone: zone, policy: func(p *spec.Policy) { p.Chunking, p.ChunkingAt = true, map[string]bool{"y": false} }, servers: map[string][]string{
				"192.0.2.1": {offering("CHUNKING") + takes("b@y") + quit},
			}},
			want: delivered,
		},
		{
			name: "no other host and no DATA after a lost reply to the last chunk",
			world: world{zone: zone2, policy: on, servers: map[string][]string{
				"192.0.2.1": {strings.Replace(chunks, "S: 250 taken\n"+quit, "close", 1)},
			}},
			want: []string{dial1, "intend mx1.y b@y", "dot mx1.y b@y", "settle b@y in-doubt: dot cut mx1.y", "last"},
		},
	})
}
