package spec

import (
	"strings"
	"testing"
)

// TestAnEntryThatNobodySpokeOfIsOneReport: it excuses the loss of what it may be
// the report on, and of nothing else.
func TestAnEntryThatNobodySpokeOfIsOneReport(t *testing.T) {
	// A report on dave's mail, of which a process had no time to speak, when
	// bob's waits. A process after it loses bob's.
	const (
		dave = `
10s submitter submit message=m0 from=carol@example.org to=dave@example.com hash=h0
10s disk stored queue=Q8 text=control
10s disk stored queue=Q8 text=body
10s relay queued message=m0 queue=Q8 from=carol@example.org to=dave@example.com due=120h10s
10s submitter submitted message=m0 to=dave@example.com reply="250 ok queued as Q8"
10s relay attempt message=m0 queue=Q8 job=k1 dest=example.com to=dave@example.com attempt=1 due=10s
10s server mx2 refused-recipient session=s7 host=mx2 from=<carol@example.org> to=dave@example.com stage=rcpt reply="550 no"
10s relay attempt-end message=m0 queue=Q8 job=k1
10.1s disk stored queue=Q9 text=control
10.1s disk stored queue=Q9 text=body
10.1s disk erased queue=Q8 text=control
10.1s disk erased queue=Q8 text=body
10.1s world crash
10.1s disk kept queue=Q1 text=control
10.1s disk kept queue=Q1 text=body
10.1s disk kept queue=Q9 text=control
10.1s disk kept queue=Q9 text=body
11s world start count=2
11s relay ready`
		seen = `
11s relay attempt message=r0 queue=Q9 job=k2 dest=example.org to=carol@example.org attempt=1
12s server home accepted session=s8 host=home message=r0 from=<> to=carol@example.org
12s server home report-seen session=s8 host=home message=r0 to=dave@example.com reply=failed state=failed text=m0
12s relay attempt-end message=r0 queue=Q9 job=k2
12.1s disk erased queue=Q9 text=control
12.1s disk erased queue=Q9 text=body
12.1s relay outcome message=r0 queue=Q9 to=carol@example.org state=delivered`
		lost = `
4m disk erased queue=Q1 text=control
4m disk erased queue=Q1 text=body
1h world end`
		early = `
9s disk erased queue=Q1 text=control
9s disk erased queue=Q1 text=body`
	)
	unkept := strings.NewReplacer("10.1s disk kept queue=Q1 text=control\n", "", "10.1s disk kept queue=Q1 text=body\n", "")
	caught := []string{"CLEAN-EXACTLY: m1 (Q1) was removed from the spool while bob@example.net was not final",
		"NOTHING-LOST: m1 to bob@example.net is lost: it left the spool"}
	runTrials(t, []trial{
		{name: "nothing is lost", base: deferred, edits: []edit{after("state=queued", dave+seen)}},
		{name: "it was on another message", base: deferred, edits: waits(dave + seen + lost), want: caught},
		{name: "it was stored after the removal", base: deferred, edits: waits(early + unkept.Replace(dave) + waitingEnd), want: []string{
			caught[0], "PROGRESS: the spool holds Q9, of which nothing more is known", caught[1]}},
	})
}
