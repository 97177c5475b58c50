package spec

import "testing"

// asking has the sender ask for something, at submission and in the queue.
func asking(notify string) edit {
	return func(t testing.TB, text string) string {
		text = with("submit message=m1 from=alice@example.org", "submit message=m1 notify="+notify+" from=alice@example.org")(t, text)
		return with("queued message=m1 queue=Q1", "queued message=m1 notify="+notify+" queue=Q1")(t, text)
	}
}

// hello has mx1 answer EHLO.
func hello(offer string) edit {
	return after("connect session=s1", `1.5s server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 `+offer+`"`)
}

// What the relay says of a report that bob is delayed, or was relayed, and that it
// arrived.
const (
	delayStored = "1.9s relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net state=queued text=Q1"
	relayStored = `
2.2s disk stored queue=Q2 text=control
2.2s disk stored queue=Q2 text=body
2.2s relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net state=delivered text=Q1
2.2s relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=120h0m2.2s
2.3s server home accepted session=s2 host=home message=r1 from=<> to=alice@example.org
2.3s server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=relayed text=m1
2.4s disk erased queue=Q2 text=control
2.4s disk erased queue=Q2 text=body
2.4s relay outcome message=r1 queue=Q2 dest=example.org to=alice@example.org attempt=1 state=delivered`
	delaySeen = "2.4s server home report-seen session=s2 host=home message=r9 to=bob@example.net reply=delayed text=m1"
)

// silent drops the report of the history of a refusal.
func silent(t testing.TB, text string) string {
	for _, part := range []string{"r1", "Q2", "session=s2"} {
		text = without(part)(t, text)
	}
	return text
}

// TestNothingLostKnowsNotify: who asked for nothing but NEVER is owed no report,
// and one report too many is one.
func TestNothingLostKnowsNotify(t *testing.T) {
	runTrials(t, []trial{
		{name: "never, and nobody told", base: refused, edits: []edit{silent, asking("never")}},
		{name: "success alone, and nobody told of a failure", base: refused, edits: []edit{silent, asking("success")}},
		{name: "failure, and nobody told", base: refused, edits: []edit{silent, asking("failure")}, want: []string{"CLEAN-EXACTLY", "NOTHING-LOST: never told"}},
		{name: "a word that nobody knows asks for nothing", base: refused, edits: []edit{silent, asking("loud")}, want: []string{"CLEAN-EXACTLY", "NOTHING-LOST"}},
		{name: "never, seen from outside", base: refused, edits: []edit{silent, outside, with("submit message=m1", "submit notify=never message=m1")}},
		{name: "failure, seen from outside", base: refused, edits: []edit{silent, outside, with("submit message=m1", "submit notify=failure message=m1")},
			want: []string{"NOTHING-LOST"}},
		{name: "failure, and told", base: refused, edits: []edit{asking("failure+delay")}},
		{name: "never, and told", base: refused, edits: []edit{asking("never")}, want: []string{"NOTHING-LOST: had asked for never"}},
		{name: "never, and not removed", base: refused, edits: []edit{silent, asking("never"), without("erased queue=Q1")},
			want: []string{"CLEAN-EXACTLY"}},
		{name: "the submitter is believed, not the relay", base: refused,
			edits: []edit{silent, with("queued message=m1", "queued notify=never message=m1")}, want: []string{"CLEAN-EXACTLY", "NOTHING-LOST"}},
		{name: "two mails of one name with different words", base: refused, edits: []edit{asking("never"),
			after("1.2s   submitter", "1.3s submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1\n"+
				"1.3s submitter refused message=m1 to=bob@example.net reply=451")}},
	})
}

// TestADelayIsToldAtMostOnce.
func TestADelayIsToldAtMostOnce(t *testing.T) {
	seen := after("reply=failed state=failed", delaySeen)
	again := after("message=r9", "2.4s server home report-seen session=s2 host=home message=r10 to=bob@example.net reply=delayed text=m1")
	runTrials(t, []trial{
		{name: "told, and asked for", base: refused, edits: []edit{seen, asking("failure+delay")}},
		{name: "told, and nothing asked for", base: refused, edits: []edit{seen}},
		{name: "told, and failure asked for", base: refused, edits: []edit{seen, asking("failure")},
			want: []string{"NOTHING-LOST: was reported as delayed, but its sender had asked for failure"}},
		{name: "one report that is seen twice", base: refused, edits: []edit{seen, after("message=r9", delaySeen), asking("failure+delay")}},
		{name: "told twice", base: refused, edits: []edit{seen, again, asking("failure+delay")}, want: []string{"NOTHING-LOST: as delayed more than once"}},
		{name: "told to nobody", base: refused, edits: []edit{silent, fromNull, hushed, after("stage=quit", delaySeen)},
			want: []string{"NOTHING-LOST: to the null sender"}},
		{name: "told of one that has failed", base: refused, edits: []edit{asking("failure+delay"), after("relay report message=r1", delayStored)},
			want: []string{"TRUE-REPORTS: is delayed, which it had recorded as failed"}},
	})
}

// TestRelayedIsToldOnlyOfWhatAServerTook, and that will not tell it itself (RFC
// 3461 section 5.2.2).
func TestRelayedIsToldOnlyOfWhatAServerTook(t *testing.T) {
	told := after("state=delivered reply", relayStored)
	runTrials(t, []trial{
		{name: "told", base: delivered, edits: []edit{asking("success"), hello("SIZE"), told}},
		{name: "not told, though asked for", base: delivered, edits: []edit{asking("success"), hello("SIZE")},
			want: []string{"NOTHING-LOST: had asked to hear of success and never did"}},
		{name: "not told, and it is not known what the server offers", base: delivered, edits: []edit{asking("success")}},
		{name: "not told, and a crash may be why", base: delivered, edits: []edit{asking("success"), hello("SIZE"),
			after("state=delivered reply", "2.3s world crash\n2.4s world start count=2\n2.5s relay ready")}},
		{name: "not told by a relay whose server tells", base: delivered,
			edits: []edit{asking("success"), hello("DSN"), with("TO:<bob@example.net>", "TO:<bob@example.net> NOTIFY=SUCCESS")}},
		{name: "told, and the server tells too", base: delivered,
			edits: []edit{asking("success"), hello("DSN"), told, with("TO:<bob@example.net>", "TO:<bob@example.net> NOTIFY=SUCCESS")},
			want:  []string{"NOTHING-LOST: had offered DSN and tells the sender itself"}},
		{name: "told, and not asked for", base: delivered, edits: []edit{hello("SIZE"), told}, want: []string{"NOTHING-LOST: had asked for default"}},
		{name: "told of what nobody took", base: refused, edits: []edit{
			asking("success+failure"), after("reply=failed state=failed",
				"2.4s server home report-seen session=s2 host=home message=r9 to=bob@example.net reply=relayed text=m1")},
			want: []string{"TRUE-REPORTS: was reported as relayed, but no server accepted it"}},
	})
}

// TestWireLawfulWantsNotifyPassedOn to whom offers DSN (RFC 3461 section 5.2.1).
func TestWireLawfulWantsNotifyPassedOn(t *testing.T) {
	says := func(parameters string) edit { return with("TO:<bob@example.net>", "TO:<bob@example.net>"+parameters) }
	runTrials(t, []trial{
		{name: "passed on", base: delivered, edits: []edit{asking("success+delay"), hello("DSN"), says(" NOTIFY=DELAY,SUCCESS ORCPT=rfc822;b")}},
		{name: "not passed on", base: delivered, edits: []edit{asking("never"), hello("PIPELINING DSN")}, want: []string{"WIRE-LAWFUL: without passing on"}},
		{name: "another passed on", base: delivered, edits: []edit{asking("never"), hello("DSN"), says(" NOTIFY=FAILURE")}, want: []string{"WIRE-LAWFUL"}},
		{name: "nothing to pass on", base: delivered, edits: []edit{hello("DSN")}},
		{name: "not offered", base: delivered, edits: []edit{asking("never"), hello("XDSN")}},
	})
}
