package spec

import (
	"strings"
	"testing"
)

// encrypted is delivered over TLS, by a certificate for mx1.example.net.
func encrypted(t testing.TB, text string) string {
	return after("network connect", `
1.51s  server mx1 command session=s1 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.51s  server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 PIPELINING STARTTLS"
1.52s  server mx1 command session=s1 host=mx1 stage=starttls text=STARTTLS
1.52s  server mx1 reply session=s1 host=mx1 stage=starttls reply="220 go"
1.53s  relay tls message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net session=s1 name=mx1.example.net names=mx1.example.net text="TLS 1.3"
1.53s  server mx1 tls-seen session=s1 host=mx1 stage=handshake name=mx1.example.net names=*.example.net text="TLS 1.3"
1.54s  server mx1 command session=s1 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.54s  server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 PIPELINING"`)(t, text)
}

// offered has the server offer STARTTLS, and nobody take it.
func offered(t testing.TB, text string) string {
	return after("network connect", `
1.51s  server mx1 command session=s1 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.51s  server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 PIPELINING STARTTLS"`)(t, text)
}

// asks is another connection to the server, where STARTTLS is said.
const asks = `
1.505s network connect session=s9 addr=192.0.2.1:25
1.505s server mx1 command session=s9 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.505s server mx1 reply session=s9 host=mx1 stage=ehlo reply="250 mx1 PIPELINING STARTTLS"
1.505s server mx1 command session=s9 host=mx1 stage=starttls text=STARTTLS
1.505s server mx1 reply session=s9 host=mx1 stage=starttls reply="220 go"`

func level(l TLSLevel) func(*Policy) {
	return func(p *Policy) { p.TLSAt = map[string]TLSLevel{"example.net": l} }
}

func TestMailGoesAsSafelyAsPolicySays(t *testing.T) {
	relay := func(l TLSLevel, host string) func(*Policy) {
		return func(p *Policy) {
			p.Fallback, p.TLSAt = []string{"mx1:25"}, map[string]TLSLevel{host: l}
			p.TLS = TLSOpportunistic
		}
	}
	runTrials(t, []trial{
		{name: "in clear, where TLS is not offered", base: delivered},
		{name: "in clear, where TLS is off", base: delivered, edits: []edit{offered}, policy: level(TLSOff)},
		{name: "in clear, where it is offered", base: delivered, edits: []edit{offered},
			want: []string{"WIRE-LAWFUL: in clear, though it offers STARTTLS and has not failed at it"}},
		{name: "in clear, where it is offered, by a server that is slow to MAIL", base: delivered, edits: []edit{offered,
			after("1.6s   server mx1 command", `1.6s server mx1 fault session=s1 host=mx1 stage=mail faults=delay text=x`)},
			want: []string{"WIRE-LAWFUL: in clear, though it offers STARTTLS and has not failed at it"}},
		{name: "in clear, where another one fails meanwhile", base: delivered, edits: []edit{offered, after("1.5s   network connect", asks)},
			want: []string{"FAIR-AND-BOUNDED: 2 connections"}},
		{name: "in clear, where another one is encrypted meanwhile", base: delivered, edits: []edit{offered, after("1.5s   network connect", asks+`
1.505s server mx1 tls-seen session=s9 host=mx1 stage=handshake text="TLS 1.3"`)},
			want: []string{"FAIR-AND-BOUNDED: 2 connections", "WIRE-LAWFUL: in clear, though it offers STARTTLS and has not failed at it"}},
		{name: "in clear, where one failed and another one is encrypted", base: delivered, edits: []edit{offered,
			after("1.5s   network connect", strings.ReplaceAll(asks, "s9", "s8")+asks+`
1.505s server mx1 tls-seen session=s9 host=mx1 stage=handshake text="TLS 1.3"`)},
			want: []string{"FAIR-AND-BOUNDED: 2 connections"}},
		{name: "in clear, where another one ended before its first answer under TLS", base: delivered, edits: []edit{offered,
			after("1.5s   network connect", asks+`
1.505s server mx1 tls-seen session=s9 host=mx1 stage=handshake text="TLS 1.3"
1.505s network closed session=s9 addr=192.0.2.1:25`)},
			want: []string{"FAIR-AND-BOUNDED: 2 connections"}},
		{name: "in clear, where another one ended after its first answer under TLS", base: delivered, edits: []edit{offered,
			after("1.5s   network connect", asks+`
1.505s server mx1 tls-seen session=s9 host=mx1 stage=handshake text="TLS 1.3"
1.505s server mx1 command session=s9 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.505s server mx1 reply session=s9 host=mx1 stage=ehlo reply="250 mx1 PIPELINING"
1.505s network closed session=s9 addr=192.0.2.1:25`)},
			want: []string{"FAIR-AND-BOUNDED: 2 connections", "WIRE-LAWFUL: in clear, though it offers STARTTLS and has not failed at it"}},
		{name: "in clear, where it is required", base: delivered, policy: level(TLSRequired),
			want: []string{"WIRE-LAWFUL: names bob@example.net to mx1 in clear, though policy says required"}},
		{name: "in clear, where it is required at the host", base: delivered, policy: relay(TLSRequired, "mx1"),
			want: []string{"WIRE-LAWFUL: in clear, though policy says required"}},
		{name: "in clear, where it is required at another domain", base: delivered, policy: relay(TLSRequired, "example.com")},
		{name: "encrypted", base: delivered, edits: []edit{encrypted}, policy: level(TLSRequired)},
		{name: "encrypted, with a certificate for the host", base: delivered, policy: level(TLSVerified), edits: []edit{encrypted,
			with("host=mx1 stage=handshake", "host=mx1.example.net stage=handshake"), renamed}},
		{name: "encrypted, with a certificate for the domain", base: delivered, policy: level(TLSVerified),
			edits: []edit{encrypted, with("names=*.example.net", "names=Example.NET")}},
		{name: "encrypted, with a certificate for a host that the DNS named", base: delivered, policy: level(TLSVerified),
			edits: []edit{encrypted, with("names=*.example.net", "names=mx1")},
			want:  []string{"WIRE-LAWFUL: whose certificate is valid for none of example.net"}},
		{name: "encrypted, with a certificate that is not valid", base: delivered, policy: level(TLSVerified),
			edits: []edit{encrypted, with(" names=*.example.net", "")},
			want:  []string{"WIRE-LAWFUL: whose certificate is valid for none of example.net"}},
		{name: "encrypted, with any certificate where any will do", base: delivered, policy: level(TLSRequired),
			edits: []edit{encrypted, with(" names=*.example.net", "")}},
		{name: "without another EHLO", base: delivered, edits: []edit{encrypted, without("1.54s")},
			want: []string{"WIRE-LAWFUL: after the handshake without another EHLO"}},
		{name: "by a server that speaks of no EHLO", base: delivered, edits: []edit{encrypted, without("stage=ehlo")}},
		{name: "a command before the reply to STARTTLS", base: delivered,
			edits: []edit{encrypted, after("stage=starttls text", `1.52s server mx1 command session=s1 host=mx1 text=NOOP`)},
			want:  []string{"WIRE-LAWFUL: goes on at mx1 before STARTTLS was answered"}},
		{name: "after more than a reply to STARTTLS", base: delivered, edits: []edit{encrypted,
			after("stage=starttls text", `1.52s server mx1 fault session=s1 host=mx1 stage=starttls faults=reply-extra text=x`)},
			want: []string{"WIRE-LAWFUL: more than a reply to STARTTLS came in clear"}},
		{name: "after a slow reply to STARTTLS", base: delivered, edits: []edit{encrypted,
			after("stage=starttls text", `1.52s server mx1 fault session=s1 host=mx1 stage=starttls faults=delay text=x`)}},
	})
}

// renamed calls the server by its whole name.
func renamed(_ testing.TB, text string) string {
	return strings.NewReplacer("host=mx1 ", "host=mx1.example.net ", "server mx1 ", "server mx1.example.net ").Replace(text)
}

// inClear is delivered at the second dial, in clear, for TLS failed at the first.
func inClear(t testing.TB, text string) string {
	text = after("relay dial", `
1.41s  network connect session=s0 addr=192.0.2.1:25
1.42s  server mx1 command session=s0 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.42s  server mx1 reply session=s0 host=mx1 stage=ehlo reply="250 mx1 STARTTLS"
1.43s  server mx1 command session=s0 host=mx1 stage=starttls text=STARTTLS
1.43s  server mx1 reply session=s0 host=mx1 stage=starttls reply="454 4.7.0 not now"
1.44s  relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net session=s0 to=bob@example.net stage=starttls event=4yz verdict=next-host
1.44s  network closed session=s0 addr=192.0.2.1:25
1.45s  relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net addr=192.0.2.2:25
1.46s  network connect-failed addr=192.0.2.2:25
1.47s  relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net to=bob@example.net stage=connect event=refused verdict=next-host
1.48s  relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25 text="in clear"`)(t, text)
	return after("network connect session=s1", `
1.51s  server mx1 command session=s1 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.51s  server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 STARTTLS"`)(t, text)
}

func TestMailGoesInClearWhenNoNextHopIsLeft(t *testing.T) {
	hops := func(n int) func(*Policy) { return func(p *Policy) { p.Limits.NextHops = n } }
	toMX2 := func(t testing.TB, text string) string {
		return without("1.46s")(t, without("1.45s")(t, without("1.47s")(t, text)))
	}
	runTrials(t, []trial{
		{name: "TLS failed everywhere", base: delivered, edits: []edit{inClear}},
		{name: "in clear, more often than there are recipients", base: delivered, edits: []edit{inClear, after(`text="in clear"`,
			`1.49s  relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25 text="in clear"`)},
			want: []string{"FAIR-AND-BOUNDED: more often than it has recipients"}},
		{name: "a next hop is left", base: delivered, edits: []edit{inClear, toMX2},
			want: []string{"NEXT-HOP-ORDER: again in clear: mx2.example.net was not tried"}},
		{name: "a next hop is left, beyond the limit", base: delivered, edits: []edit{inClear, toMX2}, policy: hops(1)},
		{name: "a next hop is left that has no address", base: delivered, edits: []edit{inClear, toMX2,
			after("mx1.example.net. A:", `1.3s dns answer text="mx2.example.net. A: NOERROR"`)}},
		{name: "a fallback is left", base: delivered, edits: []edit{inClear}, policy: func(p *Policy) { p.Fallback = []string{"last.example.org"} },
			want: []string{"NEXT-HOP-ORDER: again in clear: last.example.org was not tried"}},
		{name: "the connection broke before STARTTLS arrived", base: delivered,
			edits: []edit{inClear, without("stage=starttls text"), without("stage=starttls reply")}},
		{name: "TLS did not fail there", base: delivered,
			edits: []edit{inClear, without("stage=starttls text"), without("stage=starttls reply"),
				after("host=mx1 stage=ehlo reply", `1.43s  server mx1 command session=s0 host=mx1 stage=quit text=QUIT`)},
			want: []string{"FAIR-AND-BOUNDED: more often than it has recipients",
				"NEXT-HOP-ORDER: mx2.example.net, which comes after it, was already tried", "WIRE-LAWFUL: has not failed at it"}},
		{name: "policy requires TLS", base: delivered, edits: []edit{inClear}, policy: level(TLSRequired),
			want: []string{"FAIR-AND-BOUNDED: more often than it has recipients", "NEXT-HOP-ORDER: was already tried", "WIRE-LAWFUL: policy says required"}},
	})
}
