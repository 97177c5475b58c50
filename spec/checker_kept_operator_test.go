package spec

import (
	"strings"
	"testing"
)

// TestWhatOperatorsSaidIsToldApart: to whom it was said, when, and what came of it.
func TestWhatOperatorsSaidIsToldApart(t *testing.T) {
	told := func(at, word string) string { return at + " world operator message=m1 queue=Q1 text=" + word + "\n" }
	done := func(at, word string) string { return at + " world operated message=m1 queue=Q1 text=" + word + "\n" }
	both := func(at, word string) string { return told(at, word) + done(at, word) }
	held := func(lines string) []edit {
		return []edit{with("state=queued due=5m1.9s", "state=held"), after("state=held", lines)}
	}
	// during says lines while the first attempt is under way, which ends after them.
	during := func(lines, end string) []edit {
		return append(waits(""), without("1.7s   relay attempt-end"), without("state=queued"), after("stage=quit", lines+end))
	}
	const (
		ends = `
1.7s relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
1.8s relay outcome message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 state=parked reply="451 no" due=5m1.7s`
		second = `
5m2s relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
5m2s relay outcome message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=`
		found = `
3m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued reply="451 no" due=`
	)
	started := "2m world start count=2\n"
	stopped := "2m world stop\n"
	afterwards := strings.NewReplacer("\n2m ", "\n4m ", "120h2m", "120h4m")
	parked := []string{"RETRY-ON-TIME: which an operator had parked"}
	runTrials(t, []trial{
		{name: "the first of two words is the one refused", base: retried, policy: hold, licence: "reply lost at mx1", edits: append(
			held(told("5m", "retry")+`5m world operated message=m1 queue=Q1 text=retry reply=no`), after("relay attempt-end", told("1.95s", "retry")))},
		{name: "a release was said to a process of whose end nothing is known", base: deferred, want: parked,
			edits: waits(told("1m", "release") + started + both("3m", "hold") + attempted[1:])},
		{name: "a release was said to a process after which none began", base: deferred, want: parked,
			edits: waits(told("1m", "release") + stopped + both("3m", "hold") + attempted[1:])},
		{name: "a bounce was said to a process that ended, and it was heard of since", base: deferred, want: []string{"RETRY-ON-TIME: refused only for now"},
			edits: waits(told("2m", "bounce") + restarted[1:] + found + "10m1.2s" + afterwards.Replace(erased+reportedOn))},
		{name: "a retry was said to a process that ended, and the next one found that it is deferred", base: deferred,
			edits: during(told("1.65s", "retry-now"), restarted[1:]+found+"5m1.7s")},
		{name: "a retry that is being done licenses an attempt of what is parked", base: deferred,
			edits: waits(both("2m", "hold") + told("3m", "retry") + attempted[1:])},
		{name: "a retry releases what is parked", base: deferred, edits: waits(both("2m", "hold") + both("3m", "retry") + attempted[1:])},
		{name: "a hold of what is held takes back no retry", base: retried, policy: hold, licence: "reply lost at mx1",
			edits: held(told("5m", "retry") + both("5m", "hold"))},
		{name: "an attempt that ends parked counts for the schedule", base: deferred, want: []string{"RETRY-ON-TIME: due 5m too early"},
			edits: during(both("1.65s", "hold"), ends+released("5m1.7s")+attempted+second+"10m1.7s")},
		{name: "an attempt that ends parked says when it is due", base: deferred, want: []string{"RETRY-ON-TIME: earlier than it was"},
			edits: during(both("1.65s", "hold"), ends+released("4m"))},
		{name: "what is released ends when its lifetime is over", base: deferred,
			edits: waits(both("2m", "hold") + saysParked[1:] + "\n" + told("120h2s", "release") +
				strings.NewReplacer("\n2m ", "\n120h2s ", "due=120h2m", "due=240h2s").Replace(erased + reportedOn)[1:])},
		{name: "what is parked while it is attempted has to end", base: deferred, want: []string{"PROGRESS: is being attempted since"},
			edits: during(both("1.65s", "hold"), waitingEnd[1:])},
		{name: "what is parked, and was deleted, waits for nobody", base: deferred, want: []string{"PROGRESS: told an operator that this is done: delete"},
			edits: waits(both("2m", "hold") + saysParked[1:] + "\n" + both("3m", "delete") + waitingEnd[1:])},
	})
	for name, edits := range map[string][]edit{
		"a hold said before":    append(held(""), after("relay attempt-end", both("1.95s", "hold"))),
		"a hold said afterward": held(both("5m", "hold")),
	} {
		text := retried
		for _, e := range append(edits, until("5m1.9s relay attempt")) {
			text = e(t, text)
		}
		p := testPolicy()
		hold(&p)
		if c, _ := judge(p, history(t, text)); c.Messages()[0].Recipients[0].State != Held {
			t.Errorf("%s: what is held is summarised as %s", name, c.Messages()[0].Recipients[0].State)
		}
	}
}
