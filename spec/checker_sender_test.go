package spec

import (
	"strings"
	"testing"
)

// TestMailGoesToTheHostsOfItsSender: an attempt is for them, as soon as it is
// known who the sender is.
func TestMailGoesToTheHostsOfItsSender(t *testing.T) {
	of := func(name, host string) func(*Policy) {
		return func(p *Policy) { p.SenderRoutes = map[string][]string{name: {host}} }
	}
	via := func(base, host string) string { return strings.ReplaceAll(base, "dest=example.net", "dest=via:"+host) }
	both := func(p *Policy) {
		of("alice@example.org", "mx1.example.net")(p)
		p.Routes = map[string][]string{"example.net": {"mx1.example.net"}}
	}
	runTrials(t, []trial{
		{name: "to his hosts", base: via(deferred, "mx1.example.net"), policy: of("alice@example.org", "mx1.example.net")},
		{name: "to his domain's hosts", base: via(deferred, "mx1.example.net"), policy: of("@example.org", "mx1.example.net")},
		{name: "another one has hosts", base: deferred, policy: of("<>", "mx1.example.net")},
		{name: "the domain has a route", base: deferred, policy: both},
		{name: "to the recipient's domain", base: deferred, policy: of("alice@example.org", "mx1.example.net"),
			want: []string{"NEXT-HOP-ORDER: the relay attempts m1 to bob@example.net at example.net, but policy sends it to via:mx1.example.net"}},
		{name: "to hosts of nobody", base: via(deferred, "mx1.example.net"),
			want: []string{"NEXT-HOP-ORDER: the relay attempts m1 to bob@example.net at via:mx1.example.net, but policy sends it to example.net"}},
		{name: "to hosts of another one", base: via(deferred, "mx1.example.net"), policy: of("alice@example.org", "mx2.example.net"),
			want: []string{"NEXT-HOP-ORDER: but policy sends it to via:mx2.example.net"}},
		{name: "to another host than those", base: via(delivered, "mx1.example.net"), policy: of("alice@example.org", "mx1.example.net"),
			edits: []edit{with("host=mx1.example.net addr", "host=mx9.example.net addr")},
			want:  []string{"NEXT-HOP-ORDER: the relay dialled mx9.example.net for via:mx1.example.net: it is not among its next hops"}},
	})
}
