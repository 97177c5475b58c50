package spec

import (
	"testing"
	"time"
)

// twoDestinations is a history in which all is well under hourly: one message has
// two recipients, of whom one is at a destination with a schedule of its own.
const twoDestinations = `
0s      world start count=1
1ms     relay ready
1s      relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net,carol@example.com due=120h0m1s
1s      relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1s      relay attempt message=m1 queue=Q1 job=j2 dest=example.com to=carol@example.com attempt=1 due=1s
2s      relay trouble message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.2.1 busy"
2s      relay trouble message=m1 queue=Q1 job=j2 dest=example.com host=mx2 to=carol@example.com stage=rcpt event=4yz verdict=defer reply="450 4.2.1 busy"
2s      relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2s      relay attempt-end message=m1 queue=Q1 job=j2 dest=example.com
2s      relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=1 state=queued reply="450 4.2.1 busy" due=1h2s
2s      relay outcome message=m1 queue=Q1 dest=example.com host=mx2 to=carol@example.com attempt=1 state=queued reply="450 4.2.1 busy" due=5m2s
`

func hourly(p *Policy) {
	p.ScheduleAt = map[string]Schedule{"example.net": {First: time.Hour, Max: time.Hour, Numerator: 1, Denominator: 1, Lifetime: 90 * time.Minute}}
}

func TestEachRecipientGoesByTheScheduleOfHisDestination(t *testing.T) {
	const again = `
1h2s relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=2 due=1h2s
1h3s relay trouble message=m1 queue=Q1 job=j3 dest=example.net host=mx1 to=bob@example.net stage=rcpt event=4yz verdict=defer reply="450 4.2.1 busy"
1h3s relay attempt-end message=m1 queue=Q1 job=j3 dest=example.net
1h3s relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=2 state=queued reply="450 4.2.1 busy" due=1h30m1s`
	const over = again + `
1h30m1s relay outcome message=m1 queue=Q1 dest=example.net host=mx1 to=bob@example.net attempt=2 state=failed reply="450 4.2.1 busy"
1h30m1s relay report message=r1 queue=Q9 from=alice@example.org to=bob@example.net text=Q1`
	last := after("due=5m2s", over)
	runTrials(t, []trial{
		{name: "each by his own", base: twoDestinations, policy: hourly},
		{name: "both by the global one", base: twoDestinations, policy: hourly, edits: []edit{with("due=1h2s", "due=5m2s")},
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to bob@example.net due 54m59s too early"}},
		{name: "both by that of one", base: twoDestinations, policy: hourly, edits: []edit{with("due=5m2s", "due=1h2s")},
			want: []string{"RETRY-ON-TIME: after attempt 1 the relay made m1 to carol@example.com due 55m too late"}},
		{name: "it ends with its own lifetime", base: twoDestinations, policy: hourly, edits: []edit{last}},
		{name: "it ends with the lifetime of others", base: twoDestinations, policy: hourly,
			edits: []edit{last, with("1h30m1s relay outcome", "1h20m1s relay outcome"), with("1h30m1s relay report", "1h20m1s relay report")},
			want:  []string{"RETRY-ON-TIME: gave up on m1 to bob@example.net 10m before its lifetime ended"}},
		{name: "it is attempted after its own lifetime", base: twoDestinations, policy: hourly,
			edits: []edit{after("due=5m2s", again), after("due=1h30m1s",
				"1h35m relay attempt message=m1 queue=Q1 job=j4 dest=example.net to=bob@example.net attempt=3 due=1h30m1s")},
			want: []string{"RETRY-ON-TIME: the relay began an attempt for m1 to bob@example.net after its lifetime had ended",
				"FAIR-AND-BOUNDED: waited 4m59s"}},
		{name: "who has the global one ends with it", base: twoDestinations, policy: hourly,
			edits: []edit{after("due=5m2s", `
1h30m1s relay outcome message=m1 queue=Q1 dest=example.com host=mx2 to=carol@example.com attempt=1 state=failed reply="450 4.2.1 busy"`)},
			want: []string{"RETRY-ON-TIME: gave up on m1 to carol@example.com 4d22h30m before its lifetime ended"}},
	})
}
