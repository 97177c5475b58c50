package spec

import (
	"strings"
	"testing"
	"time"
)

// TestACrashHidesTheEndOfALifetimeOnlyWhereItMay: the entry of the message is left,
// which is said to be left behind where bob may have failed, and to be deferred
// where he cannot have.
func TestACrashHidesTheEndOfALifetimeOnlyWhereItMay(t *testing.T) {
	minute := func(p *Policy) { p.Schedule.Lifetime = time.Minute }
	crash := func(at string) string {
		return strings.ReplaceAll(restarted[1:], "2m ", at+" ") + "\n"
	}
	const (
		end    = "1h world end"
		stored = "61s disk stored queue=Q2 text=control\n61s disk stored queue=Q2 text=body\n"
		kept   = "61s disk kept queue=Q2 text=control\n61s disk kept queue=Q2 text=body"
		named  = "61s relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=121s\n"
		told   = `
72s server home accepted session=s2 host=home message=r1 from=<> to=alice@example.org
72s server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1
73s disk erased queue=Q2 text=control
73s disk erased queue=Q2 text=body
73s relay outcome message=r1 queue=Q2 to=alice@example.org attempt=1 state=delivered
`
		attempt = "61s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=61s\n"
		late    = `61.7s relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued reply="451 no" due=61.7s` + "\n"
	)
	expired := func(lines string, more ...edit) []edit {
		return append([]edit{
			until("5m1.7s relay attempt"), with("due=120h0m1s", "due=61s"), with("due=5m1.7s", "due=61s"), after("state=queued", lines+end),
		}, more...)
	}
	keeping := after("61s disk kept", kept)
	clean, stuck, unnamed := "CLEAN-EXACTLY: m1 (Q1) is still in the spool", "PROGRESS: m1 to bob@example.net is deferred", "PROGRESS: the spool holds Q2"
	runTrials(t, []trial{
		{name: "a report that is known by name", base: deferred, policy: minute, edits: expired(stored+named+crash("61s")+told, keeping), want: []string{clean}},
		{name: "an entry that may be the report", base: deferred, policy: minute, edits: expired(stored+crash("61s"), keeping), want: []string{unnamed, clean}},
		{name: "an attempt was under way", base: deferred, policy: minute, edits: expired(attempt+crash("62s"), fromNull), want: []string{stuck}},
		{name: "it was heard of after the crash", base: deferred, policy: minute, want: []string{stuck}, edits: []edit{
			until("1.7s   relay attempt-end"), with("due=120h0m1s", "due=61s"), after("stage=quit", crash("61.5s")+late+end), fromNull}},
		{name: "the crash came long after", base: deferred, policy: minute, edits: expired(crash("123s"), fromNull), want: []string{stuck}},
		{name: "when the lifetime ends is not known", base: deferred, want: []string{stuck, unnamed}, edits: expired(stored+crash("61s"), keeping,
			without("submitter"), without("relay queued"))},
	})
}

// TestWhatIsGoneWithoutAWordMayBeOver: of mail that nobody has to be told about.
func TestWhatIsGoneWithoutAWordMayBeOver(t *testing.T) {
	const gone = erased + `
2m world crash
2m world start count=2
2m relay ready` + waitingEnd
	runTrials(t, []trial{
		{name: "when its lifetime ends is not known", base: deferred,
			edits: append(waits(gone), fromNull, without("submitter"), with(" due=120h0m1s", ""))},
		{name: "long before its lifetime ends", base: deferred, edits: append(waits(gone), fromNull),
			want: []string{"NOTHING-LOST: it left the spool"}},
		{name: "bounced", base: deferred, edits: append(waits(says("bounce", gone)), fromNull)},
		{name: "bounced, with somebody to tell", base: deferred, edits: waits(says("bounce", gone)),
			want: []string{"CLEAN-EXACTLY: was not final", "NOTHING-LOST: it left the spool"}},
	})
}
