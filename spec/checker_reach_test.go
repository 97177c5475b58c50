package spec

import (
	"strings"
	"testing"
	"time"
)

// unreachable is a history in which all is well: example.net cannot be reached
// twice, so that it is dead for five minutes; what comes meanwhile is put off, and
// then the first attempt reaches it.
const unreachable = `
0s      world start count=1
1ms     relay ready
1s      relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1s      relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
2s      relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net stage=connect event=refused verdict=next-host
2s      relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net stage=connect event=refused verdict=defer
2s      relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2s      relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued text=refused due=5m2s
10s     relay queued message=m2 queue=Q2 from=alice@example.org to=carol@example.net due=120h0m10s
10s     relay attempt message=m2 queue=Q2 job=j2 dest=example.net to=carol@example.net attempt=1 due=10s
11s     relay trouble message=m2 queue=Q2 job=j2 dest=example.net host=mx1 to=carol@example.net stage=greeting event=421 verdict=defer reply="421 closing"
11s     relay trouble message=m2 queue=Q2 job=j2 dest=example.net host=mx1 stage=quit event=cut verdict=proceed
11s     relay attempt-end message=m2 queue=Q2 job=j2 dest=example.net
11s     relay outcome message=m2 queue=Q2 dest=example.net to=carol@example.net attempt=1 state=queued reply="421 closing" due=5m11s
1m      relay queued message=m3 queue=Q3 from=alice@example.org to=dave@example.net due=120h1m
1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused
5m2s    relay put-off message=m1 queue=Q1 dest=example.net to=bob@example.net due=5m11s text=refused
5m11s   relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=2 due=5m11s
5m12s   relay intent message=m1 queue=Q1 job=j3 dest=example.net host=mx1 to=bob@example.net attempt=2
5m12s   relay dot message=m1 queue=Q1 job=j3 dest=example.net host=mx1 to=bob@example.net
5m13s   relay attempt-end message=m1 queue=Q1 job=j3 dest=example.net
5m13s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=delivered
5m13s   relay attempt message=m2 queue=Q2 job=j4 dest=example.net to=carol@example.net attempt=2 due=5m11s
5m13s   relay attempt message=m3 queue=Q3 job=j5 dest=example.net to=dave@example.net attempt=1 due=5m11s
5m14s   relay dot message=m2 queue=Q2 job=j4 dest=example.net host=mx1 to=carol@example.net
5m14s   relay dot message=m3 queue=Q3 job=j5 dest=example.net host=mx1 to=dave@example.net
5m15s   relay attempt-end message=m2 queue=Q2 job=j4 dest=example.net
5m15s   relay attempt-end message=m3 queue=Q3 job=j5 dest=example.net
5m15s   relay outcome message=m2 queue=Q2 dest=example.net to=carol@example.net attempt=2 state=delivered
5m15s   relay outcome message=m3 queue=Q3 dest=example.net to=dave@example.net attempt=1 state=delivered
`

func twoKill(p *Policy) { p.Limits.DeadAfter = 2 }

func TestADestinationIsLeftAloneAsLongAsPolicySays(t *testing.T) {
	const early = `
1m30s relay attempt message=m3 queue=Q3 job=j9 dest=example.net to=dave@example.net attempt=1 due=1m
1m31s relay attempt-end message=m3 queue=Q3 job=j9 dest=example.net`
	said := func(word string) string {
		return "1m20s world operator dest=example.net text=" + word + "\n1m20s world operated dest=example.net text=" + word + "\n"
	}
	runTrials(t, []trial{
		{name: "put off", base: unreachable, policy: twoKill},
		{name: "put off, after a RSET in a session that let nobody in", base: unreachable, policy: twoKill,
			edits: []edit{with("stage=quit event=cut", "stage=rset event=421")}},
		{name: "put off, for nobody answers MAIL", base: unreachable, policy: twoKill,
			edits: []edit{with("stage=greeting event=421 verdict=defer reply=\"421 closing\"", "stage=mail event=cut verdict=next-host")}},
		{name: "put off, though MAIL was answered", base: unreachable, policy: twoKill,
			edits: []edit{with("stage=greeting event=421 verdict=defer", "stage=mail event=421 verdict=next-host"), until("5m2s ")},
			want:  []string{"RETRY-ON-TIME: nothing says that example.net cannot be reached"}},
		{name: "attempted all the same", base: unreachable, policy: twoKill,
			edits: []edit{with("1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused", early[1:]), until("5m2s ")},
			want:  []string{"FAIR-AND-BOUNDED: to be left alone for 3m41s"}},
		{name: "an operator wanted that", base: unreachable, policy: twoKill,
			edits: []edit{with("1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused",
				"1m20s world operator queue=Q3 message=m3 text=retry-now"+early), until("5m2s ")}},
		{name: "paused and resumed, and so forgotten", base: unreachable, policy: twoKill,
			edits: []edit{with("1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused",
				said("pause")+said("resume")+early), until("5m2s ")}},
		{name: "resumed, though it was not paused", base: unreachable, policy: twoKill,
			edits: []edit{with("1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused",
				said("resume")+early), until("5m2s ")},
			want: []string{"FAIR-AND-BOUNDED: to be left alone for 3m41s"}},
		{name: "put off, though it takes one failure more", base: unreachable, policy: func(p *Policy) { p.Limits.DeadAfter = 3 },
			edits: []edit{until("5m2s ")}, want: []string{"RETRY-ON-TIME: nothing says that example.net cannot be reached"}},
		{name: "put off, though a server opened a session", base: unreachable, policy: twoKill,
			edits: []edit{with("stage=greeting", "stage=mail"), until("5m2s ")}, want: []string{"RETRY-ON-TIME: nothing says that example.net cannot be reached"}},
		{name: "put off, since a server refused the login", base: unreachable, policy: twoKill,
			edits: []edit{with("stage=greeting event=421 verdict=defer reply=\"421 closing\"", "stage=auth event=5yz verdict=defer reply=\"535 no\"")}},
		{name: "put off, though it was delivered", base: unreachable, policy: twoKill,
			edits: []edit{after("1m      relay put-off", "1m1s relay outcome message=m3 queue=Q3 dest=example.net to=dave@example.net state=failed text=5.6.0\n"+
				"1m2s relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s"), until("5m2s ")},
			want: []string{"RETRY-ON-TIME: which it had recorded as failed"}},
		{name: "put off for too long", base: unreachable, policy: twoKill,
			edits: []edit{with("to=dave@example.net due=5m11s text", "to=dave@example.net due=15m11s text"), until("5m2s ")},
			want:  []string{"RETRY-ON-TIME: put off m3 to dave@example.net for 9m59s longer"}},
		{name: "put off until its lifetime ends", base: unreachable, policy: func(p *Policy) { twoKill(p); p.Schedule.Lifetime = 5 * time.Minute },
			edits: []edit{with("due=120h0m1s", "due=5m1s"), with("due=120h0m10s", "due=5m10s"), with("due=120h1m", "due=5m"), until("1m      relay queued"),
				with("due=5m2s", "due=5m1s"), with("due=5m11s", "due=5m10s"),
				after("state=queued reply", "20s relay put-off message=m2 queue=Q2 dest=example.net to=carol@example.net due=5m10s\n")}},
		{name: "put off beyond its lifetime", base: unreachable, policy: func(p *Policy) { twoKill(p); p.Schedule.Lifetime = 5 * time.Minute },
			edits: []edit{with("due=120h0m1s", "due=5m1s"), with("due=120h0m10s", "due=5m10s"), with("due=120h1m", "due=5m"), until("1m      relay queued"),
				with("due=5m2s", "due=5m1s"), with("due=5m11s", "due=5m10s"),
				after("state=queued reply", "20s relay put-off message=m2 queue=Q2 dest=example.net to=carol@example.net due=5m11.5s\n")},
			want: []string{"RETRY-ON-TIME: put off m2 to carol@example.net until 1.5s after its lifetime ends"}},
		{name: "the next waits for a failure that the first attempt had", base: unreachable, policy: twoKill,
			edits: []edit{until("5m12s   relay intent"), after("5m11s   relay attempt", `
5m12s relay trouble message=m1 queue=Q1 job=j3 dest=example.net host=mx1 to=bob@example.net stage=connect event=refused verdict=defer
5m12s relay attempt-end message=m1 queue=Q1 job=j3 dest=example.net
5m12s relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=queued text=refused due=15m12s
5m12s relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=15m12s`)}},
		{name: "all go when the time is over", base: unreachable, policy: twoKill,
			edits: []edit{after("5m11s   relay attempt", "5m11.5s relay attempt message=m3 queue=Q3 job=j8 dest=example.net to=dave@example.net attempt=1 due=5m11s"),
				until("5m12s   relay intent")},
			want: []string{"FAIR-AND-BOUNDED: 2 attempts for example.net are under way at once; after what was met there, it may have 1"}},
		{name: "dead for ever", base: unreachable, policy: twoKill,
			edits: []edit{with("5m11s   relay attempt", "8m11s   relay attempt"), until("5m12s   relay intent")},
			want:  []string{"FAIR-AND-BOUNDED: m1 to example.net waited 3m"}},
		{name: "a restart forgets", base: unreachable, policy: twoKill,
			edits: []edit{until("1m      relay queued"), after("state=queued reply", `
20s world crash
21s world start count=2
22s relay ready
30s relay queued message=m3 queue=Q3 from=alice@example.org to=dave@example.net due=120h0m30s
30s relay attempt message=m3 queue=Q3 job=j1 dest=example.net to=dave@example.net attempt=1 due=30s`)}},
	})
}

// TestWhatIsPutOffIsToldWhenItIsStored: meanwhile an attempt that began before may
// have reached the destination.
func TestWhatIsPutOffIsToldWhenItIsStored(t *testing.T) {
	reached := func(at string) []edit {
		return []edit{until("5m2s "), after("10s     relay attempt", `
10s     relay queued message=m4 queue=Q4 from=alice@example.org to=erin@example.net due=120h0m10s
10s     relay attempt message=m4 queue=Q4 job=j7 dest=example.net to=erin@example.net attempt=1 due=10s`),
			after("state=queued reply", at+" relay intent message=m4 queue=Q4 job=j7 dest=example.net host=mx1 to=erin@example.net attempt=1\n"+
				at+" relay dot message=m4 queue=Q4 job=j7 dest=example.net host=mx1 to=erin@example.net\n"+
				at+" relay attempt-end message=m4 queue=Q4 job=j7 dest=example.net\n"+
				at+" relay outcome message=m4 queue=Q4 dest=example.net to=erin@example.net attempt=1 state=delivered")}
	}
	runTrials(t, []trial{
		{name: "an instant after", base: unreachable, policy: twoKill, edits: reached("59.9s")},
		{name: "seconds after", base: unreachable, policy: twoKill, edits: reached("50s"),
			want: []string{"RETRY-ON-TIME: nothing says that example.net cannot be reached"}},
		{name: "an instant after, and for longer than it was dead", base: unreachable, policy: twoKill,
			edits: append(reached("59.9s"), with("to=dave@example.net due=5m11s text", "to=dave@example.net due=15m11s text")),
			want:  []string{"RETRY-ON-TIME: put off m3 to dave@example.net for 9m59s longer"}},
	})
}

// What was about to be put off when an older attempt reached the destination may be;
// no second one, and no longer.
func TestOneMailMayBePutOffLate(t *testing.T) {
	const put = "1m      relay put-off message=m3 queue=Q3 dest=example.net to=dave@example.net due=5m11s text=refused\n"
	older := after("10s     relay attempt", `
10s relay queued message=m4 queue=Q4 from=alice@example.org to=erin@example.net due=120h0m10s
10s relay attempt message=m4 queue=Q4 job=j5 dest=example.net to=erin@example.net attempt=1 due=10s
`)
	reaches := `
1m relay trouble message=m4 queue=Q4 job=j5 dest=example.net host=mx1 to=erin@example.net stage=rcpt event=4yz verdict=defer
1m relay attempt-end message=m4 queue=Q4 job=j5 dest=example.net
1m relay outcome message=m4 queue=Q4 dest=example.net to=erin@example.net attempt=1 state=queued reply="450 later" due=6m
`
	const nobody = "RETRY-ON-TIME: nothing says that example.net cannot be reached"
	runTrials(t, []trial{
		{name: "one", base: unreachable, policy: twoKill, edits: []edit{older, with(put, reaches[1:]+put), until("5m2s ")}},
		{name: "two", base: unreachable, policy: twoKill, want: []string{nobody}, edits: []edit{older, until("5m2s "),
			with(put, reaches[1:]+put+"1m      relay put-off message=m1 queue=Q1 dest=example.net to=bob@example.net due=5m11s\n")}},
		{name: "for too long", base: unreachable, policy: twoKill, want: []string{"RETRY-ON-TIME: put off m3 to dave@example.net for 4m59s longer"},
			edits: []edit{older, with(put, reaches[1:]+strings.Replace(put, "5m11s", "10m11s", 1)), until("5m2s ")}},
	})
}

func TestDeliveriesToOneDestinationKeepTheirPace(t *testing.T) {
	pace := func(n int) func(*Policy) { return func(p *Policy) { p.Limits.PerMinute = n } }
	edits := []edit{until("11s     relay trouble")}
	runTrials(t, []trial{
		{name: "seven a minute", base: unreachable, policy: pace(7), edits: edits},
		{name: "six a minute", base: unreachable, policy: pace(6), edits: edits,
			want: []string{"FAIR-AND-BOUNDED: 9s after another one; at 6 a minute they are 10s apart"}},
	})
}

func TestJitterIsComputedByWhoJudges(t *testing.T) {
	jitter := func(p *Policy) { p.Schedule.Jitter = 10 }
	right := epoch.Add(2 * time.Second).Add(Schedule{First: 5 * time.Minute, Max: time.Hour, Jitter: 10}.IntervalFor("Q1", "example.net", 1))
	runTrials(t, []trial{
		{name: "without jitter it is too late", base: unreachable, policy: jitter, edits: []edit{until("10s     relay queued")},
			want: []string{"RETRY-ON-TIME: too late"}},
		{name: "another share is too early", base: unreachable, policy: jitter, edits: []edit{until("10s     relay queued"), with("due=5m2s", "due=4m32s")},
			want: []string{"RETRY-ON-TIME: too early"}},
		{name: "its own is right", base: unreachable, policy: jitter,
			edits: []edit{until("10s     relay queued"), with("due=5m2s", "due="+time.Duration(right-epoch).String())}},
	})
}
