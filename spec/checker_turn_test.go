package spec

import (
	"strings"
	"testing"
	"time"
)

// backlog is a history in which a sender has four messages for a destination that
// gets one at a time, and another one; they take turns.
const backlog = `
0s      world start count=1
1ms     relay ready
1s      relay queued message=m1 queue=Q1 from=news+1@example.org to=bob@example.net due=120h0m1s
1s      relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
2s      relay queued message=m2 queue=Q2 from=news+2@example.org to=bob@example.net due=120h0m2s
2s      relay queued message=m3 queue=Q3 from=news+3@example.org to=bob@example.net due=120h0m2s
2s      relay queued message=m4 queue=Q4 from=news+4@example.org to=bob@example.net due=120h0m2s
3s      relay queued message=m5 queue=Q5 from=alice@example.org to=carol@example.net due=120h0m3s
11s     relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net
11s     relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
11s     relay outcome message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 state=delivered
11s     relay attempt message=m2 queue=Q2 job=j2 dest=example.net to=bob@example.net attempt=1 due=2s
21s     relay dot message=m2 queue=Q2 job=j2 dest=example.net host=mx1 to=bob@example.net
21s     relay attempt-end message=m2 queue=Q2 job=j2 dest=example.net
21s     relay outcome message=m2 queue=Q2 job=j2 dest=example.net to=bob@example.net attempt=1 state=delivered
21s     relay attempt message=m3 queue=Q3 job=j3 dest=example.net to=bob@example.net attempt=1 due=2s
31s     relay dot message=m3 queue=Q3 job=j3 dest=example.net host=mx1 to=bob@example.net
31s     relay attempt-end message=m3 queue=Q3 job=j3 dest=example.net
31s     relay outcome message=m3 queue=Q3 job=j3 dest=example.net to=bob@example.net attempt=1 state=delivered
31s     relay attempt message=m5 queue=Q5 job=j5 dest=example.net to=carol@example.net attempt=1 due=3s
`

func TestSendersTakeTurnsAtADestination(t *testing.T) {
	oneAtATime := func(p *Policy) { p.Limits.DeliveriesPerDestination = 1 }
	third := with("31s     relay attempt message=m5", `31s     relay attempt message=m4 queue=Q4 job=j4 dest=example.net to=bob@example.net attempt=1 due=2s
41s     relay dot message=m4 queue=Q4 job=j4 dest=example.net host=mx1 to=bob@example.net
41s     relay attempt-end message=m4 queue=Q4 job=j4 dest=example.net
41s     relay outcome message=m4 queue=Q4 job=j4 dest=example.net to=bob@example.net attempt=1 state=delivered
41s     relay attempt message=m5`)
	const comes = "relay queued message=m5 queue=Q5 from=alice@example.org to=carol@example.net due=120h0m3s\n"
	const broken = "FAIR-AND-BOUNDED: m5 to example.net was due for 38s when its attempt began; meanwhile 3 began there for another sender"
	runTrials(t, []trial{
		{name: "in turns", base: backlog, policy: oneAtATime},
		{name: "after a backlog", base: backlog, policy: oneAtATime, edits: []edit{third}, want: []string{broken}},
		{name: "the backlog has one sender", base: backlog, policy: oneAtATime, edits: []edit{third, with("from=alice@example.org", "from=news+5@example.org")}},
		{name: "its sender has had a turn", base: backlog, policy: oneAtATime, edits: []edit{third, with("from=news+3@example.org", "from=alice@example.org")}},
		{name: "the others have many senders", base: backlog, policy: oneAtATime, edits: []edit{third, with("from=news+3@example.org", "from=dave@example.org")}},
		{name: "it was not due before", base: backlog, policy: oneAtATime,
			edits: []edit{third, with("3s      "+comes, ""), with("41s     relay attempt message=m5", "41s     "+comes+"41s     relay attempt message=m5")}},
		{name: "an operator has resumed the destination", base: backlog, policy: oneAtATime,
			edits: []edit{third, after("41s     relay dot", "41s world operator dest=example.net text=resume\n41s world operated dest=example.net text=resume\n")}},
		{name: "the clock was set", base: backlog, policy: oneAtATime,
			edits: []edit{third, after("3s      relay queued", "4s world fault faults=clock-jump count=-3600000000000\n")}},
		{name: "other mail of its sender ends meanwhile", base: backlog,
			policy: func(p *Policy) { oneAtATime(p); p.Schedule.Lifetime = 39*time.Second + 500*time.Millisecond },
			edits: []edit{third, after("1ms     relay ready", "500ms relay queued message=m9 queue=Q9 from=alice@example.org to=dave@example.net due=120h0m0.5s\n"),
				func(_ testing.TB, text string) string {
					return strings.NewReplacer("120h0m0.5s", "40s", "120h0m1s", "40.5s", "120h0m2s", "41.5s", "120h0m3s", "42.5s").Replace(text)
				}}},
	})
}
