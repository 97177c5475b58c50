package spec

import (
	"strings"
	"testing"
)

// TestTheDiskTellsOfIntents: what the relay says of an intent is held against
// the disk, and against the dot that a server reads.
func TestTheDiskTellsOfIntents(t *testing.T) {
	runTrials(t, []trial{
		{name: "nothing is known of intents", base: delivered, edits: []edit{without("text=intent")}},
		{name: "never stored", base: delivered, edits: []edit{without("text=intent"), with("stored queue=Q1 text=body", "stored count=300 queue=Q1 text=body")},
			want: []string{"NEVER-TWICE: says that the intent for m1 to bob@example.net is stored"}},
		{name: "stored after the dot", base: delivered,
			edits: []edit{with("stored queue=Q1 text=body", "stored count=300 queue=Q1 text=body"), without("stored queue=Q1 text=intent"),
				after("relay dot", "1.85s disk stored queue=Q1 text=intent")},
			want: []string{"NEVER-TWICE: says that the intent for m1"}},
		{name: "gone when a server reads the dot", base: retried, policy: retry, licence: "reply lost", edits: []edit{
			with("5m4s   disk stored queue=Q1 text=intent\n", ""), without("5m4s   relay intent"), with("5m7s   disk erased queue=Q1 text=intent\n", ""),
			after("5m4s   relay dot", "5m4.5s server mx1 command session=s2 host=mx1 stage=dot text=.")},
			want: []string{"NEVER-TWICE: mx1 read the final dot for m1 to bob@example.net, and no intent was stored"}},
		{name: "left behind", base: delivered, edits: []edit{without("erased queue=Q1 text=intent")},
			want: []string{"CLEAN-EXACTLY: the spool holds an intent of m1 (Q1), which has left it"}},
		{name: "lost in a crash", base: retried, policy: retry, licence: "crash between", edits: []edit{
			without("2s     disk erased queue=Q1 text=intent"), with("1.9s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net", `
1.9s world crash
1.9s disk kept queue=Q1 text=control
1.9s disk kept queue=Q1 text=body
1.95s world start count=2
1.95s relay ready`)}},
	})
}

// TestABodyIsAllOfIt: a part of a content is none.
func TestABodyIsAllOfIt(t *testing.T) {
	sized := []edit{with("submit message=m1", "submit count=100000 message=m1"), with("stored queue=Q1 text=body", "stored count=65536 queue=Q1 text=body")}
	const rest = "1.15s disk stored count=100300 queue=Q1 text=body"
	crash := func(count string) edit {
		return after("state=queued", "1m world crash\n1m disk kept queue=Q1 text=control\n1m disk kept queue=Q1 text=body count="+count+"\n"+
			"2m world start count=2\n2m relay ready")
	}
	runTrials(t, []trial{
		{name: "all of it in time", base: delivered, edits: append(sized, after("relay queued", rest))},
		{name: "the rest too late", base: delivered, edits: append(sized, after("submitter submitted", "1.25s disk stored count=100300 queue=Q1 text=body")),
			want: []string{"ACCEPT-DURABLE: acknowledged m1 before it was stored"}},
		{name: "less than before", base: delivered, edits: append(sized, after("relay queued", rest+"\n1.16s disk stored count=65536 queue=Q1 text=body")),
			want: []string{"CLEAN-EXACTLY: the body entry of m1 (Q1) was stored a second time", "ACCEPT-DURABLE"}},
		{name: "all of it kept", base: deferred, edits: append(sized, after("relay queued", rest), crash("100300"))},
		{name: "a part of it kept", base: deferred, edits: append(sized, after("relay queued", rest), crash("65536")),
			want: []string{"ACCEPT-DURABLE: the crash took the body of m1"}},
	})
}

// TestAStopExcusesOnlyItsInstant: the end of a process hides what it had no
// time to say, and nothing else.
func TestAStopExcusesOnlyItsInstant(t *testing.T) {
	lost := []edit{fromNull, without("server mx1"), without("relay outcome"), without("relay intent"), without("relay dot"), without("text=intent")}
	const down = "world crash\n10m world start count=2\n10m relay ready"
	held := append([]edit{without("server mx1"), without("r1"), without("Q2"), without("erased"), with("state=unknown", "state=held")},
		after("state=held", "1m world operator queue=Q1 to=bob@example.net text=delivered\n1m disk erased queue=Q1 text=intent\n"+
			"1m disk erased queue=Q1 text=control\n1m disk erased queue=Q1 text=body\n1m "+down))
	expired := []edit{fromNull, with("due=120h0m1s", "due=4m1s"), until("5m1.7s relay attempt"), with("due=5m1.7s", "due=4m1s"), after("state=queued",
		"4m1s disk erased queue=Q1 text=control\n4m1s disk erased queue=Q1 text=body\n4m1s "+down+"\n1h world end")}
	short := func(p *Policy) { p.Schedule.Lifetime = 4 * 60e9 }
	// two adds carol, of whom nothing more is heard: she is held.
	two := after("relay queued", `
1.1s relay queued message=m1 queue=Q1 from=alice@example.org to=carol@example.com due=120h0m1s
1.1s relay attempt message=m1 queue=Q1 job=k1 dest=example.com to=carol@example.com attempt=1 due=1s
1.1s relay attempt-end message=m1 queue=Q1 job=k1 dest=example.com
1.1s world operator message=m1 to=carol@example.com text=hold
1.1s relay dot message=m1 queue=Q1 job=k1 to=carol@example.com
1.1s relay outcome message=m1 queue=Q1 to=carol@example.com attempt=1 state=held`)
	const kept = "2.2s world crash\n2.2s disk kept queue=Q1 text=control\n2.2s disk kept queue=Q1 text=body\n10m world start count=2\n10m relay ready"
	runTrials(t, []trial{
		{name: "a mail of the null sender, long before", base: delivered, edits: append(lost, with("1h     world end", "59m world stop\n1h world end")),
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
		{name: "a mail of the null sender that expired", base: deferred, policy: short, edits: expired},
		{name: "a mail of the null sender that had not", base: deferred, edits: append(expired[:1:1], until("5m1.7s relay attempt"), after("state=queued",
			"4m1s disk erased queue=Q1 text=control\n4m1s disk erased queue=Q1 text=body\n4m1s "+down+"\n1h world end")),
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
		{name: "what the disk did when nobody was there", base: refused, edits: []edit{without("1.9s   relay"),
			with("1.8s   disk erased queue=Q1 text=control", `1.8s relay halt text="storing a batch: input/output error"
1.8s world stop
1.8s disk erased queue=Q1 text=control`), after("stored queue=Q2 text=body", `
1.85s world start count=2
1.85s relay ready
1.9s relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1`)}},
		{name: "an operator's word", base: doubted, policy: hold, edits: held},
		{name: "a removal nobody gave a reason for", base: deferred,
			edits: []edit{without("state=delivered"), with("1h     world end", "5m30s world stop\n1h world end"),
				after("5m7s   disk erased queue=Q1 text=body", "5m8s relay ready")},
			want: []string{"CLEAN-EXACTLY: was removed before the relay had recorded what became of bob"}},
		{name: "a delivery, while another recipient is held", base: delivered, policy: hold,
			edits: []edit{two, until("2.2s   disk erased queue=Q1 text=intent"), after("2.1s   relay attempt-end", kept+"\n1h world end")}},
	})
}

// TestSmallHoles: what a relay could do unseen.
func TestSmallHoles(t *testing.T) {
	const dial = "1.4s   relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25"
	// twice is a mail submitted twice under one Message-ID, of which nobody takes one.
	twice := func(state, words string) []edit {
		return []edit{
			with("1.2s   submitter submitted", `1.15s submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.16s disk stored queue=Q3 text=control
1.16s disk stored queue=Q3 text=body
1.16s relay queued message=m1 queue=Q3 from=alice@example.org to=bob@example.net due=120h0m1s
1.17s submitter submitted message=m1 to=bob@example.net reply="250 2.0.0 queued as Q3"
1.2s submitter submitted`),
			with("2.2s   relay removed", strings.NewReplacer("2m ", "2.25s ", "queue=Q1", "queue=Q3").Replace(words)+`
2.3s disk erased queue=Q3 text=control
2.3s disk erased queue=Q3 text=body
2.3s relay outcome message=m1 queue=Q3 to=bob@example.net state=`+state+`
2.3s relay removed`)}
	}
	runTrials(t, []trial{
		{name: "stays in the spool for an hour", base: delivered, edits: []edit{
			without("2.2s   disk erased"),
			after("relay removed", "50m disk erased queue=Q1 text=intent\n50m disk erased queue=Q1 text=control\n50m disk erased queue=Q1 text=body")},
			want: []string{"CLEAN-EXACTLY: m1 (Q1) stayed in the spool for 49m57.8s after every recipient was final"}},
		{name: "another host after the dot", base: delivered, edits: []edit{after("relay dot",
			"1.82s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net addr=192.0.2.2:25\n1.83s network connect session=s2 addr=192.0.2.2:25\n"+
				"1.85s relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net to=bob@example.net")},
			want: []string{"NEXT-HOP-ORDER: sent the final dot for m1 to bob@example.net twice in one attempt, first to mx1.example.net and then to mx2"}},
		{name: "words are no try", base: delivered, edits: []edit{without("network connect"), with("addr=192.0.2.1:25\n", "addr=192.0.2.1:25\n"), with(dial,
			"1.4s relay trouble message=m1 queue=Q1 job=j1 host=mx1.example.net stage=connect text=lie\n"+
				"1.4s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx2.example.net addr=192.0.2.2:25")},
			want: []string{"NEXT-HOP-ORDER: mx1.example.net comes first, and was not tried"}},
		{name: "connects elsewhere", base: delivered, edits: []edit{with("connect session=s1 addr=192.0.2.1:25", "connect session=s1 addr=192.0.2.99:25")},
			want: []string{"NEXT-HOP-ORDER: it dialled mx1.example.net at 192.0.2.1:25, but nobody connected there"}},
		{name: "talks elsewhere", base: delivered, edits: []edit{with("connect session=s1 addr=192.0.2.1:25", "connect session=s1 addr=192.0.2.99:25"),
			with("relay dot", "relay dot session=s1")}, want: []string{"NEXT-HOP-ORDER: but it talks to 192.0.2.99:25"}},
		{name: "connects more often than it says", base: delivered, edits: []edit{after("network connect", "1.5s network connect session=s21 addr=192.0.2.1:25")},
			want: []string{"FAIR-AND-BOUNDED: 2 connections to 192.0.2.1:25 were tried, but the relay speaks of 1"}},
		{name: "fails to connect where it did not say", base: delivered, edits: []edit{after("network connect", "1.5s network connect-failed addr=192.0.2.7:25")},
			want: []string{"NEXT-HOP-ORDER: tried to connect to 192.0.2.7:25, and did not say so"}},
		{name: "more recipients at once than it may", base: delivered, policy: func(p *Policy) { p.Limits.RecipientsPerTransaction = 1 }, edits: []edit{
			after("stage=rcpt text", `1.7s server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<carol@example.net>"`)},
			want: []string{"FAIR-AND-BOUNDED: names more than 1 recipients to mx1 in one transaction"}},
		{name: "a mail that nobody submitted", base: delivered, edits: []edit{after("relay removed",
			"3s server mx1 accepted session=s9 host=mx1 message=m9 from=eve@example.org to=bob@example.net hash=hX")},
			want: []string{"WIRE-LAWFUL: mx1 accepted m9 from eve@example.org, which nobody had submitted"}},
		{name: "a mail without a name", base: delivered, edits: []edit{after("relay removed",
			"3s server mx1 accepted session=s9 host=mx1 from=alice@example.org to=bob@example.net hash=h1")},
			want: []string{"WIRE-LAWFUL: a mail without a Message-ID"}},
		{name: "one of two submissions lost", base: delivered, edits: twice("delivered", ""),
			want: []string{"NOTHING-LOST: it was acknowledged 2 times, and only 1 of them came to anything"}},
		{name: "one of two submissions lost, and an operator wanted it attempted", base: delivered, edits: twice("delivered", says("retry-now", "AND")),
			want: []string{"NOTHING-LOST: it was acknowledged 2 times, and only 1 of them came to anything"}},
		{name: "one of two submissions deleted, as an operator said", base: delivered, edits: twice("deleted", says("delete", "AND"))},
		{name: "named twice, and delivered twice", base: delivered, edits: []edit{
			with("submit message=m1 from=alice@example.org to=bob@example.net", "submit message=m1 from=alice@example.org to=bob@example.net,bob@EXAMPLE.net"),
			after("replied", "1.95s server mx1 accepted session=s9 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1")},
			want: []string{"NEVER-TWICE: mx1 accepted m1 to bob@example.net"}},
		{name: "AUTH=<> in MAIL", base: refused, edits: []edit{
			replacing("MAIL FROM:<alice@example.org>", "MAIL FROM:<alice@example.org> AUTH=<>"), after("state=failed reply", `
3s network connect session=s8 addr=192.0.2.1:25
3s server mx1 command session=s8 host=mx1 stage=mail text="MAIL FROM:<alice@example.org> AUTH=<>"
3s server mx1 command session=s8 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"`)},
			want: []string{"RETRY-ON-TIME: though mx1 had refused it for good"}},
		{name: "a local part with quotes that it can do without", base: delivered,
			edits: []edit{outside, replacing("submit message=m1 from=alice@example.org to=bob@example.net",
				`submit message=m1 from=alice@example.org to="\"bob\"@example.net"`)}},
	})
}

func TestCanonicalAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"<Bob@Example.NET.>": "Bob@example.net", `"bob"@x`: "bob@x", `"b\ob"@x`: "bob@x", `"b ob"@x`: `"b ob"@x`, `"b\"ob"@x`: `"b\"ob"@x`,
		`".b"@x`: `".b"@x`, `""@x`: `""@x`, `"a@b"@X`: `"a@b"@x`, `"@x`: `"@x`, "<>": "<>", "": "",
	} {
		if got := canonical(in); got != want {
			t.Errorf("canonical(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"MAIL FROM:<a@b> AUTH=<>": "a@b", `RCPT TO:<"a>b"@c>`: `"a>b"@c`, `RCPT TO:<"a\">b"@c> X`: `"a\">b"@c`, "RCPT": "", "RCPT TO:<a": "a",
	} {
		if got := path(in); got != want {
			t.Errorf("path(%q) = %q, want %q", in, got, want)
		}
	}
}
