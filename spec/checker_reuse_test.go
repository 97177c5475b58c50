package spec

import (
	"strings"
	"testing"
	"time"
)

// kept is a history in which all is well: two messages, over one connection.
const kept = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 2.0.0 queued as Q1"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   dns answer text="example.net. MX: NOERROR 300 MX 10 mx1.example.net.; MX 20 mx2.example.net."
1.3s   dns answer text="mx1.example.net. A: NOERROR 300 A 192.0.2.1"
1.4s   relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25
1.5s   network connect session=s1 addr=192.0.2.1:25
1.5s   server mx1 command session=s1 host=mx1 stage=ehlo text="EHLO relay.example.org"
1.5s   server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 PIPELINING"
1.6s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.6s   server mx1 reply session=s1 host=mx1 stage=mail reply="250 ok"
1.7s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.7s   server mx1 reply session=s1 host=mx1 stage=rcpt reply="250 ok"
1.8s   disk stored queue=Q1 text=intent
1.8s   relay intent message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net to=bob@example.net attempt=1
1.8s   relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net to=bob@example.net session=s1
1.9s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
1.9s   server mx1 reply session=s1 host=mx1 stage=dot reply="250 ok"
1.9s   server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net
2s     disk erased queue=Q1 text=intent
2s     disk erased queue=Q1 text=control
2s     disk erased queue=Q1 text=body
2s     relay outcome message=m1 queue=Q1 dest=example.net host=mx1.example.net to=bob@example.net attempt=1 state=delivered reply="250 ok"
2s     relay removed message=m1 queue=Q1
2s     relay idle message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25 session=s1 count=1
2s     relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
3.4s   submitter submit message=m2 from=alice@example.org to=carol@example.net hash=h2
3.5s   disk stored queue=Q2 text=control
3.5s   disk stored queue=Q2 text=body
3.5s   relay queued message=m2 queue=Q2 from=alice@example.org to=carol@example.net due=120h0m3.4s
3.5s   submitter submitted message=m2 to=carol@example.net reply="250 2.0.0 queued as Q2"
3.5s   relay attempt message=m2 queue=Q2 job=j2 dest=example.net to=carol@example.net attempt=1 due=3.4s
3.6s   relay reuse message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net addr=192.0.2.1:25 session=s1
3.7s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
3.7s   server mx1 reply session=s1 host=mx1 stage=mail reply="250 ok again"
3.7s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<carol@example.net>"
3.7s   server mx1 reply session=s1 host=mx1 stage=rcpt reply="250 ok again"
3.8s   disk stored queue=Q2 text=intent
3.8s   relay intent message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net to=carol@example.net attempt=1
3.8s   relay dot message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net to=carol@example.net session=s1
3.9s   server mx1 accepted session=s1 host=mx1 message=m2 from=alice@example.org to=carol@example.net hash=h2
3.9s   server mx1 reply session=s1 host=mx1 stage=dot reply="250 ok again"
3.9s   server mx1 replied session=s1 host=mx1 message=m2 to=carol@example.net
4s     disk erased queue=Q2 text=intent
4s     disk erased queue=Q2 text=control
4s     disk erased queue=Q2 text=body
4s     relay outcome message=m2 queue=Q2 dest=example.net host=mx1.example.net to=carol@example.net attempt=1 state=delivered reply="250 ok"
4s     relay removed message=m2 queue=Q2
4s     relay idle message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net addr=192.0.2.1:25 session=s1 count=2
4s     relay attempt-end message=m2 queue=Q2 job=j2 dest=example.net
6s     server mx1 command session=s1 host=mx1 stage=quit text=QUIT
6.1s   network closed session=s1 addr=192.0.2.1:25 text="by the client"
1h     world end
`

const (
	mx1Kept  = "relay idle message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net"
	mx1Taken = "relay reuse message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net"
	secondOf = "relay dot message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net to=carol@example.net session="
	atMX1    = " message=m2 queue=Q2 job=j2 dest=example.net host=mx1.example.net addr=192.0.2.1:25"
	toBoth   = `1.51s server mx1 tls-seen session=s1 host=mx1 stage=handshake names=example.net,example.com text="TLS 1.3"`
	toOne    = `1.51s server mx1 tls-seen session=s1 host=mx1 stage=handshake names=example.net text="TLS 1.3"`
	ehlo     = `1.52s server mx1 command session=s1 host=mx1 stage=ehlo text=EHLO`
)

// endsAt has the connection end at another time.
func endsAt(at string) edit {
	return func(t testing.TB, text string) string {
		for _, old := range []string{"6s     server", "6.1s   network"} {
			text = with(old, at+strings.TrimLeft(old, "0123456789.s"))(t, text)
		}
		return text
	}
}

// between puts a line into the time in which nobody used the connection.
func between(line string) edit { return after("relay attempt-end message=m1", line) }

// relayAlone leaves what the relay says.
func relayAlone(_ testing.TB, text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, " relay ") || strings.Contains(line, " world ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func reusing(change func(*Reuse)) func(*Policy) { return func(p *Policy) { change(&p.Reuse) } }

func TestAConnectionIsUsedAgain(t *testing.T) {
	long := reusing(func(r *Reuse) { r.Idle = time.Minute })
	fault := func(at, kinds string) edit {
		return between(at + ` server mx1 fault session=s1 host=mx1 stage=idle faults=` + kinds + ` text=x`)
	}
	runTrials(t, []trial{
		{name: "in good order", base: kept},
		{name: "in a log of the relay alone", base: kept, edits: []edit{relayAlone}},
		{name: "seen from outside", base: kept, edits: []edit{without(" relay ")}, policy: reusing(func(r *Reuse) { r.Messages = 1 })},
		{name: "for a mail that is not its own", base: kept, edits: []edit{without("relay reuse")},
			want: []string{"NEXT-HOP-ORDER: over a connection that it keeps, and did not say that it took it up"}},
		{name: "while it is in use", base: kept, edits: []edit{without("relay idle message=m1")},
			want: []string{"NEXT-HOP-ORDER: that it has not said to be free"}},
		{name: "that was dialled, as the relay says", base: kept, edits: []edit{with("relay reuse", "relay dial")},
			want: []string{"NEXT-HOP-ORDER: over a connection that it keeps", "NEXT-HOP-ORDER: it talks over a connection from before"}},
		{name: "of another host", base: kept, edits: []edit{with(mx1Kept, strings.Replace(mx1Kept, "mx1", "mx9", 1))},
			want: []string{"NEXT-HOP-ORDER: which is one with mx9.example.net at 192.0.2.1:25"}},
		{name: "that leads elsewhere", base: kept,
			edits: []edit{with("1.5s   network connect session=s1 addr=192.0.2.1:25", "1.5s   network connect session=s1 addr=192.0.2.9:25")},
			want:  []string{"NEXT-HOP-ORDER: but it talks to 192.0.2.9:25", "NEXT-HOP-ORDER: which leads to 192.0.2.9:25"}},
		{name: "with a host that has not its turn", base: kept,
			edits: []edit{with(mx1Taken, strings.Replace(mx1Taken, "mx1", "mx2", 1))},
			want: []string{"NEXT-HOP-ORDER: which is one with mx1.example.net",
				"NEXT-HOP-ORDER: took up a connection with mx2.example.net for example.net: mx1.example.net comes first"}},
		{name: "and another one is talked over", base: kept, edits: []edit{with(secondOf+"s1", secondOf+"s2")},
			want: []string{"NEXT-HOP-ORDER: took up s1 with mx1.example.net, but it talks over s2"}},
		{name: "too late", base: kept, policy: reusing(func(r *Reuse) { r.Idle = 100 * time.Millisecond }),
			want: []string{"FAIR-AND-BOUNDED: that nobody had used for 1.6s; it may be kept for 100ms"}},
		{name: "too old", base: kept, policy: reusing(func(r *Reuse) { r.Idle, r.Age = time.Second, time.Second }),
			want: []string{"FAIR-AND-BOUNDED: that was made 2.1s before; it may be 1s old"}},
		{name: "too often", base: kept, policy: reusing(func(r *Reuse) { r.Messages = 1 }),
			want: []string{"FAIR-AND-BOUNDED: begins more than 1 mails over one connection"}},
		{name: "after another one that was kept", base: kept, edits: []edit{after("relay attempt message=m2",
			"3.55s relay reuse"+atMX1+" session=s0")},
			want: []string{"FAIR-AND-BOUNDED: after another one that it had kept"}},
		{name: "for one dial it does not count", base: kept, edits: []edit{
			after("relay attempt message=m2", "3.55s relay reuse"+atMX1+" session=s0"),
			with("relay reuse"+atMX1+" session=s1", "relay dial"+atMX1),
			after("relay dial message=m2", `3.65s network connect session=s2 addr=192.0.2.1:25`),
			func(_ testing.TB, text string) string {
				head, tail, _ := strings.Cut(text, "session=s2")
				return head + "session=s2" + strings.ReplaceAll(tail, "session=s1", "session=s2")
			}}},
		{name: "that the server closes", base: kept, policy: long, edits: []edit{fault("2.1s", "fin")},
			want: []string{"WIRE-LAWFUL: on which the server had spoken, or which it had ended, 1.5s before"}},
		{name: "that the server closes just now", base: kept, policy: long, edits: []edit{fault("3.5s", "fin")}},
		{name: "on which more was said", base: kept, policy: long, edits: []edit{fault("2.1s", "reply-2yz,reply-extra")},
			want: []string{"WIRE-LAWFUL: on which the server had spoken"}},
		{name: "on which more was said, who knows when", base: kept, policy: long, edits: []edit{fault("2.1s", "delay,reply-extra")}},
		{name: "whose server is mute", base: kept, policy: long, edits: []edit{fault("2.1s", "silence")}},
		{name: "that the network broke", base: kept, policy: long, edits: []edit{between(`2.1s network fault session=s1 faults=net-cut text=x`)},
			want: []string{"WIRE-LAWFUL: which it had ended"}},
		{name: "after a refused RSET", base: kept, edits: []edit{between(
			"2.1s server mx1 command session=s1 host=mx1 stage=rset text=RSET\n2.1s server mx1 reply session=s1 host=mx1 stage=rset reply=\"500 what?\"")},
			want: []string{"WIRE-LAWFUL: though RSET was refused"}},
		{name: "after RSET", base: kept, edits: []edit{between(
			"2.1s server mx1 command session=s1 host=mx1 stage=rset text=RSET\n2.1s server mx1 reply session=s1 host=mx1 stage=rset reply=\"250 ok\"")}},
	})
}

func TestAConnectionThatIsUsedAgainIsAsSafeAsANewOne(t *testing.T) {
	carols := func(l TLSLevel) func(*Policy) {
		return func(p *Policy) { p.TLSAt = map[string]TLSLevel{"example.net": TLSOff, "example.com": l} }
	}
	other := func(_ testing.TB, text string) string {
		head, tail, _ := strings.Cut(text, "3.4s")
		tail = strings.NewReplacer("carol@example.net", "carol@example.com", "dest=example.net", "dest=example.com").Replace(tail)
		return head + `3.3s dns answer text="example.com. MX: NOERROR 300 MX 10 mx1.example.net."` + "\n3.4s" + tail
	}
	tls := with("250 mx1 PIPELINING", "250 mx1 STARTTLS")
	runTrials(t, []trial{
		{name: "of another domain", base: kept, edits: []edit{other}},
		{name: "in clear, where TLS is off", base: kept, edits: []edit{other, tls}, policy: carols(TLSOff)},
		{name: "in clear, where TLS is offered", base: kept, edits: []edit{other, tls}, policy: carols(TLSOpportunistic),
			want: []string{"WIRE-LAWFUL: took up a connection with mx1.example.net for example.com in clear, though STARTTLS is offered",
				"WIRE-LAWFUL: names carol@example.com to mx1 in clear"}},
		{name: "in clear, where TLS is required", base: kept, edits: []edit{other}, policy: carols(TLSRequired),
			want: []string{"WIRE-LAWFUL: in clear, though policy says required", "WIRE-LAWFUL: names carol@example.com to mx1 in clear"}},
		{name: "with a certificate for another domain", base: kept, edits: []edit{other, after("stage=ehlo reply",
			toOne), after("stage=handshake", ehlo)},
			policy: carols(TLSVerified),
			want: []string{"WIRE-LAWFUL: whose certificate is valid for no name that is wanted",
				"WIRE-LAWFUL: names carol@example.com to mx1, whose certificate is valid for none"}},
		{name: "with a certificate for both", base: kept, edits: []edit{other, after("stage=ehlo reply",
			toBoth), after("stage=handshake", ehlo)},
			policy: carols(TLSVerified)},
	})
}

func TestWhatIsKeptCounts(t *testing.T) {
	one := func(p *Policy) { p.Limits.DeliveriesPerDestination = 1 }
	// dials has the second mail go over a connection of its own.
	dials := func(_ testing.TB, text string) string {
		head, tail, _ := strings.Cut(text, "3.6s")
		at := strings.Index(tail, "\n") + 1
		tail = strings.ReplaceAll(tail[at:], "session=s1", "session=s2")
		return head + "3.6s relay dial" + atMX1 + "\n3.65s network connect session=s2 addr=192.0.2.1:25\n" + tail
	}
	quit := between("3s server mx1 command session=s1 host=mx1 stage=quit text=QUIT")
	runTrials(t, []trial{
		{name: "two connections, where there may be two", base: kept, edits: []edit{dials}},
		{name: "two connections, where there may be one", base: kept, edits: []edit{dials}, policy: one,
			want: []string{"FAIR-AND-BOUNDED: 2 connections for example.net are open at once, with those that are kept; the limit is 1"}},
		{name: "two connections, where there may be one in all", base: kept, edits: []edit{dials}, policy: func(p *Policy) { p.Limits.Deliveries = 1 },
			want: []string{"FAIR-AND-BOUNDED: 2 connections are open at once, with those that are kept; the limit is 1"}},
		{name: "the first was ended before", base: kept, edits: []edit{dials, quit}, policy: one},
		{name: "the first was in trouble", base: kept, edits: []edit{dials, between("3s network fault session=s1 faults=net-cut text=x")}, policy: one},
		{name: "it is taken up", base: kept, policy: one},
		{name: "nobody needs it", base: kept, edits: []edit{endsAt("6m")},
			want: []string{"FAIR-AND-BOUNDED: kept a connection with mx1.example.net open for 5m56s that nobody used"}},
		{name: "nobody needs it, and QUIT is heard late", base: kept, edits: []edit{endsAt("50s")}},
		{name: "nobody needs it, to the end", base: kept,
			edits: []edit{without("stage=quit"), without("network closed"), with("1h     world end", "1h     world stop\n1h     world end")},
			want:  []string{"FAIR-AND-BOUNDED: kept a connection with mx1.example.net open for"}},
		{name: "its server is slow", base: kept, edits: []edit{endsAt("6m"), between("3s server mx1 fault session=s1 host=mx1 stage=dot faults=delay text=x")}},
	})
}

// What a session offered before an attempt began is a reason for what it
// refuses by itself.
func TestAnOfferIsHeardByWhoTakesUpTheSession(t *testing.T) {
	tooBig := func(_ testing.TB, text string) string {
		head, _, _ := strings.Cut(text, "3.7s")
		return head + `
3.7s   disk erased queue=Q2 text=control
3.7s   disk erased queue=Q2 text=body
3.7s   disk stored queue=Q3 text=control
3.7s   disk stored queue=Q3 text=body
3.7s   relay outcome message=m2 queue=Q2 dest=example.net host=mx1.example.net to=carol@example.net attempt=1 state=failed text="5.3.4 too big"
3.7s   relay report message=r1 queue=Q3 to=carol@example.net from=alice@example.org text=Q2
3.7s   relay queued message=r1 queue=Q3 from=<> to=alice@example.org due=120h0m3.7s
3.7s   relay removed message=m2 queue=Q2
3.7s   relay attempt-end message=m2 queue=Q2 job=j2 dest=example.net
`
	}
	runTrials(t, []trial{
		{name: "SIZE", base: kept, edits: []edit{with("250 mx1 PIPELINING", "250 mx1 8BITMIME SIZE 1000"), with("; MX 20 mx2.example.net.", ""), tooBig}},
		{name: "SIZE, and not by every host", base: kept, edits: []edit{with("250 mx1 PIPELINING", "250 mx1 8BITMIME SIZE 1000"), tooBig},
			want: []string{"RETRY-ON-TIME: neither a server nor the DNS had refused it"}},
		{name: "neither", base: kept, edits: []edit{with("250 mx1 PIPELINING", "250 mx1 8BITMIME"), tooBig},
			want: []string{"RETRY-ON-TIME: neither a server nor the DNS had refused it"}},
	})
}

// A refusal that is still unheard when the next attempt begins is that of the one
// before.
func TestARefusalIsNotThatOfTheNextAttempt(t *testing.T) {
	base := `
0s world start count=1
1s relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h
2s relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1
2s network connect session=s1 addr=192.0.2.1:25
3s server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
3s server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
3s server mx1 reply session=s1 host=mx1 stage=dot reply="451 later"
4s relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
5s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2
6s server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
`
	c := NewChecker(testPolicy())
	for _, f := range history(t, base) {
		c.Observe(f) // and it does not panic
	}
}
