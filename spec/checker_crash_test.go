package spec

import (
	"slices"
	"testing"
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
