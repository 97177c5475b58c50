package spec

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// again is a crash and a restart that kept the message.
const again = `
1.9s world crash
1.9s disk kept queue=Q1 text=control
1.9s disk kept queue=Q1 text=body
1m world start count=2
1m relay ready`

// TestWhatACrashHides: the disk may know what the relay had no time to say.
func TestWhatACrashHides(t *testing.T) {
	null := []edit{
		fromNull, without("message=r1"), without("Q2"), without("1.9s"),
	}
	inDoubt := []edit{without("r1"), without("Q2"), without("erased"), without("unknown"), without("attempt-end"), without("1h ")}
	const doubt = "\n1m relay doubt message=m1 queue=Q1 dest=example.net to=bob@example.net text=hold"
	const once = `
1m1s world crash
1m1s disk kept queue=Q1 text=control
1m1s disk kept queue=Q1 text=body
2m world start count=3
2m relay ready
1h world end`
	// A report that is stored and under way, of which nobody has said what it is,
	// when the message that it is about goes without a word.
	under := []edit{until("1.9s   relay outcome"), without("erased queue=Q1"), after("stored queue=Q2 text=body", `
1.8s world crash
1.8s disk kept queue=Q1 text=control
1.8s disk kept queue=Q1 text=body
1.8s disk kept queue=Q2 text=control
1.8s disk kept queue=Q2 text=body
1m world start count=2
1m relay ready
1m relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1 due=1.8s
1m1s world crash
1m1s disk kept queue=Q2 text=control
1m1s disk kept queue=Q2 text=body
2m world start count=3
2m relay ready`)}
	known := append(slices.Clone(under), after("stored queue=Q2 text=body", "1.8s relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=120h0m1.8s"))
	runTrials(t, []trial{
		{name: "a failure whose report is under way", base: refused, edits: under},
		{name: "no failure, and other mail under way", base: refused, edits: known, want: []string{"ACCEPT-DURABLE: the crash took m1"}},
		{name: "the dot arrives after the crash", base: retried, policy: retry, licence: "crash between the transaction at mx1",
			edits: []edit{without("1.9s"), after("relay dot", "1.65s world crash"), after("mx1 accepted session=s1", `
1.7s server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net
1.7s disk kept queue=Q1 text=control
1.7s disk kept queue=Q1 text=body
1.8s world start count=2
1.8s relay ready`)}},
		{name: "an outcome that made the message due much later", base: deferred, edits: []edit{
			without("state=queued"), without("attempt-end message=m1 queue=Q1 job=j1"), after("stage=quit", again), with("5m1.7s relay", "5m1.9s relay")}},
		{name: "a failure that nobody has to be told of", base: refused, edits: append(null, after("erased queue=Q1 text=body",
			"1.81s world crash\n1m world start count=2\n1m relay ready"))},
		{name: "a failure that nobody has to be told of, without a crash", base: refused, edits: null,
			want: []string{"NOTHING-LOST: m1 to bob@example.net is lost"}},
		{name: "a hold", base: doubted, policy: hold, edits: append(inDoubt, after("network closed", again+doubt+once))},
		{name: "a hold that was not", base: doubted, policy: hold, edits: append(inDoubt, after("network closed", again+once)),
			want: []string{"CLEAN-EXACTLY: m1 (Q1) is still in the spool"}},
	})
}

// TestWhatACrashHidesOfTheEndOfALifetime: the message has another recipient,
// who keeps it in the spool; here it is said to be left there.
func TestWhatACrashHidesOfTheEndOfALifetime(t *testing.T) {
	minute := func(p *Policy) { p.Schedule.Lifetime = time.Minute }
	const (
		crash = `
61s world crash
61s disk kept queue=Q1 text=control
61s disk kept queue=Q1 text=body
71s world start count=2
71s relay ready`
		stored = `
61s disk stored queue=Q2 text=control
61s disk stored queue=Q2 text=body`
		told = `
72s server home accepted session=s2 host=home message=r1 from=<> to=alice@example.org
72s server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1
73s disk erased queue=Q2 text=control
73s disk erased queue=Q2 text=body
73s relay outcome message=r1 queue=Q2 to=alice@example.org attempt=1 state=delivered`
		kept = "61s disk kept queue=Q2 text=control\n61s disk kept queue=Q2 text=body"
		end  = "\n20h world end"
	)
	expired := func(lines string, more ...edit) []edit {
		return append([]edit{
			until("5m1.7s relay attempt"), with("due=120h0m1s", "due=61s"), with("due=5m1.7s", "due=61s"), after("state=queued", lines+end),
		}, more...)
	}
	early := strings.ReplaceAll(crash, "61s", "41s")
	gone := func(at string) string {
		lines := erased + "\n2m world crash\n2m world start count=2\n2m relay ready" // a crash that keeps nothing
		return strings.ReplaceAll(lines, "\n2m", "\n"+at)
	}
	clean, stuck := []string{"CLEAN-EXACTLY: m1 (Q1) is still in the spool"}, []string{"PROGRESS: m1 to bob@example.net is deferred"}
	runTrials(t, []trial{
		{name: "the sender is told", base: deferred, policy: minute, edits: expired(stored+crash+told, after("61s disk kept", kept)), want: clean},
		{name: "nobody is told", base: deferred, policy: minute, edits: expired(crash), want: stuck},
		{name: "there is nobody to tell", base: deferred, policy: minute, edits: expired(crash, fromNull), want: clean},
		{name: "there is nobody to tell, and it is gone", base: deferred, policy: minute, edits: expired(gone("61s"), fromNull)},
		{name: "there is nobody to tell, and it was gone too early", base: deferred, policy: minute, edits: expired(gone("41s"), fromNull),
			want: []string{"NOTHING-LOST: it left the spool, and no server accepted it, and nobody was told"}},
		{name: "there is nobody to tell, and it was too early", base: deferred, policy: minute, edits: expired(early, fromNull), want: stuck},
	})
}

func TestAHoldThatACrashHidIsSummarisedAsHeld(t *testing.T) {
	text := doubted
	for _, e := range []edit{until("1.9s"), after("network closed", again+`
1m relay doubt message=m1 queue=Q1 dest=example.net to=bob@example.net text=hold
1m1s world crash
1m1s disk kept queue=Q1 text=control
1m1s disk kept queue=Q1 text=body
2m world start count=3
2m relay ready`)} {
		text = e(t, text)
	}
	c, found := judge(testPolicy(), history(t, text))
	if len(found) > 0 || len(c.Pending()) > 0 || c.Messages()[0].Recipients[0].State != Held {
		t.Errorf("violations %v, pending %v, summary %+v", found, c.Pending(), c.Messages())
	}
}
