package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRetryOnTime(t *testing.T) {
	const last = `due=5m1.7s
5m1.7s relay attempt`
	runTrials(t, []trial{
		{name: "before it is due", base: deferred, edits: []edit{with("5m1.7s relay attempt", "5m1s relay attempt")},
			want: []string{"RETRY-ON-TIME: began an attempt for m1 to bob@example.net 700ms before it was due"}},
		{name: "due too early", base: deferred, edits: []edit{with(last, "due=1m\n5m1.7s relay attempt"), with("attempt=2 due=5m1.7s", "attempt=2 due=1m")},
			want: []string{"RETRY-ON-TIME: due 4m1.2s too early", "FAIR-AND-BOUNDED"}},
		{name: "due too late", base: deferred, edits: []edit{with(last, "due=5m2s\n5m2s relay attempt")},
			want: []string{"RETRY-ON-TIME: due 200ms too late"}},
		{name: "after a crash the due time stands", base: deferred, edits: []edit{after("state=queued", `
1m world crash
1m disk kept queue=Q1 text=control
1m disk kept queue=Q1 text=body
2m world start count=2
2m relay ready
2m1s relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=2 due=5m1.7s
2m2s relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net`)},
			want: []string{"RETRY-ON-TIME: 3m0.7s before it was due"}},
		{name: "the end of the lifetime is due sooner", base: deferred, policy: func(p *Policy) { p.Schedule.Lifetime = time.Minute },
			edits: []edit{until("5m1.7s relay attempt"), with("due=120h0m1s", "due=61s"), with("due=5m1.7s", "due=61s"), after("state=queued", `
61s disk erased queue=Q1 text=control
61s disk erased queue=Q1 text=body
61s disk stored queue=Q2 text=control
61s relay outcome message=m1 queue=Q1 to=bob@example.net state=failed reply="451 4.7.1 Greylisted"
61s relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1`)}},
		{name: "attempted after its lifetime", base: deferred, policy: func(p *Policy) { p.Schedule.Lifetime = time.Minute },
			edits: []edit{with("due=120h0m1s", "due=61s"), with(last, "due=61s\n61.5s relay attempt")},
			want:  []string{"RETRY-ON-TIME: after its lifetime had ended"}},
		{name: "the wrong lifetime", base: deferred, edits: []edit{with("due=120h0m1s", "due=24h0m1s")},
			want: []string{"RETRY-ON-TIME: gave m1 a lifetime"}},
		{name: "given up too early, by its own word", base: refused, edits: []edit{with(`state=failed reply="550 5.1.1 no"`, `state=failed reply="451 later"`)},
			want: []string{"RETRY-ON-TIME: gave up on m1 to bob@example.net 4d23h59m59s before its lifetime ended"}},
		{name: "given up too early, in truth", base: refused,
			edits: []edit{with(`stage=rcpt reply="550 5.1.1 no"`+"\n1.5s   server mx1 reply", `stage=rcpt reply="451 later"`+"\n1.5s   server mx1 reply")},
			want:  []string{"RETRY-ON-TIME: gave up on m1"}},
		{name: "refused for good, and named again", base: deferred, edits: []edit{with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="550 no"`)},
			want: []string{"RETRY-ON-TIME: though mx1 had refused it for good: 550 no"}},
		{name: "refused because the mailbox is full, and named again", base: deferred,
			edits: []edit{with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="552 5.2.2 full"`)},
			want:  []string{"RETRY-ON-TIME: though mx1 had refused it for good: 552 5.2.2 full"}},
		{name: "refused because there are too many, and named again", base: deferred,
			edits: []edit{with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="552 5.5.3 too many"`)}},
		{name: "refused for good, named again, seen from outside", base: deferred,
			edits: []edit{without("relay "), without("disk"), with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="550 no"`)},
			want:  []string{"RETRY-ON-TIME: though mx1 had refused it for good: 550 no"}},
		{name: "refused for good, unheard", base: deferred,
			edits: []edit{without("stage=quit"), with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="550 no"`)}},
		{name: "refused for good, forgotten in a crash", base: deferred,
			edits: []edit{without("1.8s"), with("1.7s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net\n", ""),
				with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="550 no"`), after("stage=quit", `
1.7s world crash
1.7s disk kept queue=Q1 text=control
1.7s disk kept queue=Q1 text=body
5m world start count=2
5m1s relay ready
5m1s relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
5m1s relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net`)}},
		{name: "503 after MAIL was refused", base: deferred, edits: []edit{
			with(`stage=rcpt reply="451 4.7.1 Greylisted"`, `stage=rcpt reply="550 no"`),
			after("1.4s", `1.4s server mx1 reply session=s1 host=mx1 stage=mail reply="451 no"`)}},
		{name: "two attempts at once", base: deferred,
			edits: []edit{after("1.2s   relay attempt", `
1.25s relay attempt message=m1 queue=Q1 job=j9 dest=example.net to=bob@example.net attempt=1 due=1s
1.26s relay attempt-end message=m1 queue=Q1 job=j9 dest=example.net`)},
			want: []string{"RETRY-ON-TIME: while another one was under way"}},
		{name: "attempted after it was final", base: delivered,
			edits: []edit{after("relay removed", `
3s relay attempt message=m1 queue=Q1 job=j9 dest=example.net to=bob@example.net attempt=2
4s relay attempt-end message=m1 queue=Q1 job=j9`)},
			want: []string{"RETRY-ON-TIME: which it had recorded as delivered"}},
	})
}

// TestWhatIsNotKnownExactly: where the relay had no time to say, or one attempt
// hears another answer than the next one.
func TestWhatIsNotKnownExactly(t *testing.T) {
	const (
		homeless = `
1.3s dns answer text="example.net. MX: NOERROR MX 10 mx1.example.net."
1.3s dns answer text="mx1.example.net. A: NOERROR"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR"`
		homely = `1.3s dns answer text="mx1.example.net. A: NOERROR A 192.0.2.1"`
	)
	const other = `
1.5s server mx1 command session=s9 host=mx1 stage=mail text="MAIL FROM:<carol@example.org>"
1.5s server mx1 command session=s9 host=mx1 stage=rcpt text="RCPT TO:<dave@example.net>"
`
	noData := func(session string) string {
		return "1.55s server mx1 reply session=" + session + ` host=mx1 stage=data reply="554 no valid recipients"`
	}
	later := func(t testing.TB, text string) string {
		text = strings.ReplaceAll(text, `stage=rcpt reply="550 5.1.1 no"`, `stage=rcpt reply="451 later"`)
		return after("relay ready", "0.5s submitter submit message=m2 from=carol@example.org to=dave@example.net hash=h2\n"+
			"0.6s submitter submit-unknown message=m2")(t, text)
	}
	given := func(more ...edit) []edit {
		return append([]edit{without("server mx1"), without("network connect session=s1"),
			with(`state=failed reply="550 5.1.1 no"`, `state=failed text="no address"`)}, more...)
	}
	minutes := func(p *Policy) { p.Schedule.Lifetime = 2 * time.Minute }
	report := func(due string) []edit {
		return []edit{with("due=120h0m1s", "due=121s"), without("queued message=r1"), without("2.2s"), without("2.3s"), without("2.6s"), without("1h "),
			after("2.5s   relay attempt-end", "2.6s relay outcome message=r1 queue=Q2 dest=example.org to=alice@example.org attempt=1 state=queued "+due)}
	}
	runTrials(t, []trial{
		{name: "554 to DATA where nobody was taken", base: refused, edits: []edit{later, after("mx1 reply session=s1 host=mx1 stage=rcpt", noData("s1"))},
			want: []string{"RETRY-ON-TIME: gave up on m1"}},
		{name: "554 to DATA where it was taken", base: refused, edits: []edit{without("refused-recipient"),
			with(`stage=rcpt reply="550 5.1.1 no"`, `stage=rcpt reply="250 ok"`), after("mx1 reply session=s1 host=mx1 stage=rcpt", noData("s1"))}},
		{name: "554 to the DATA of another mail", base: refused, edits: []edit{later, after("mx1 reply session=s1 host=mx1 stage=rcpt", other+noData("s9"))},
			want: []string{"RETRY-ON-TIME: gave up on m1"}},
		{name: "554 to the DATA of nobody knows which mail", base: refused, edits: []edit{later,
			after("mx1 reply session=s1 host=mx1 stage=rcpt", strings.Replace(other, "carol@", "eve@", 1)+noData("s9"))}},
		{name: "an answer that another attempt did not get", base: refused, edits: given(after("relay attempt message=m1", homeless+"\n"+homely))},
		{name: "an answer from before", base: refused,
			edits: given(after("relay ready", strings.ReplaceAll(homeless, "1.3s", "2ms")), after("relay attempt message=m1", homely)),
			want:  []string{"RETRY-ON-TIME: gave up on m1"}},
		{name: "a report whose lifetime began before it was spoken of", base: refused, policy: minutes, edits: report("due=121.85s")},
		{name: "a report whose lifetime is too short", base: refused, policy: minutes, edits: report("due=50s"),
			want: []string{"RETRY-ON-TIME: due 11.9s too early"}},
	})
}

func TestNextHopOrder(t *testing.T) {
	const (
		mx1   = "1.4s   relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25"
		mx2   = "1.45s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net addr=192.0.2.2:25"
		other = "1.45s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=other.example.org addr=192.0.2.3:25"
		list  = "NOERROR MX 10 mx1.example.net.; MX 20 mx2.example.net."
	)
	const none = "mx1.example.net. A: NOERROR"
	const no2 = `mx2.example.net. A: NOERROR"` + "\n" + `1.3s   dns answer text="mx1.example.net. A: NOERROR`
	const passed = "1.4s relay trouble message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net " +
		"host=mx1.example.net stage=resolve event=no-address verdict=next-host"
	const silence = `1.5ms dns answer text="mx1.example.net. A: NOERROR 60 A 192.0.2.1"
2ms dns query text="mx1.example.net. A"
2ms dns fault faults=dns-timeout text="mx1.example.net. A TIMEOUT"`
	noMX := []edit{without("dns answer"), with(`dns query text="example.net. MX"`, `dns query text="example.net. A"`)}
	relays := func(names ...string) func(*Policy) { return func(p *Policy) { p.Relays = names } }
	routes := func(hosts ...string) func(*Policy) {
		return func(p *Policy) { p.Routes = map[string][]string{"example.net": hosts} }
	}
	own := func(names ...string) func(*Policy) { return func(p *Policy) { p.Own = names } }
	hops := func(n int) func(*Policy) { return func(p *Policy) { p.Limits.NextHops = n } }
	unconnected := without("network connect")
	fallback := func(p *Policy) { p.Fallback = []string{"other.example.org:2525", "last.example.org"} }
	runTrials(t, []trial{
		{name: "in order", base: delivered, edits: []edit{after("relay dial", mx2)}},
		{name: "the second first", base: delivered, edits: []edit{unconnected, with(mx1, mx2)},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first, and was not tried"}},
		{name: "backwards", base: delivered, edits: []edit{with("mx1.example.net. A: NOERROR A 192.0.2.1", none), with(mx1, mx2+"\n"+mx1)},
			want: []string{"NEXT-HOP-ORDER: mx2.example.net, which comes after it, was already tried"}},
		{name: "a host without address is passed over", base: delivered,
			edits: []edit{unconnected, with("mx1.example.net. A: NOERROR A 192.0.2.1", none), with(mx1, mx2)}},
		{name: "a better host not even looked up", base: delivered, edits: []edit{unconnected, without("mx1.example.net. A"), with(mx1, mx2)},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first, and was not tried"}},
		{name: "a stranger", base: delivered, edits: []edit{after("relay dial", other)}, want: []string{"NEXT-HOP-ORDER: it is not among its next hops"}},
		{name: "an address of another", base: delivered,
			edits: []edit{unconnected, with("host=mx1.example.net addr=192.0.2.1:25", "host=mx1.example.net addr=192.0.2.9:25")},
			want:  []string{"NEXT-HOP-ORDER: 192.0.2.9 is none of its addresses"}},
		{name: "null MX", base: delivered, edits: []edit{with(list, "NOERROR MX 0 .")}, want: []string{"NEXT-HOP-ORDER: takes no mail (null MX)"}},
		{name: "no such domain", base: delivered, edits: []edit{with(list, "NXDOMAIN")}, want: []string{"NEXT-HOP-ORDER: does not exist"}},
		{name: "nothing known", base: delivered, edits: []edit{with(list, "SERVFAIL")}, want: []string{"NEXT-HOP-ORDER: could not be looked up"}},
		{name: "never asked", base: delivered, edits: []edit{without("MX:")}, want: []string{"NEXT-HOP-ORDER: never gave an MX answer"}},
		{name: "no MX, the domain itself", base: delivered, edits: []edit{with(list, "NOERROR"), with("host=mx1.example.net addr", "host=example.net addr")}},
		{name: "no MX, an alias", base: delivered,
			edits: []edit{with(list, "NOERROR CNAME other.example.org."), with("host=mx1.example.net addr", "host=other.example.org addr")}},
		{name: "this relay is the second", base: delivered,
			edits: []edit{with("MX 20 mx2.example.net.", "MX 20 Relay.example.org.; MX 30 mx2.example.net."), after("relay dial", mx2)},
			want:  []string{"NEXT-HOP-ORDER: it is not among its next hops"}},
		{name: "this relay is the best", base: delivered, edits: []edit{with("MX 20 mx2.example.net.", "MX 10 relay.example.org.")},
			want: []string{"NEXT-HOP-ORDER: would loop"}},
		{name: "an answer from before", base: delivered,
			edits: []edit{after("relay ready", `0.5s dns answer text="example.net. MX: `+list+`"`),
				with(`1.3s   dns answer text="example.net. MX: `+list, `1.3s dns answer text="example.net. MX: SERVFAIL`)}},
		{name: "an answer from before that has run out", base: delivered,
			edits: []edit{without("MX:"), after("relay ready", `2ms dns answer text="example.net. MX: NOERROR 1 MX 10 mx1.example.net."`)},
			want:  []string{"NEXT-HOP-ORDER: what the DNS had said of it had run out before the attempt began"}},
		{name: "an answer from before that still lives, whatever others were told", base: delivered,
			edits: []edit{without("MX:"), after("relay ready", `2ms dns answer text="example.net. MX: NOERROR 2 MX 10 mx1.example.net."
3ms dns answer text="example.net. MX: NOERROR 2 MX 10 mx9.example.net."`)}},
		{name: "a host known to have no address is passed over unasked", base: delivered,
			edits: []edit{unconnected, without("mx1.example.net. A"), after("relay ready", `2ms dns answer text="mx1.example.net. A: NOERROR 60 A 192.0.2.1"
3ms dns answer text="mx1.example.net. A: NXDOMAIN 60 SOA"`),
				with(mx1, passed+"\n"+mx2)}},
		{name: "a host known to have had no address a minute ago", base: delivered,
			edits: []edit{unconnected, without("mx1.example.net. A"), after("relay ready", `2ms dns answer text="mx1.example.net. A: NOERROR 60 A 192.0.2.1"
3ms dns answer text="mx1.example.net. A: NXDOMAIN 1 SOA"`), with(mx1, passed+"\n"+mx2)},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first, and was not tried"}},
		{name: "a host whose look-up by another attempt gets no answer", base: delivered,
			edits: []edit{unconnected, without("mx1.example.net. A"), after("relay ready", silence), with(mx1, passed+"\n"+mx2)}},
		{name: "records with owner, life and class", base: delivered, edits: []edit{with(list, "NOERROR example.net. 300 IN MX 10 mx1.example.net.")}},
		{name: "fallback at the end", base: delivered, policy: fallback, edits: []edit{with("mx1.example.net. A: NOERROR", no2), after("relay dial", other)}},
		{name: "fallback too soon", base: delivered, policy: fallback, edits: []edit{unconnected, with(mx1, other)},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first"}},
		{name: "fallback, because the DNS cannot say", base: delivered, policy: fallback, edits: []edit{unconnected, with(list, "SERVFAIL"), with(mx1, other)}},
		{name: "fallback, because the DNS is silent", base: delivered, policy: fallback, edits: []edit{unconnected, without("MX:"), with(mx1, other)}},
		{name: "fallback, because a look-up failed", base: delivered, policy: fallback, edits: []edit{unconnected,
			after("relay attempt", `1.25s dns fault text="example.net. MX: the resolver cannot be reached"`), with(mx1, other)}},
		{name: "fallback, because another host's look-up failed before", base: delivered, policy: fallback, edits: []edit{unconnected,
			after("relay ready", `2ms dns fault text="example.net. MX: the resolver cannot be reached"`), with(mx1, other)},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first, and was not tried"}},
		{name: "as many addresses as it may", base: delivered, policy: hops(2), edits: []edit{after("relay dial", mx2)}},
		{name: "more addresses than it may", base: delivered, policy: hops(1), edits: []edit{after("relay dial", mx2)},
			want: []string{"FAIR-AND-BOUNDED: tries more than 1 addresses"}},
		{name: "the same address for nobody", base: delivered, edits: []edit{after("relay dial", strings.Replace(mx1, "1.4s ", "1.45s", 1))},
			want: []string{"FAIR-AND-BOUNDED: dials 192.0.2.1:25 more often than it has recipients"}},
		{name: "back from the fallback", base: delivered, policy: fallback,
			edits: []edit{with("mx1.example.net. A: NOERROR", no2), after("relay dial", other+"\n"+mx2)},
			want:  []string{"NEXT-HOP-ORDER: other.example.org, a fallback, was already tried"}},
		{name: "relay mode", base: delivered, policy: relays("mx1.example.net:587", "mx2.example.net"), edits: append(noMX, after("relay dial", mx2))},
		{name: "relay mode, backwards", base: delivered, policy: relays("mx1.example.net:587", "mx2.example.net"), edits: append(noMX, with(mx1, mx2+"\n"+mx1)),
			want: []string{"NEXT-HOP-ORDER: which comes after it, was already tried"}},
		{name: "relay mode, asked for MX", base: delivered, policy: relays("mx1.example.net"), want: []string{"NEXT-HOP-ORDER: asked for the MX of example.net"}},
		{name: "a route", base: delivered, policy: routes("mx1.example.net:587", "mx2.example.net"), edits: append(noMX, after("relay dial", mx2))},
		{name: "a route, asked for MX", base: delivered, policy: routes("mx1.example.net"), want: []string{"NEXT-HOP-ORDER: asked for the MX of example.net"}},
		{name: "a route, backwards", base: delivered, policy: routes("mx1.example.net", "mx2.example.net"), edits: append(noMX, with(mx1, mx2+"\n"+mx1)),
			want: []string{"NEXT-HOP-ORDER: which comes after it, was already tried"}},
		{name: "a route, a stranger", base: delivered, policy: routes("mx1.example.net"), edits: append(noMX, after("relay dial", other)),
			want: []string{"NEXT-HOP-ORDER: not among"}},
		{name: "a route by address", base: delivered, policy: routes("192.0.2.1:25"),
			edits: append(noMX, with("host=mx1.example.net addr", "host=[192.0.2.1] addr"))},
		{name: "a route by address, to another", base: delivered, policy: routes("[192.0.2.9]:25"),
			edits: append(noMX, unconnected, with("host=mx1.example.net addr", "host=[192.0.2.9] addr")),
			want:  []string{"NEXT-HOP-ORDER: it dialled 192.0.2.1"}},
		{name: "the route of another domain", base: delivered, policy: func(p *Policy) { p.Routes = map[string][]string{".example.net": {"other.example.org"}} }},
		{name: "another name of the relay", base: delivered, policy: own("mx2.example.net"), edits: []edit{after("relay dial", mx2)},
			want: []string{"NEXT-HOP-ORDER: not among"}},
		{name: "fallback of a backup host", base: delivered,
			policy: func(p *Policy) { fallback(p); own("mx2.example.net")(p) },
			edits:  []edit{after("relay dial", other)}, want: []string{"NEXT-HOP-ORDER: this relay is itself an MX"}},
		{name: "fallback of a backup host, while the DNS cannot say", base: delivered,
			policy: func(p *Policy) { fallback(p); own("mx2.example.net")(p) },
			edits:  []edit{unconnected, with(list, "SERVFAIL"), with(mx1, other)}},
		{name: "a loopback address", base: delivered, edits: []edit{unconnected, with("A 192.0.2.1", "A 127.0.0.1"),
			with("host=mx1.example.net addr=192.0.2.1:25", "host=mx1.example.net addr=127.0.0.1:25")},
			want: []string{"NEXT-HOP-ORDER: 127.0.0.1 is a loopback address"}},
		{name: "a host at a loopback address is passed over", base: delivered, edits: []edit{unconnected, with("A 192.0.2.1", "A 127.0.0.1"), with(mx1, mx2)}},
		{name: "an address of the relay", base: delivered, policy: own("192.0.2.1"), want: []string{"NEXT-HOP-ORDER: 192.0.2.1 is this relay's own address"}},
		{name: "worse than an address of the relay", base: delivered, policy: own("2001:db8::1"),
			edits: []edit{with(`A: NOERROR A 192.0.2.1`, `A: NOERROR A 192.0.2.1"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR AAAA 2001:db8::1`), after("relay dial", mx2)},
			want: []string{"NEXT-HOP-ORDER: not among"}},
		{name: "relay mode, a stranger", base: delivered, policy: relays("mx1.example.net"), edits: append(noMX, unconnected, with(mx1, other)),
			want: []string{"NEXT-HOP-ORDER: not among"}},
	})
}

func TestWireLawful(t *testing.T) {
	stray := after("relay removed", "2.3s server mx1 accepted session=s9 host=mx1 from=carol@example.org to=dave@example.net")
	runTrials(t, []trial{
		{name: "a mail of nobody from a client that was led astray", base: delivered, edits: []edit{
			after("stage=mail text", `1.6s server mx1 fault session=s9 host=mx1 stage=mail faults=reply-extra text="at mail: repeat 2"`), stray}},
		{name: "a mail of nobody", base: delivered, edits: []edit{
			after("stage=mail text", `1.6s server mx1 fault session=s1 host=mx1 stage=mail faults=reply-extra text="at mail: repeat 2"`), stray},
			want: []string{"WIRE-LAWFUL: mx1 accepted a mail without a Message-ID from carol@example.org, which nobody had submitted"}},
		{name: "SMTP broken, and another told more than it asked", base: delivered, edits: []edit{
			after("stage=mail text", `1.6s server mx1 fault session=s9 host=mx1 stage=mail faults=reply-extra text="at mail: repeat 2"`),
			after("stage=rcpt", `1.7s server mx1 unlawful session=s1 host=mx1 stage=body text="a bare LF"`)},
			want: []string{"WIRE-LAWFUL: mx1 saw the relay break SMTP at body: a bare LF"}},
		{name: "SMTP broken", base: delivered, edits: []edit{after("stage=rcpt", `1.7s server mx1 unlawful session=s1 host=mx1 stage=body text="a bare LF"`)},
			want: []string{"WIRE-LAWFUL: mx1 saw the relay break SMTP at body: a bare LF"}},
		{name: "another content", base: delivered, edits: []edit{with("to=bob@example.net hash=h1\n1.9s", "to=bob@example.net hash=h2\n1.9s")},
			want: []string{"WIRE-LAWFUL: a content that is not the one submitted"}},
		{name: "another sender", base: delivered,
			edits: []edit{with("accepted session=s1 host=mx1 message=m1 from=alice@", "accepted session=s1 host=mx1 message=m1 from=mallory@")},
			want:  []string{"WIRE-LAWFUL: but it was submitted from alice@example.org"}},
		{name: "another recipient", base: delivered,
			edits: []edit{with("from=alice@example.org to=bob@example.net hash=h1\n1.9s",
				"from=alice@example.org to=bob@example.net,eve@example.net hash=h1\n1.9s")},
			want: []string{"WIRE-LAWFUL: for eve@example.net, to whom it was not submitted"}},
	})
}

func TestFairAndBounded(t *testing.T) {
	limit := func(all, each int) func(*Policy) {
		return func(p *Policy) { p.Limits.Deliveries, p.Limits.DeliveriesPerDestination = all, each }
	}
	// second is a message to the same destination, attempted from at to end.
	second := func(dest, at, end string) edit {
		return after("submitter submitted message=m1", strings.NewReplacer("DEST", dest, "AT", at, "END", end).Replace(`
1.2s submitter submit message=m2 from=alice@example.org to=carol@DEST hash=h2
1.2s disk stored queue=Q9 text=control
1.2s disk stored queue=Q9 text=body
1.2s relay queued message=m2 queue=Q9 from=alice@example.org to=carol@DEST due=120h0m1s
1.2s submitter submitted message=m2
AT relay attempt message=m2 queue=Q9 job=k1 dest=DEST to=carol@DEST attempt=1 due=1.2s
AT server x accepted session=s9 host=x message=m2 from=alice@example.org to=carol@DEST hash=h2
END relay attempt-end message=m2 queue=Q9 job=k1 dest=DEST
END disk erased queue=Q9 text=control
END disk erased queue=Q9 text=body
END relay outcome message=m2 queue=Q9 dest=DEST to=carol@DEST state=delivered`))
	}
	open := func(dest string) edit { // carol's attempt does not end before bob's begins
		return func(t testing.TB, text string) string {
			text = second(dest, "1.2s", "1.2s")(t, text)
			i := strings.Index(text, "1.2s relay attempt-end message=m2")
			j := strings.Index(text, "1.2s   relay attempt message=m1")
			moved := strings.ReplaceAll(text[i:j], "1.2s relay", "1.25s relay")
			k := j + strings.IndexByte(text[j:], '\n') + 1
			return text[:i] + text[j:k] + moved + text[k:]
		}
	}
	runTrials(t, []trial{
		{name: "two at once", base: delivered, edits: []edit{open("example.net")}},
		{name: "two at once, where one is allowed", base: delivered, edits: []edit{open("example.net")}, policy: limit(500, 1),
			want: []string{"FAIR-AND-BOUNDED: 2 attempts for example.net are under way at once; the limit is 1"}},
		{name: "two destinations at once, one each is allowed", base: delivered, edits: []edit{open("example.com")}, policy: limit(500, 1)},
		{name: "two destinations at once, where one is allowed", base: delivered, edits: []edit{open("example.com")}, policy: limit(1, 1),
			want: []string{"FAIR-AND-BOUNDED: 2 attempts are under way at once; the limit is 1"}},
		{name: "late for no reason", base: deferred, edits: []edit{with("5m1.7s relay attempt", "6m2s relay attempt")},
			want: []string{"FAIR-AND-BOUNDED: m1 to example.net waited 1m0.3s"}},
		{name: "late, because the relay was down", base: deferred, edits: []edit{with("5m1.7s relay attempt", "6m2s relay attempt"), after("state=queued", `
1m world crash
1m disk kept queue=Q1 text=control
1m disk kept queue=Q1 text=body
6m world start count=2
6m1s relay ready`)}},
		{name: "late at first, for no reason", base: delivered,
			edits: []edit{with("1.2s   relay attempt", "1m2s relay attempt"), func(t testing.TB, text string) string {
				head, tail, _ := strings.Cut(text, "1m2s relay attempt")
				return head + "1m2s relay attempt" + strings.NewReplacer("\n1.", "\n1m3.", "\n2", "\n1m4").Replace(tail)
			}}, want: []string{"FAIR-AND-BOUNDED: m1 to example.net waited 1m0.9s"}},
		{name: "late, because another one had the place", base: deferred, policy: limit(500, 1),
			edits: []edit{with("5m1.7s relay attempt", "7m1s relay attempt"), after("state=queued", `
1m relay attempt message=m3 queue=Q3 job=k3 dest=example.net to=x@example.net attempt=1
7m relay attempt-end message=m3 queue=Q3 job=k3 dest=example.net`), without("world end")}},
	})
}

func TestProgress(t *testing.T) {
	runTrials(t, []trial{
		{name: "never attempted again", base: deferred,
			edits: []edit{without("5m2s"), without("5m3s"), without("5m4s"), without("5m5s"), without("5m6s"), without("5m7s"), without("5m1.7s relay")},
			want:  []string{"PROGRESS: is deferred: the next attempt was due 54m58.3s ago (451 4.7.1 Greylisted)"}},
		{name: "never attempted at all", base: delivered, edits: []edit{until("1.2s   relay attempt"), after("submitter submitted", "1h world end")},
			want: []string{"PROGRESS: m1 to bob@example.net waits for its first attempt"}},
		{name: "never answered", base: delivered, edits: []edit{until("1.1s"), after("submitter submit ", "1h world end")},
			want: []string{"PROGRESS: the submission of m1 has not been answered"}},
		{name: "the report is never delivered", base: refused, edits: []edit{until("2s     network"), after("r1 queue=Q2 job=j2", "1h world end")},
			want: []string{"PROGRESS: r1 to alice@example.org is being attempted since"}},
		{name: "the run is not over", base: delivered, edits: []edit{until("1.3s")}},
		{name: "an entry of which nothing is known", base: delivered,
			edits: []edit{after("relay ready", "1s disk stored queue=Q5 text=control\n1s disk stored queue=Q5 text=body")},
			want:  []string{"PROGRESS: the spool holds Q5"}},
	})
}

// BenchmarkChecker judges a world of about a hundred facts, and larger ones.
func BenchmarkChecker(b *testing.B) {
	for _, each := range []int{1, 1000, 4000} {
		b.Run(fmt.Sprint(each), func(b *testing.B) { benchmarkChecker(b, each) })
	}
}

// benchmarkChecker judges each of a few histories so many times, in one world.
func benchmarkChecker(b *testing.B, each int) {
	var facts []Fact
	for i := range each {
		for j, text := range []string{delivered, refused, deferred} {
			n := fmt.Sprint(i, ".", j)
			text = strings.NewReplacer("=m1", "=m"+n, "=r1", "=r"+n, "=Q", "=Q"+n+".", "192.0.2.", fmt.Sprintf("10.%d.%d.", i/80, i%80*3+j),
				"job=", "job="+n+".", "session=", "session="+n+".", "bob", "bob"+n, "example.net", "example"+n+".net").Replace(text)
			facts = append(facts, history(b, without("world end")(b, text))...)
		}
	}
	p := testPolicy()
	if _, found := judge(p, facts); len(found) > 0 {
		b.Fatal(found[0].Story(epoch))
	}
	for b.Loop() {
		judge(p, facts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(facts)), "ns/fact")
}
