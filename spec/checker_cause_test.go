package spec

import (
	"slices"
	"testing"
	"time"
)

// setBack is a history in which all is well under causes: bob is greylisted twice,
// and then his mailbox is busy.
const setBack = `
0s      world start count=1
1ms     relay ready
1s      relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1s      relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
2s      relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.7.1 Wait"
2s      relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2s      relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=1 state=queued reply="450 4.7.1 Wait" due=10m2s
10m2s   relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=10m2s
10m3s   relay trouble message=m1 queue=Q1 job=j2 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.7.1 Wait"
10m3s   relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
10m3s   relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=2 state=queued reply="450 4.7.1 Wait" due=30m3s
30m3s   relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=3 due=30m3s
30m4s   relay trouble message=m1 queue=Q1 job=j3 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.2.1 Busy"
30m4s   relay attempt-end message=m1 queue=Q1 job=j3 dest=example.net
30m4s   relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=3 state=queued reply="450 4.2.1 Busy" due=34m4s
`

// minutely has a schedule of one, two, four minutes, and ten for who is greylisted, an
// hour for who is not reached.
func minutely(p *Policy) {
	p.Schedule.First, p.Schedule.Max = time.Minute, 4*time.Minute
	p.Backoffs[CauseGreylisted] = Backoff{First: 10 * time.Minute, Max: time.Hour, Numerator: 2, Denominator: 1}
	p.Backoffs[CauseUnreached] = Backoff{First: time.Hour, Max: 2 * time.Hour, Numerator: 2, Denominator: 1}
}

func TestDueTimesFollowTheCause(t *testing.T) {
	first := []edit{until("10m2s   relay attempt")}
	unreached := plus(first, with("stage=rcpt event=4yz verdict=defer reply=\"450 4.7.1 Wait\"", "stage=connect event=refused verdict=defer"),
		with(`reply="450 4.7.1 Wait" due=10m2s`, "text=refused due=1h2s"))
	silent := plus(first, without("relay trouble"), with(`reply="450 4.7.1 Wait" due=10m2s`, "text=refused due=1h2s"))
	// The process ends before it can say that it deferred him the second time.
	crash := []edit{until("10m3s   relay outcome"), after("10m3s   relay attempt-end", `
10m4s   world crash
10m5s   world start count=2
10m6s   relay ready`)}
	third := func(attempt, due string) edit {
		return after("10m6s   relay ready", `
1h      relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=`+attempt+` due=30m3s
1h1s    relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.7.1 Wait"
1h1s    relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
1h1s    relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=`+attempt+` state=queued reply="450 4.7.1 Wait" due=`+due)
	}
	runTrials(t, []trial{
		{name: "by the cause", base: setBack, policy: minutely},
		{name: "by the schedule, though greylisted", base: setBack, policy: minutely, edits: plus(first, with("due=10m2s", "due=1m2s")),
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 8m59s too early"}},
		{name: "as greylisted, though it is not", base: setBack, policy: minutely,
			edits: plus(first, with(`queued reply="450 4.7.1 Wait"`, `queued reply="450 4.2.1 Busy"`)),
			want:  []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 9m too late"}},
		{name: "as if for the first time", base: setBack, policy: minutely, edits: []edit{until("30m3s   relay attempt"), with("due=30m3s", "due=20m3s")},
			want: []string{"RETRY-ON-TIME: after attempt 2 the relay made m1 to bob@example.net due 9m59s too early"}},
		{name: "busy, as if still greylisted", base: setBack, policy: minutely, edits: []edit{with("due=34m4s", "due=1h10m4s")},
			want: []string{"RETRY-ON-TIME: after attempt 3 the relay made m1 to bob@example.net due 36m too late"}},
		{name: "without back-offs it is the schedule", base: setBack, policy: func(p *Policy) { minutely(p); p.Backoffs = Backoffs{} }, edits: first,
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 9m too late"}},
		{name: "unreached", base: setBack, policy: minutely, edits: unreached},
		{name: "unreached, and back by the schedule", base: setBack, policy: minutely, edits: plus(unreached, with("due=1h2s", "due=1m2s")),
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 58m59s too early"}},
		{name: "nobody knows whether it was reached", base: setBack, policy: minutely, edits: silent},
		{name: "nobody knows, and it was not", base: setBack, policy: minutely, edits: plus(silent, with("due=1h2s", "due=1m2s"))},
		{name: "nobody knows, but it was no greylisting", base: setBack, policy: minutely, edits: plus(silent, with("due=1h2s", "due=2h2s")),
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 1h too late"}},
		{name: "the one before was not stored", base: setBack, policy: minutely, edits: plus(crash, third("2", "1h20m1s"))},
		{name: "the one before was stored, and not told", base: setBack, policy: minutely, edits: plus(crash, third("3", "1h40m1s"))},
		{name: "or was something else", base: setBack, policy: minutely, edits: plus(crash, third("3", "1h10m1s"))},
		{name: "no more than all attempts can make of it", base: setBack, policy: minutely, edits: plus(crash, third("2", "1h40m1s")),
			want: []string{"RETRY-ON-TIME: after attempt 2 the relay made m1 to bob@example.net due 20m too late"}},
	})
}

// plus returns edits with more behind them.
func plus(edits []edit, more ...edit) []edit { return slices.Concat(edits, more) }
