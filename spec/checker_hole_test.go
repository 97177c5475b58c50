package spec

import (
	"strings"
	"testing"
	"time"
)

// replacing replaces every occurrence of old.
func replacing(old, replacement string) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("%q does not occur", old)
		}
		return strings.ReplaceAll(text, old, replacement)
	}
}

// TestReportsSayWhatWasRecorded: to whom they go, of whom and what they speak.
func TestReportsSayWhatWasRecorded(t *testing.T) {
	eve := func(t testing.TB, text string) string {
		head, tail, _ := strings.Cut(text, "1.9s   relay report")
		return head + "1.9s   relay report" + strings.ReplaceAll(tail, "alice@example.org", "eve@evil.example")
	}
	const seen = "report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1"
	runTrials(t, []trial{
		{name: "to somebody else", base: refused, edits: []edit{eve}, want: []string{
			"NOTHING-LOST: a report on m1 goes to eve@evil.example, but its sender is alice@example.org",
			"NOTHING-LOST: the report r1 was delivered, but says nothing of m1 to bob"}},
		{name: "of somebody else", base: refused, edits: []edit{with(seen, strings.Replace(seen, "bob", "carol", 1))}, want: []string{
			"TRUE-REPORTS: the report r1 speaks of m1 to carol@example.net, but it was stored on m1",
			"NOTHING-LOST: says nothing of m1 to bob"}},
		{name: "of another message", base: refused, edits: []edit{with(seen, strings.Replace(seen, "text=m1", "text=m99", 1))}, want: []string{
			"TRUE-REPORTS: the report r1 speaks of m99 to bob@example.net", "NOTHING-LOST: says nothing of m1 to bob"}},
		{name: "without a word of the original", base: refused, edits: []edit{with(" text=m1\n2.3s", "\n2.3s")}},
		{name: "of nobody", base: refused, edits: []edit{without("report-seen")}, want: []string{"NOTHING-LOST: says nothing of m1 to bob"}},
		{name: "unknown, though it failed", base: refused, edits: []edit{with("state=failed text=m1", "state=unknown text=m1")},
			want: []string{"TRUE-REPORTS: was reported as unknown, but the relay had recorded it as failed"}},
		{name: "unknown, though it failed, seen from outside", base: refused, edits: []edit{outside, with("state=failed text=m1", "state=unknown text=m1")},
			want: []string{"TRUE-REPORTS: was reported as unknown, but mx1 had refused it"}},
		{name: "unknown, though it was delivered, seen from outside", base: delivered, edits: []edit{outside, after("stage=quit", `
3s server home accepted session=s9 host=home message=r1 from=<> to=alice@example.org
3s server home report-seen session=s9 host=home message=r1 to=bob@example.net reply=failed state=unknown text=m1`)},
			want: []string{"TRUE-REPORTS: was reported as unknown, but mx1 had accepted it and said so"}},
		{name: "failed, though nobody knows", base: doubted, edits: []edit{with("reply=failed state=unknown", "reply=failed state=failed"), without("mx1 accepted")},
			want: []string{"TRUE-REPORTS: was reported as failed, but the relay had recorded it as unknown"}},
		{name: "on what was delivered", base: delivered, edits: []edit{after("relay removed", `
2.3s disk stored queue=Q2 text=body
2.3s disk stored queue=Q2 text=control
2.3s relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1`), without("world end")},
			want: []string{"CLEAN-EXACTLY: removed before the report on it was stored",
				"TRUE-REPORTS: stored a report on m1 to bob@example.net, which it had recorded as delivered"}},
		{name: "a copy for the postmaster, seen from outside", base: refused, edits: []edit{outside, after("report-seen", `
2.35s server home accepted session=s2 host=home message=r2 from=<> to=postmaster@relay.example.org
2.35s server home report-seen session=s2 host=home message=r2 to=bob@example.net reply=failed state=failed text=m1`)}},
		{name: "a copy for the postmaster alone, seen from outside", base: refused, edits: []edit{outside, replacing("to=alice@", "to=postmaster@")},
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
		{name: "a double bounce, seen from outside", base: refused, edits: []edit{fromNull, outside, replacing("to=alice@", "to=postmaster@")}},
		{name: "none, of the null sender, seen from outside", base: refused, edits: []edit{fromNull, outside, without("home"), without("s2")}},
		{name: "none, of the null sender, though nothing was refused", base: delivered, edits: []edit{fromNull, outside, without("mx1")},
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
	})
}

// TestDoubtIsWaitedFor: a doubt is not made by those who do not wait.
func TestDoubtIsWaitedFor(t *testing.T) {
	const late = "1.7s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net"
	slowly := []edit{
		without("network closed"), after("mx1 command session=s1 host=mx1 stage=rcpt", `
1.65s server mx1 command session=s1 host=mx1 stage=dot text=.
1.65s server mx1 fault session=s1 host=mx1 stage=dot faults=delay text="at dot: accept; delay 9m; 250 ok"`),
	}
	impatient := []string{"NEVER-TWICE: it had not waited for the answer as long as it must"}
	runTrials(t, []trial{
		{name: "gave up at once", base: retried, policy: retry, edits: slowly, want: impatient},
		{name: "gave up at once, and the server was silent", base: retried, policy: retry, want: impatient, edits: append(slowly[:1:1],
			after("mx1 command session=s1 host=mx1 stage=rcpt", `
1.65s server mx1 command session=s1 host=mx1 stage=dot text=.
1.65s server mx1 fault session=s1 host=mx1 stage=dot faults=accept-lost,silence text="at dot: accept; silence"`))},
		{name: "gave up at once, and closed", base: retried, policy: retry, edits: append(slowly[1:2:2],
			with("network closed session=s1 addr=192.0.2.1:25", `network closed session=s1 addr=192.0.2.1:25 text="by the client"`)), want: impatient},
		{name: "gave up at once, under report", base: doubted,
			edits: append(slowly[1:2:2],
				with("mx1 fault session=s1 host=mx1 stage=dot text=\"at dot: lose\"",
					"mx1 fault session=s1 host=mx1 stage=dot faults=accept-lost,silence text=\"at dot: accept; silence\""),
				with("network closed session=s1 addr=192.0.2.1:25", `network closed session=s1 addr=192.0.2.1:25 text="by the client"`)),
			want: []string{"TRUE-REPORTS: mx1 had accepted it, and the relay did not wait for the answer"}},
		{name: "waited", base: retried, licence: "reply late at mx1: it came 9m30s after the dot", policy: retry, edits: append(slowly,
			with("1.9s   relay attempt-end", "9m31.65s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net\n10m2s relay attempt-end"),
			with("2s     disk erased queue=Q1 text=intent\n", ""), with("2s     relay outcome", "10m3s disk erased queue=Q1 text=intent\n10m3s relay outcome"),
			replacing("5m1.9s", "15m2s"), replacing("\n5m", "\n15m"))},
		{name: "a halt is only a word", base: retried, policy: retry,
			edits: []edit{after("mx1 accepted session=s1", late+"\n1.75s relay halt text=lie")},
			want:  []string{"NEVER-TWICE: it had said so"}},
		{name: "QUIT came with the dot, and the reply was lost", base: retried, policy: retry, licence: "reply lost at mx1: cut", edits: []edit{
			after("mx1 accepted session=s1", late+`
1.7s server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.75s network fault session=s1 text=cut`)}},
		{name: "QUIT came after the reply, and the connection was cut", base: retried, policy: retry, edits: []edit{
			after("mx1 accepted session=s1", late+`
1.72s server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.75s network fault session=s1 text=cut`)},
			want: []string{"NEVER-TWICE: it had said so"}},
		{name: "QUIT came after the reply, and the server said too much then", base: retried, policy: retry, edits: []edit{
			after("mx1 accepted session=s1", late+`
1.72s server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.75s server mx1 fault session=s1 host=mx1 stage=quit faults=reply-extra text="at quit: repeat 2"`)},
			want: []string{"NEVER-TWICE: it had said so"}},
		{name: "QUIT came after the reply, and the server had said too much before", base: retried, policy: retry, licence: "reply lost at mx1: at rcpt: repeat 2",
			edits: []edit{after("mx1 accepted session=s1", late+`
1.72s server mx1 command session=s1 host=mx1 stage=quit text=QUIT`), after("mx1 command session=s1 host=mx1 stage=rcpt",
				`1.55s server mx1 fault session=s1 host=mx1 stage=rcpt faults=reply-extra text="at rcpt: repeat 2"`)}},
		{name: "the first transaction is accepted last", base: lateAcceptance, policy: retry, licence: "none was written before the relay went on"},
		{name: "the first transaction is accepted last, and nobody had waited", base: lateAcceptance, policy: retry,
			edits: []edit{replacing("15m", "6m")}, want: []string{"NEVER-TWICE: both were under way at once"}},
		{name: "queued again under report", base: retried, edits: []edit{without("accepted session=s1")},
			want: []string{"NEVER-TWICE: the relay will send m1 to bob@example.net again, though its final dot had left"}},
		{name: "queued again after a refusal at the dot", base: retried, edits: []edit{
			with("1.7s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1",
				`1.7s server mx1 reply session=s1 host=mx1 stage=dot reply="451 4.3.0 Later"`)}},
		{name: "queued again after an early refusal", base: retried, edits: []edit{
			without("accepted session=s1"), with("1.6s   relay dot message=m1 queue=Q1 job=j1",
				"1.59s server mx1 reply session=s1 host=mx1 stage=body reply=\"451 4.3.0 Later\"\n1.6s relay dot message=m1 queue=Q1 job=j1")}},
		{name: "held under report", base: doubted, edits: []edit{until("2s     disk stored queue=Q2"),
			after("attempt-end", "2s relay outcome message=m1 queue=Q1 to=bob@example.net attempt=1 state=held")},
			want: []string{"TRUE-REPORTS: recorded m1 to bob@example.net as held, though what is in doubt there is to be decided by report"}},
		{name: "an earlier doubt makes a failure unknown, though a crash hid the dot", base: retried, policy: retry, edits: []edit{
			without("accepted"), without("replied"), without("1.6s   relay dot"), without("1.9s   relay attempt-end"), without("2s     disk erased"), without("5m4s"),
			without("5m7s   disk erased queue=Q1 text=intent"), until("world end"),
			with("2s     relay outcome", `1.7s world crash
1.7s disk kept queue=Q1 text=control
1.7s disk kept queue=Q1 text=body
1.7s disk kept queue=Q1 text=intent
1.8s world start count=2
1.8s relay doubt message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net text=retry
1.9s disk erased queue=Q1 text=intent
1.9s relay outcome`), after("state=queued", "1.9s relay ready"),
			with("5m3s   server mx1 command session=s2 host=mx1 stage=rcpt",
				`5m3s server mx1 refused-recipient session=s2 host=mx1 from=<alice@example.org> to=bob@example.net stage=rcpt reply="550 no"
5m3s   server mx1 command session=s2 host=mx1 stage=rcpt`), with("state=delivered", `state=unknown reply="550 no"`)}},
		{name: "an earlier doubt makes a failure unknown", base: retried, policy: retry, edits: []edit{without("accepted session=s2"), without("replied"),
			with("5m3s   server mx1 command session=s2 host=mx1 stage=rcpt",
				"5m3s server mx1 refused-recipient session=s2 host=mx1 from=<alice@example.org> to=bob@example.net stage=rcpt reply=\"550 no\"\n"+
					"5m3s   server mx1 command session=s2 host=mx1 stage=rcpt"),
			without("5m4s"), with("5m7s   disk erased queue=Q1 text=intent\n", ""), with("state=delivered", `state=unknown reply="550 no"`),
			until("world end")}},
		{name: "an earlier doubt, and yet a failure", base: retried, policy: retry, edits: []edit{without("accepted"), without("replied"),
			with("5m3s   server mx1 command session=s2 host=mx1 stage=rcpt",
				"5m3s server mx1 refused-recipient session=s2 host=mx1 from=<alice@example.org> to=bob@example.net stage=rcpt reply=\"550 no\"\n"+
					"5m3s   server mx1 command session=s2 host=mx1 stage=rcpt"),
			without("5m4s"), with("5m7s   disk erased queue=Q1 text=intent\n", ""), with("state=delivered", `state=failed reply="550 no"`),
			until("world end")},
			want: []string{"TRUE-REPORTS: recorded m1 to bob@example.net as failed, though an earlier dot had left"}},
	})
}

// lateAcceptance is the history of a server that takes the first transaction
// when the second one is over.
const lateAcceptance = `
0s     world start count=1
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.3s   network connect session=s1 addr=192.0.2.1:25
1.4s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.5s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.6s   server mx1 command session=s1 host=mx1 stage=dot text=.
1.6s   server mx1 fault session=s1 host=mx1 stage=dot faults=delay text="at dot, first 1: delay 20m"
15m    network connect session=s2 addr=192.0.2.1:25
15m1s  server mx1 command session=s2 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
15m1s  server mx1 command session=s2 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
15m2s  server mx1 accepted session=s2 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
15m2s  server mx1 replied session=s2 host=mx1 message=m1 to=bob@example.net
20m2s  server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
21m    network closed session=s1
1h     world end
`

// TestFailureHasAReason: nobody gives up before the lifetime ends, unless a
// server or the DNS says so; nor later.
func TestFailureHasAReason(t *testing.T) {
	unheard := []edit{without("server mx1"), without("network connect session=s1"), with(`state=failed reply="550 5.1.1 no"`, `state=failed text="no"`)}
	dns := func(lines string) edit { return after("relay attempt message=m1", lines) }
	none := []string{"RETRY-ON-TIME: though neither a server nor the DNS had refused it for good"}
	const expired = `
AT disk erased queue=Q1 text=control
AT disk erased queue=Q1 text=body
AT disk stored queue=Q2 text=control
AT disk stored queue=Q2 text=body
AT relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net state=failed text=expired
AT relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1
AT relay queued message=r1 queue=Q2 from=<> to=alice@example.org`
	// full refuses the recipient with a reply, after lines.
	full := func(reply, lines string) edit {
		return func(t testing.TB, text string) string {
			text = after("submitter submitted message=m1", `
1.2s submitter submit message=m2 from=alice@example.org to=carol@example.net hash=h2
1.2s submitter refused message=m2`)(t, text)
			return after("mx1 reply session=s1 host=mx1 stage=mail", lines)(t, strings.ReplaceAll(text, `"550 5.1.1 no"`, `"`+reply+`"`))
		}
	}
	const taken = `
1.45s server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<carol@example.net>"`
	now := []string{"RETRY-ON-TIME: refused only for now"}
	short := func(p *Policy) { p.Schedule.Lifetime = 10 * time.Minute }
	expires := func(at string) []edit {
		return []edit{with("due=120h0m1s", "due=10m1s"), until("5m1.7s relay attempt"), after("state=queued", `
5m1.7s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.7s
5m2s   relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
5m2s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=10m1s
`+strings.ReplaceAll(expired[1:], "AT", at))}
	}
	runTrials(t, []trial{
		{name: "connecting was refused", base: refused, want: none,
			edits: append(unheard, dns(`1.3s network connect-failed addr=192.0.2.1:25 text="connection refused"`))},
		{name: "the DNS could not say", base: refused, want: none, edits: append(unheard, dns(`1.3s dns answer text="example.net. MX: SERVFAIL"`))},
		{name: "no such domain", base: refused, edits: append(unheard, dns(`1.3s dns answer text="example.net. MX: NXDOMAIN"`))},
		{name: "null MX", base: refused, edits: append(unheard, dns(`1.3s dns answer text="example.net. MX: NOERROR MX 0 ."`))},
		{name: "the relay is its own best MX", base: refused, edits: append(unheard, dns(`1.3s dns answer text="example.net. MX: NOERROR MX 5 relay.example.org."`))},
		{name: "no host has an address", base: refused, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR MX 5 mx1.example.net."
1.3s dns answer text="mx1.example.net. A: NOERROR"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR"`))},
		{name: "no host has an address, as one attempt was told and another one not", base: refused, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR MX 5 mx1.example.net."
1.3s dns answer text="mx1.example.net. A: NOERROR"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR"
1.3s dns answer text="mx1.example.net. A: NOERROR A 192.0.2.1"`))},
		{name: "one kind of address is none, and an alias leads the other one to nothing", base: refused, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR"
1.3s dns answer text="example.net. A: NOERROR"
1.3s dns answer text="example.net. AAAA: NOERROR CNAME other.example.net."
1.3s dns answer text="other.example.net. AAAA: NOERROR"`))},
		{name: "an alias leads one kind of address to nothing, and the other one is none", base: refused, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR"
1.3s dns answer text="example.net. A: NOERROR CNAME other.example.net."
1.3s dns answer text="other.example.net. A: NOERROR"
1.3s dns answer text="example.net. AAAA: NOERROR"`))},
		{name: "one kind of address is none, and an alias leads to the other one", base: refused, want: none, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR"
1.3s dns answer text="example.net. A: NOERROR"
1.3s dns answer text="example.net. AAAA: NOERROR CNAME other.example.net."
1.3s dns answer text="other.example.net. AAAA: NOERROR AAAA 2001:db8::1"`))},
		{name: "an alias leads to an address where there was none before", base: refused, want: none, edits: append(unheard,
			after("submitter submit message=m1", `
1s dns answer text="example.net. A: NOERROR"`), dns(`
1.3s dns answer text="example.net. MX: NOERROR"
1.3s dns answer text="example.net. A: NOERROR CNAME other.example.net."
1.3s dns answer text="other.example.net. A: NOERROR A 192.0.2.1"
1.3s dns answer text="example.net. AAAA: NOERROR"`))},
		{name: "a host had no address, before the attempt began", base: refused, want: none, edits: append(unheard,
			after("submitter submit message=m1", `
1s dns answer text="mx1.example.net. A: NOERROR"`), dns(`
1.3s dns answer text="example.net. MX: NOERROR MX 5 mx1.example.net."
1.3s dns answer text="mx1.example.net. A: NOERROR A 192.0.2.1"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR"`))},
		{name: "a host may have an address", base: refused, want: none, edits: append(unheard, dns(`
1.3s dns answer text="example.net. MX: NOERROR MX 5 mx1.example.net."
1.3s dns answer text="mx1.example.net. A: SERVFAIL"
1.3s dns answer text="mx1.example.net. AAAA: NOERROR"`))},
		{name: "what it met is not known", base: refused, edits: append(unheard, without("network"), without("home"), without("submitter"), without("world end"))},
		{name: "451 at the dot", base: refused, want: none, edits: []edit{
			without("fault session=s1"), without("refused-recipient"), with(`stage=rcpt reply="550 5.1.1 no"`, `stage=dot reply="451 4.3.0 later"`),
			with(`state=failed reply="550 5.1.1 no"`, `state=failed text="no"`)}},
		{name: "552 for too many recipients", base: refused, edits: []edit{full("552 5.5.3 too many", "")}, want: now},
		{name: "552 for a full mailbox", base: refused, edits: []edit{full("552 5.2.2 full", taken)}},
		{name: "552, and nobody else was named", base: refused, edits: []edit{full("552 full", "")}},
		{name: "552, and another one was taken", base: refused, edits: []edit{full("552 full", taken)}, want: now},
		{name: "552, and another one was refused", base: refused, edits: []edit{full("552 full", taken+`
1.45s server mx1 refused-recipient session=s1 host=mx1 from=<alice@example.org> to=carol@example.net stage=rcpt reply="451 no"`)}},
		{name: "552, and nobody knows whether another one was taken", base: refused, edits: []edit{full("552 full", strings.Replace(taken, "carol", "eve", 1))}},
		{name: "8-bit content, which the server takes", base: refused, want: none, edits: []edit{without("fault session=s1"), without("refused-recipient"),
			with(`stage=rcpt reply="550 5.1.1 no"`, `stage=ehlo reply="250 mx1 8BITMIME"`),
			with(`state=failed reply="550 5.1.1 no"`, `state=failed text="5.6.3 8-bit content"`)}},
		{name: "8-bit content, which the server does not take", base: refused, edits: []edit{
			needing("8BITMIME"), without("fault session=s1"), without("refused-recipient"),
			with(`stage=rcpt reply="550 5.1.1 no"`, `stage=ehlo reply="250 mx1"`),
			with(`state=failed reply="550 5.1.1 no"`, `state=failed text="5.6.3 8-bit content"`)}},
		{name: "deferred until nobody knows when", base: deferred, edits: []edit{with(` due=5m1.7s`+"\n5m1.7s", "\n5m1.7s")},
			want: []string{"RETRY-ON-TIME: deferred m1 to bob@example.net without saying until when", "FAIR-AND-BOUNDED"}},
		{name: "expired in time", base: deferred, policy: short, edits: expires("10m2s")},
		{name: "expired late", base: deferred, policy: short, edits: expires("12m2s"),
			want: []string{"RETRY-ON-TIME: let m1 to bob@example.net fail 2m1s after its lifetime had ended"}},
	})
}
