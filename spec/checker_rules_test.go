package spec

import (
	"testing"
	"time"
)

// retried is the history of a relay told to send again when in doubt.
const retried = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   network connect session=s1 addr=192.0.2.1:25
1.4s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.5s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.6s   disk stored queue=Q1 text=intent
1.6s   relay intent message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net attempt=1
1.6s   relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net
1.7s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
1.8s   network closed session=s1 addr=192.0.2.1:25
1.9s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2s     disk erased queue=Q1 text=intent
2s     relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued due=5m1.9s
5m1.9s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.9s
5m2s   network connect session=s2 addr=192.0.2.1:25
5m3s   server mx1 command session=s2 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
5m3s   server mx1 command session=s2 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
5m4s   disk stored queue=Q1 text=intent
5m4s   relay intent message=m1 queue=Q1 job=j2 dest=example.net host=mx1 to=bob@example.net attempt=2
5m4s   relay dot message=m1 queue=Q1 job=j2 dest=example.net host=mx1 to=bob@example.net
5m5s   server mx1 accepted session=s2 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
5m5s   server mx1 replied session=s2 host=mx1 message=m1 to=bob@example.net
5m6s   relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
5m7s   disk erased queue=Q1 text=intent
5m7s   disk erased queue=Q1 text=control
5m7s   disk erased queue=Q1 text=body
5m7s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=delivered
1h     world end
`

func retry(p *Policy) { p.InDoubt = DoubtRetry }

func hold(p *Policy) { p.InDoubt = DoubtHold }

func TestNeverTwice(t *testing.T) {
	const replied = "1.7s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net"
	seen := "NEVER-TWICE: mx1 accepted m1 to bob@example.net, which mx1 had accepted 5m3.3s before"
	twice := []string{"NEVER-TWICE: will send m1 to bob@example.net again, though its final dot had left", seen}
	runTrials(t, []trial{
		{name: "told to retry, reply lost", base: retried, policy: retry, licence: "reply lost at mx1: none was written"},
		{name: "told to report", base: retried, want: twice},
		{name: "told to retry elsewhere only", base: retried, want: twice,
			policy: func(p *Policy) { p.InDoubtAt = map[string]InDoubtPolicy{"example.com": DoubtRetry} }},
		{name: "told to retry here", base: retried, licence: "reply lost",
			policy: func(p *Policy) { p.InDoubtAt = map[string]InDoubtPolicy{"example.net": DoubtRetry} }},
		{name: "told to retry, reply written", base: retried, policy: retry, edits: []edit{after("mx1 accepted session=s1", replied)},
			want: []string{"NEVER-TWICE: it had said so, and nothing kept the relay"}},
		{name: "told to retry, reply written and cut", base: retried, policy: retry, licence: "reply lost at mx1: cut",
			edits: []edit{after("mx1 accepted session=s1", replied+"\n1.75s network fault session=s1 text=cut")}},
		{name: "a fault long before is no excuse", base: retried, policy: retry,
			edits: []edit{after("mx1 accepted session=s1", replied), after("stage=mail", "1.4s server mx1 fault session=s1 host=mx1 stage=mail text=slow")},
			want:  []string{"NEVER-TWICE"}},
		{name: "a fault after QUIT is no excuse", base: retried, policy: retry,
			edits: []edit{after("mx1 accepted session=s1", replied+`
1.71s server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.72s server mx1 fault session=s1 host=mx1 stage=quit text=cut`)},
			want: []string{"NEVER-TWICE"}},
		{name: "told to retry, reply later than the relay need wait", base: retried, policy: func(p *Policy) { retry(p); p.Timeouts.Dot = 5 * time.Minute },
			edits:   []edit{after("due=5m1.9s\n5m", "5m1.9s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net"), without("network closed")},
			licence: "reply late at mx1"},
		{name: "told to retry, crash before the outcome", base: retried, policy: retry, licence: "crash between the transaction at mx1 and the record of its outcome",
			edits: []edit{after("mx1 accepted session=s1", replied+`
1.75s world crash
1.76s disk kept queue=Q1 text=control
1.76s disk kept queue=Q1 text=body
1.77s world start count=2
1.78s relay ready`), without("1.9s   relay attempt-end")}},
		{name: "told to retry, crash after the outcome", base: retried, policy: retry,
			edits: []edit{after("mx1 accepted session=s1", replied), after("state=queued", `
2.1s world crash
2.1s disk kept queue=Q1 text=control
2.1s disk kept queue=Q1 text=body
2.2s world start count=2
2.3s relay ready`)},
			want: []string{"NEVER-TWICE"}},
		{name: "both at once", base: retried, policy: retry,
			edits: []edit{after("mx1 command session=s1", `
1.5s server mx2 command session=s3 host=mx2 stage=mail text="MAIL FROM:<alice@example.org>"
1.75s server mx2 accepted session=s3 host=mx2 message=m1 from=alice@example.org to=bob@example.net hash=h1`), without("session=s2")},
			want: []string{"NEVER-TWICE: both were under way at once"}},
		{name: "an operator says retry", base: retried, licence: "reply lost", policy: hold, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", "5m world operator queue=Q1 to=bob@example.net text=retry")}},
		{name: "an operator says retry, and delivered when it is too late", base: retried, licence: "reply lost", policy: hold, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", "5m world operator queue=Q1 to=bob@example.net text=retry"),
			after("relay attempt message=m1 queue=Q1 job=j2", "5m1.95s world operator queue=Q1 to=bob@example.net text=delivered")}},
		{name: "an operator says retry, and delivered before that is done", base: retried, licence: "reply lost", policy: hold, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", `
5m world operator queue=Q1 to=bob@example.net text=retry
5m world operator queue=Q1 to=bob@example.net text=delivered
5m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net state=queued due=5m`)}},
		{name: "an operator says delivered, and the relay takes it for retry", base: retried, policy: hold, want: []string{
			"NEVER-TWICE: the relay will send m1 to bob@example.net again", "NEVER-TWICE: which mx1 had accepted"}, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", "5m world operator queue=Q1 to=bob@example.net text=delivered\n"+
				"5m1s relay outcome message=m1 queue=Q1 dest=example.net host=mx1.example.net to=bob@example.net attempt=1 state=queued due=5m1s")}},
		{name: "an operator says retry, and the first acceptance comes later", base: retried, licence: "reply lost", policy: hold, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", "5m world operator queue=Q1 to=bob@example.net text=retry"),
			without("accepted session=s1"), without("network closed session=s1"),
			after("relay dot", `1.65s server mx1 fault session=s1 host=mx1 stage=dot faults=accept-lost text="at dot: lose"`),
			after("network connect session=s2", "5m2s server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1")}},
		{name: "an operator says report", base: retried, policy: hold, want: []string{"RETRY-ON-TIME: held for an operator", "NEVER-TWICE"}, edits: []edit{
			with("state=queued due=5m1.9s", "state=held"), after("state=held", "5m world operator queue=Q1 to=bob@example.net text=report")}},
		{name: "submitted twice", base: retried, edits: []edit{after("submitter submitted", `
1.2s submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.2s submitter submitted message=m1 to=bob@example.net`)}},
		{name: "another case of the domain is the same recipient", base: retried, want: twice,
			edits: []edit{with("session=s2 host=mx1 message=m1 from=alice@example.org to=bob@example.net",
				"session=s2 host=mx1 message=m1 from=alice@example.org to=bob@EXAMPLE.net.")}},
		{name: "true facts alone", base: retried, want: []string{seen}, edits: []edit{without("relay "), without("disk")}},
	})
}

func TestNothingLost(t *testing.T) {
	const gone = "2m disk erased queue=Q1 text=control\n2m disk erased queue=Q1 text=body"
	runTrials(t, []trial{
		{name: "reported twice in the spool", base: refused,
			edits: []edit{after("Q2 text=body", "1.8s disk stored queue=Q3 text=control"),
				after("message=r1 queue=Q2 from=alice", "1.9s relay report message=r2 queue=Q3 from=alice@example.org to=bob@example.net text=Q1"), without("1h ")},
			want: []string{"NOTHING-LOST: m1 to bob@example.net was reported more than once"}},
		{name: "reported twice outside", base: refused,
			edits: []edit{after("report-seen", "2.4s server home report-seen session=s2 host=home message=r9 to=bob@example.net reply=failed state=failed text=m1")},
			want:  []string{"NOTHING-LOST: m1 to bob@example.net was reported more than once"}},
		{name: "the same report seen twice", base: refused,
			edits: []edit{after("report-seen", "2.4s server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1")}},
		{name: "a delay reported as well", base: refused,
			edits: []edit{after("report-seen", "2.4s server home report-seen session=s2 host=home message=r8 to=bob@example.net reply=delayed text=m1")}},
		{name: "reported to the null sender", base: refused,
			edits: []edit{fromNull, hushed},
			want:  []string{"NOTHING-LOST: m1 to bob@example.net was reported to the null sender"}},
		{name: "null sender, not reported", base: refused,
			edits: []edit{fromNull, hushed, without("message=r1"), without("Q2")}},
		{name: "never reported", base: refused, edits: []edit{without("message=r1"), without("Q2")},
			want: []string{"CLEAN-EXACTLY: removed from the spool while bob", "NOTHING-LOST: it is failed, and the sender was never told"}},
		{name: "removed and never delivered", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied"), without("relay outcome")},
			want: []string{"CLEAN-EXACTLY: removed from the spool", "NOTHING-LOST: it left the spool"}},
		{name: "another MTA swallows it", base: delivered, edits: []edit{without("relay "), without("disk"), without("mx1 accepted"), without("mx1 replied")},
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
		{name: "another MTA reports it", base: refused, edits: []edit{without("relay "), without("disk")}},
		{name: "the report itself is lost", base: refused,
			edits: []edit{without("home"), without("queue=Q2 dest"), without("r1 queue=Q2 job")},
			want:  []string{"NOTHING-LOST: r1 to alice@example.org is lost"}},
		{name: "the relay crashed before it spoke of the report", base: refused,
			edits: []edit{without("1.9s"), after("Q2 text=body",
				"1.85s world crash\n1.85s disk kept queue=Q2 text=control\n1.85s disk kept queue=Q2 text=body\n1.86s world start count=2\n1.87s relay ready"),
				without("r1 queue=Q2 job")}},
		{name: "held", base: doubted, policy: hold,
			edits: []edit{with("state=unknown\n2s     relay report", "state=held\n2s     relay report"), without("r1"), without("Q2"), without("erased")}},
		{name: "gone, and nobody ever said whose it was", base: deferred, edits: []edit{
			without("submitter"), without("relay queued"), without("5m"), after("attempt-end", gone)}},
		{name: "gone, and it was said whose it was", base: deferred, edits: []edit{
			without("submitter"), without("5m"), after("attempt-end", gone)},
			want: []string{"CLEAN-EXACTLY: while bob@example.net was not final", "NOTHING-LOST: it left the spool"}},
		{name: "a content that is not whole may leave without a word", base: delivered, edits: []edit{without("erased queue=Q1 text=body"),
			after("relay intent", "1.85s disk fault queue=Q1 stage=body faults=damage text=\"content gone\"")}},
		{name: "a content that is not whole is owed all the same", base: deferred, edits: []edit{without("5m"),
			after("451 4.7.1 Greylisted", "2m disk fault queue=Q1 stage=body faults=damage text=\"content gone\"")},
			want: []string{"PROGRESS"}},
		{name: "damaged", base: deferred, edits: []edit{without("5m"), after("451 4.7.1 Greylisted", "2m world fault queue=Q1 text=garbage")}},
	})
}

func TestTrueReports(t *testing.T) {
	const outcome = "attempt=1 state=delivered reply=\"250 ok\""
	runTrials(t, []trial{
		{name: "delivered, accepted by none", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied")},
			want: []string{"TRUE-REPORTS: but no server accepted it"}},
		{name: "delivered, accepted by none, but a server said so early", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied"),
			after("1.8s   relay intent", `1.8s server mx1 reply session=s1 host=mx1 stage=body reply="250 ok"`)}},
		{name: "delivered, accepted by none, and another heard early that it is", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied"),
			after("relay ready", "0.5s submitter submit message=m2 from=carol@example.org to=dave@example.net hash=h2\n0.6s submitter submit-unknown message=m2"),
			after("1.8s   relay intent", `
1.8s server mx1 command session=s9 host=mx1 stage=mail text="MAIL FROM:<carol@example.org>"
1.8s server mx1 command session=s9 host=mx1 stage=rcpt text="RCPT TO:<dave@example.net>"
1.8s server mx1 reply session=s9 host=mx1 stage=body reply="250 ok"`)},
			want: []string{"TRUE-REPORTS: but no server accepted it"}},
		{name: "unknown, though told to retry", base: doubted, policy: retry, want: []string{"TRUE-REPORTS: 4d23h59m59s before its lifetime ended, though"}},
		{name: "unknown, told to retry, at the end of its lifetime", base: doubted, policy: func(p *Policy) { retry(p); p.Schedule.Lifetime = time.Second },
			edits: []edit{with("due=120h0m1s", "due=2s"), with("due=120h0m2s", "due=3s")}},
		{name: "delivered, accepted by none, and a server said so long before", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied"),
			after("relay ready", `2ms server mx1 reply session=s0 host=mx1 stage=body reply="250 ok"`)},
			want: []string{"TRUE-REPORTS: but no server accepted it"}},
		{name: "failed, though accepted", base: refused,
			edits: []edit{after("stage=rcpt reply", "1.6s server mx9 accepted session=s9 host=mx9 message=m1 from=alice@example.org to=bob@example.net hash=h1")},
			want:  []string{"TRUE-REPORTS: the relay recorded m1 to bob@example.net as failed, but mx9 accepted it"}},
		{name: "reported as failed, though accepted", base: refused,
			edits: []edit{without("relay "), without("disk"),
				after("stage=rcpt reply", "1.6s server mx9 accepted session=s9 host=mx9 message=m1 from=alice@example.org to=bob@example.net hash=h1")},
			want: []string{"TRUE-REPORTS: was reported as failed, but mx9 had accepted it"}},
		{name: "failed, and accepted afterwards", base: refused,
			edits: []edit{after("2.6s", "3m server mx9 accepted session=s9 host=mx9 message=m1 from=alice@example.org to=bob@example.net hash=h1")},
			want:  []string{"RETRY-ON-TIME: mx1 had refused it for good", "TRUE-REPORTS: mx9 accepted it afterwards"}},
		{name: "failed, and accepted afterwards, seen from outside", base: refused,
			edits: []edit{without("relay "), without("disk"),
				after("2.4s", "3m server mx9 accepted session=s9 host=mx9 message=m1 from=alice@example.org to=bob@example.net hash=h1")},
			want: []string{"RETRY-ON-TIME: mx1 had refused it for good", "TRUE-REPORTS: was reported as failed, and mx9 accepted it afterwards"}},
		{name: "unknown, though the answer was heard", base: doubted,
			edits: []edit{without("fault"), after("mx1 accepted", "1.75s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net")},
			want:  []string{"TRUE-REPORTS: as unknown, but mx1 had accepted it and said so"}},
		{name: "unknown, though refused at the dot", base: doubted,
			edits: []edit{without("mx1 accepted"),
				after("mx1 fault", `
1.75s server mx1 reply session=s1 host=mx1 stage=dot reply="451 later"
1.76s server mx1 command session=s1 host=mx1 stage=quit text=QUIT`)},
			want: []string{"TRUE-REPORTS: as unknown, but mx1 had answered the dot with 451 later"}},
		{name: "unknown, and no dot was sent", base: doubted,
			edits: []edit{without("mx1 accepted"), without("relay dot message=m1"), without("relay intent message=m1")},
			want:  []string{"TRUE-REPORTS: had sent no final dot"}},
		{name: "unknown after a crash that hides the dot", base: doubted, edits: []edit{
			without("relay dot message=m1"), without("relay intent message=m1"), without("mx1"),
			with("1.9s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net", `
1.9s world crash
1.9s disk kept queue=Q1 text=control
1.9s disk kept queue=Q1 text=body
1.91s world start count=2
1.92s relay ready`)}},
		{name: "delivered, and later failed", base: delivered,
			edits: []edit{after(outcome, "3s relay outcome message=m1 queue=Q1 to=bob@example.net state=unknown")},
			want:  []string{"TRUE-REPORTS: as delivered, and later as unknown"}},
		{name: "an operator says delivered", base: doubted, policy: hold, edits: []edit{
			without("server mx1"), without("r1"), without("Q2"), without("erased queue=Q1 text=control"), without("erased queue=Q1 text=body"),
			with("state=unknown", "state=held"), after("state=held", `
1m world operator queue=Q1 to=bob@example.net text=delivered
1m disk erased queue=Q1 text=control
1m disk erased queue=Q1 text=body
1m relay outcome message=m1 queue=Q1 to=bob@example.net state=delivered`)}},
	})
}

func TestCleanExactly(t *testing.T) {
	runTrials(t, []trial{
		{name: "left behind", base: delivered, edits: []edit{without("disk erased")}, want: []string{"CLEAN-EXACTLY: is still in the spool"}},
		{name: "body left behind", base: delivered, edits: []edit{without("erased queue=Q1 text=body")},
			want: []string{"CLEAN-EXACTLY: the body of m1 (Q1) without its control"}},
		{name: "control left behind", base: delivered, edits: []edit{without("erased queue=Q1 text=control")},
			want: []string{"CLEAN-EXACTLY: is still in the spool"}},
		{name: "removed while under way", base: delivered,
			edits: []edit{without("disk erased"),
				after("relay dot", "1.85s disk erased queue=Q1 text=intent\n1.85s disk erased queue=Q1 text=control\n1.85s disk erased queue=Q1 text=body")},
			want: []string{"CLEAN-EXACTLY: removed from the spool while bob@example.net was not final"}},
		{name: "body removed while under way", base: delivered,
			edits: []edit{without("erased queue=Q1 text=body"), after("relay dot", "1.85s disk erased queue=Q1 text=body")},
			want:  []string{"CLEAN-EXACTLY: the body of m1 (Q1) was removed while bob@example.net was not final"}},
		{name: "report stored too late", base: refused,
			edits: []edit{without("1.8s   disk stored"),
				after("1.8s", `
1.8s disk stored queue=Q7 text=control
1.85s disk stored queue=Q2 text=control
1.85s disk stored queue=Q2 text=body
1.85s world fault queue=Q7 text=other`)},
			want: []string{"CLEAN-EXACTLY: m1 was removed before the report on it was stored"}},
		{name: "back after a crash", base: delivered, edits: []edit{without("1h "), after("relay removed", "3s world crash\n3s disk kept queue=Q1 text=control")},
			want: []string{"CLEAN-EXACTLY: is back after the crash"}},
		{name: "stored again", base: delivered, edits: []edit{after("relay queued", "1.15s disk stored queue=Q1 text=control")},
			want: []string{"CLEAN-EXACTLY: was stored a second time"}},
		{name: "a body nobody asked for", base: delivered, edits: []edit{after("relay ready", "0.5s disk stored queue=Q5 text=body")},
			want: []string{"CLEAN-EXACTLY: the spool holds the body of Q5 without its control entry"}},
		{name: "an aborted submission cleaned up", base: delivered,
			edits: []edit{after("relay ready", "0.5s disk stored queue=Q5 text=body\n0.6s disk erased queue=Q5 text=body")}},
		{name: "removed without knowing why", base: deferred, edits: []edit{without("state=delivered")},
			want: []string{"CLEAN-EXACTLY: was removed before the relay had recorded what became of bob"}},
		{name: "removed, and crashed before it was said", base: deferred,
			edits: []edit{without("state=delivered"),
				after("5m7s   disk erased queue=Q1 text=body", "5m7.1s world crash\n5m8s world start count=2\n5m8s relay ready")}},
		{name: "removed in a batch that only the crash made durable", base: deferred,
			edits: []edit{without("5m7s"), after("mx1 replied session=s2", "5m7.1s world crash\n5m8s world start count=2\n5m8s relay ready")}},
	})
}

func TestAcceptDurable(t *testing.T) {
	runTrials(t, []trial{
		{name: "acknowledged before the body", base: delivered,
			edits: []edit{without("stored queue=Q1 text=body"), after("submitter submitted", "1.2s disk stored queue=Q1 text=body")},
			want:  []string{"ACCEPT-DURABLE: acknowledged m1 before it was stored"}},
		{name: "acknowledged, lost in a crash", base: deferred, edits: []edit{until("5m1.7s relay"), after("state=queued", `
1m world crash
2m world start count=2
2m relay ready`)},
			want: []string{"ACCEPT-DURABLE: the crash took m1, which was acknowledged"}},
		{name: "acknowledged, kept in a crash", base: deferred, edits: []edit{after("state=queued", `
1m world crash
1m disk kept queue=Q1 text=control
1m disk kept queue=Q1 text=body
2m world start count=2
2m relay ready`)}},
		{name: "acknowledged, body lost in a crash", base: deferred, edits: []edit{until("5m1.7s relay"), after("state=queued", `
1m world crash
1m disk kept queue=Q1 text=control
2m world start count=2
2m relay ready`)},
			want: []string{"ACCEPT-DURABLE: the crash took the body of m1", "CLEAN-EXACTLY: without its body"}},
		{name: "not acknowledged, lost in a crash", base: delivered,
			edits: []edit{until("1.2s   submitter"), without("disk"), without("relay queued"),
				after("submitter submit ", "1.1s world crash\n1.2s submitter submit-unknown message=m1\n2s world start count=2\n2s relay ready")}},
	})
}
