package spec

import (
	"strings"
	"testing"
	"time"
)

// waitingEnd ends the world while bob waits.
const waitingEnd = "\n1h world end"

// waits makes a history in which bob waits, in which lines follow.
func waits(lines string) []edit {
	return []edit{until("5m1.7s relay attempt"), after("state=queued", lines)}
}

// says is a world in which an operator says a word at 2m, and what the relay
// does then; AND is that it answers.
func says(word, lines string) string {
	lines = strings.ReplaceAll(lines, "AND", "2m world operated message=m1 queue=Q1 text="+word)
	return "2m world operator message=m1 queue=Q1 text=" + word + "\n" + strings.TrimPrefix(lines, "\n")
}

const (
	saysParked = `
2m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=parked due=5m1.7s`
	attempted = `
5m1.7s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.7s`
	early = `
2m1s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=2m`
	restarted = `
2m world crash
2m disk kept queue=Q1 text=control
2m disk kept queue=Q1 text=body
2m world start count=2
2m relay ready`
	erased = `
2m disk erased queue=Q1 text=control
2m disk erased queue=Q1 text=body`
	reportedOn = `
2m disk stored queue=Q2 text=control
2m disk stored queue=Q2 text=body
2m relay outcome message=m1 queue=Q1 job=m1.3 dest=example.net to=bob@example.net attempt=1 state=failed text="5.0.0 returned"
2m relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1
2m relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=120h2m`
)

func released(due string) string {
	return `
3m world operator message=m1 queue=Q1 text=release
3m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued due=` + due + `
3m world operated message=m1 queue=Q1 text=release`
}

func TestNoAttemptIsMadeForWhatIsParked(t *testing.T) {
	parked := says("hold", saysParked+"\nAND")
	// parksAfter says words while an attempt is under way that parks bob.
	parksAfter := func(words ...string) []edit {
		lines := ""
		for _, w := range words {
			lines += strings.ReplaceAll(says(w, "AND"), "2m ", "1.6s ") + "\n"
		}
		return append(waits(waitingEnd), after("stage=quit", lines), with("state=queued reply", "state=parked reply"))
	}
	const failing = `
2m relay halt text="input/output error"
2m world operated message=m1 queue=Q1 text=hold reply="input/output error"
2m world stop
`
	const again = `
3m world operator message=m1 queue=Q1 text=hold
3m world operated message=m1 queue=Q1 text=hold reply=no`
	longAfter := strings.ReplaceAll(saysParked, "\n2m", "\n5m")
	refused := strings.Replace(says("hold", "AND"), "text=hold\n2m world operated", "text=hold\n2m world operated reply=no", 1)
	runTrials(t, []trial{
		{name: "parked, and released", base: deferred, edits: []edit{after("state=queued", parked+released("5m1.7s"))}},
		{name: "parked until the end", base: deferred, edits: waits(parked + waitingEnd)},
		{name: "attempted all the same", base: deferred, edits: waits(parked + attempted),
			want: []string{"RETRY-ON-TIME: began an attempt for m1 to bob@example.net, which an operator had parked"}},
		{name: "attempted before the operator heard that it is parked", base: deferred, edits: waits(says("hold", saysParked) + attempted),
			want: []string{"RETRY-ON-TIME: which is parked"}},
		{name: "attempted, and said no word of it but to the operator", base: deferred, edits: waits(says("hold", "AND") + attempted),
			want: []string{"RETRY-ON-TIME: which an operator had parked"}},
		{name: "attempted after a hold that was refused", base: deferred, edits: []edit{after("state=queued", refused)}},
		{name: "attempted after a crash", base: deferred, edits: waits(parked + restarted + attempted),
			want: []string{"RETRY-ON-TIME: which an operator had parked"}},
		{name: "a crash hides whether it is parked: it is", base: deferred, edits: waits(says("hold", "") + restarted + waitingEnd)},
		{name: "a crash hides whether it is parked: it is not", base: deferred,
			edits: []edit{after("state=queued", says("hold", "")+restarted)}},
		{name: "a disk that fails keeps it parked, and a second hold is refused", base: deferred, edits: waits(says("hold", failing) + "2m world start count=2" +
			"\n2m relay ready" + again + waitingEnd)},
		{name: "a disk that fails keeps it parked, and the process is long in ending", base: deferred, edits: waits(says("hold",
			strings.Replace(failing, "\n2m world stop", "\n4m world stop", 1)) + "4m world start count=2\n4m relay ready" + longAfter + waitingEnd)},
		{name: "a hold of a process that halted before", base: deferred, edits: waits("2m relay halt text=\"input/output error\"\n" +
			says("hold", strings.Replace(failing, "2m relay halt text=\"input/output error\"\n", "", 1)) +
			"2m world start count=2\n2m relay ready" + longAfter + waitingEnd),
			want: []string{"RETRY-ON-TIME: the relay parked m1 to bob@example.net, though no operator told it to"}},
		{name: "parked, though a process before was told to release it", base: deferred, edits: waits(`
1m world operator message=m1 queue=Q1 text=release` + restarted + `
3m world operator message=m1 queue=Q1 text=hold
3m world operated message=m1 queue=Q1 text=hold` + waitingEnd)},
		{name: "parked and attempted, for a process before was told to release it", base: deferred, edits: waits(`
1m world operator message=m1 queue=Q1 text=release` + restarted + `
3m world operator message=m1 queue=Q1 text=hold
3m world operated message=m1 queue=Q1 text=hold` + attempted),
			want: []string{"RETRY-ON-TIME: which an operator had parked"}},
		{name: "a hold is refused, and then a second one", base: deferred, edits: waits(refused + again + waitingEnd),
			want: []string{"PROGRESS: the next attempt was due"}},
		{name: "a retry that is refused releases nothing", base: deferred, edits: waits(says("hold", "AND") + restarted + `
3m world operator message=m1 queue=Q1 text=retry
3m world operated message=m1 queue=Q1 text=retry reply=no` + waitingEnd)},
		{name: "a retry that is refused licenses nothing", base: deferred, want: []string{"RETRY-ON-TIME: which an operator had parked"},
			edits: waits(says("hold", "AND") + `
3m world operator message=m1 queue=Q1 text=retry
3m world operated message=m1 queue=Q1 text=retry reply=no` + attempted)},
		{name: "neither parked nor attempted", base: deferred, edits: waits(waitingEnd), want: []string{"PROGRESS: the next attempt was due"}},
		{name: "neither parked nor attempted after a hold that was refused", base: deferred, edits: waits(refused + waitingEnd),
			want: []string{"PROGRESS: the next attempt was due"}},
		{name: "parked, and nobody said so", base: deferred, edits: waits(saysParked),
			want: []string{"RETRY-ON-TIME: the relay parked m1 to bob@example.net, though no operator told it to"}},
		{name: "parked when the attempt ends, though a retry was for another one", base: deferred, edits: parksAfter("hold", "retry")},
		{name: "parked when the attempt ends, though it was released", base: deferred, edits: parksAfter("hold", "release"),
			want: []string{"RETRY-ON-TIME: the relay parked m1 to bob@example.net, though no operator told it to"}},
		{name: "parked, though the hold was refused", base: deferred, edits: waits(refused + strings.ReplaceAll(saysParked, "\n2m", "\n3m")),
			want: []string{"RETRY-ON-TIME: the relay parked m1 to bob@example.net, though no operator told it to"}},
		{name: "given up when the lifetime ended", base: deferred, edits: waits(parked +
			strings.NewReplacer("\n2m ", "\n120h2s ", "due=120h2m", "due=240h2s").Replace(erased+reportedOn)),
			want: []string{"RETRY-ON-TIME: the relay gave up on m1 to bob@example.net, which is parked"}},
	})
}

func TestWhatIsReleasedKeepsItsTime(t *testing.T) {
	parked := says("hold", saysParked+"\nAND")
	late := func(lines string) []edit {
		return waits(parked + strings.ReplaceAll(released("130h"), "\n3m", "\n130h") + lines)
	}
	back := restarted[:strings.Index(restarted, "2m world start")] + set("2m", -240*time.Hour) + restarted[strings.Index(restarted, "2m world start")-1:]
	backReleased := func(due string) string { return strings.ReplaceAll(released(due), "\n3m", "\n5h") }
	const attempt = `
130h relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=130h
130h1s relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
130h1s relay outcome message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=130h1s
130h1s relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=3 due=130h1s`
	runTrials(t, []trial{
		{name: "after the clock was set back by ten days", base: deferred, edits: waits(parked + back + backReleased("-235h"))},
		{name: "after the clock was set back by ten days, and earlier than it could be", base: deferred, edits: waits(parked + back + backReleased("-236h30m")),
			want: []string{"RETRY-ON-TIME: earlier than it was"}},
		{name: "too early", base: deferred, edits: waits(parked + released("4m")),
			want: []string{"RETRY-ON-TIME: made it due 1m1.7s earlier than it was"}},
		{name: "too late", base: deferred, edits: waits(parked + released("35m1.7s")), want: []string{"RETRY-ON-TIME: made it due 30m too late"}},
		{name: "at the end of its lifetime, due at once", base: deferred, edits: waits(parked +
			strings.ReplaceAll(released("120h1.000000001s"), "\n3m", "\n120h1s"))},
		{name: "at the end of its lifetime, too late", base: deferred, edits: waits(parked + strings.ReplaceAll(released("120h30s"), "\n3m", "\n120h1s")),
			want: []string{"RETRY-ON-TIME: made it due 29s too late"}},
		{name: "attempted early", base: deferred, edits: waits(parked + released("5m1.7s") + strings.Replace(attempted, "\n5m1.7s", "\n4m", 1)),
			want: []string{"RETRY-ON-TIME: 1m1.7s before it was due"}},
		{name: "after its lifetime, one attempt", base: deferred, edits: append(late(attempt), until("130h1s relay attempt message"))},
		{name: "after its lifetime, two attempts", base: deferred, edits: late(attempt), want: []string{"RETRY-ON-TIME: after its lifetime had ended"}},
	})
}

func TestARetryLicensesAnAttemptNow(t *testing.T) {
	now := func(due string) string {
		return says("retry-now", `
2m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued due=`+due+`
AND`)
	}
	crashed := strings.ReplaceAll(restarted, "\n2m", "\n3m")
	const late = `
121h relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=3 due=2m`
	runTrials(t, []trial{
		{name: "attempted now", base: deferred, edits: waits(now("2m") + early)},
		{name: "attempted now, though a crash hid that it is due", base: deferred, edits: waits(says("retry-now", "") + restarted + early)},
		{name: "attempted now, though nobody said so", base: deferred, edits: waits(early), want: []string{"RETRY-ON-TIME: before it was due"}},
		{name: "attempted now, though the retry was refused", base: deferred, want: []string{"RETRY-ON-TIME: before it was due"},
			edits: waits(says("retry-now", "2m world operated message=m1 queue=Q1 text=retry-now reply=no") + early)},
		{name: "once for all", base: deferred, want: []string{"RETRY-ON-TIME: 5m before it was due"}, edits: waits(now("2m") + early + `
2m2s relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
2m2s relay outcome message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=12m2s
7m2s relay attempt message=m1 queue=Q1 job=j3 dest=example.net to=bob@example.net attempt=3 due=7m2s`)},
		{name: "after its lifetime, for a crash broke off the attempt", base: deferred, edits: waits(now("2m") + early + crashed + late)},
		{name: "after its lifetime, though a crash came after the attempt", base: deferred, edits: waits(now("2m") + early + `
2m2s relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
2m2s relay outcome message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=12m2s` + crashed + late),
			want: []string{"RETRY-ON-TIME: after its lifetime had ended", "FAIR-AND-BOUNDED"}},
		{name: "due later", base: deferred, edits: waits(now("4m")), want: []string{"RETRY-ON-TIME: an operator wants m1 to bob@example.net attempted"}},
		{name: "not attempted", base: deferred, edits: waits(now("2m") + waitingEnd), want: []string{"PROGRESS: was due"}},
	})
}

func TestABounceLicensesAFailure(t *testing.T) {
	hold := func(p *Policy) { p.InDoubt = DoubtHold }
	held := func(state, lines string) []edit {
		const outcome = `
2s     relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=held`
		lines = strings.Replace(erased+reportedOn, "state=failed", "state="+state, 1) + lines
		return []edit{until("2s     disk stored queue=Q2 text=control"),
			after("1.9s   relay attempt-end", "1.9s   disk erased queue=Q1 text=intent"+outcome+"\n"+says("bounce", lines))}
	}
	runTrials(t, []trial{
		{name: "bounced", base: deferred, edits: waits(says("bounce", erased+reportedOn+"\nAND"))},
		{name: "given up, though nobody said so", base: deferred, edits: waits(erased + reportedOn),
			want: []string{"RETRY-ON-TIME: refused only for now"}},
		{name: "given up, though the bounce was refused", base: deferred, want: []string{"RETRY-ON-TIME: refused only for now"},
			edits: waits(says("bounce", "2m world operated message=m1 queue=Q1 text=bounce reply=no") + erased + reportedOn)},
		{name: "an attempt gives up meanwhile", base: deferred, want: []string{"RETRY-ON-TIME: neither a server nor the DNS had refused it for good"},
			edits: waits(says("bounce", attempted[1:]+"\n5m1.8s network connect session=s2 addr=192.0.2.1:25"+
				strings.NewReplacer("\n2m ", "\n5m2s ", "m1.3", "j2", "120h2m", "120h5m2s").Replace(erased+reportedOn)))},
		{name: "bounced, and nobody is told", base: deferred, want: []string{"NOTHING-LOST: no report was stored"},
			edits: append(waits(says("bounce", erased+reportedOn+"\nAND\n3m world start")), without("queue=Q2"))},
		{name: "attempted all the same", base: deferred, edits: waits(says("bounce", "AND") + attempted),
			want: []string{"RETRY-ON-TIME: though it had told an operator that this is done: bounce"}},
		{name: "neither bounced nor attempted", base: deferred, edits: waits(says("bounce", "AND") + waitingEnd),
			want: []string{"PROGRESS: m1 to bob@example.net is queued, though the relay told an operator that this is done: bounce"}},
		{name: "what was in doubt is unknown", base: doubted, policy: hold, edits: held("unknown", "")},
		{name: "what was accepted is no failure", base: doubted, policy: hold, edits: held("failed", ""),
			want: []string{"TRUE-REPORTS: recorded m1 to bob@example.net as failed, but mx1 accepted it"}},
		{name: "what was not in doubt is not unknown", base: deferred, want: []string{"TRUE-REPORTS: nothing was in doubt"},
			edits: append(waits(says("bounce", erased+reportedOn+"\nAND")), with("state=failed", "state=unknown"))},
		{name: "a crash hides that it is bounced", base: deferred, edits: waits(says("bounce", erased+`
2m disk stored queue=Q2 text=control
2m disk stored queue=Q2 text=body
2m world crash
2m disk kept queue=Q2 text=control
2m disk kept queue=Q2 text=body
2m world start count=2
2m relay ready
2m relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1
3m server home accepted session=s3 host=home message=r1 from=<> to=alice@example.org
3m server home report-seen session=s3 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1`))},
	})
}

// TestTwoOperatorsSpeakAtOnce: the second word does not take back the licence of
// the first one, which is being carried out; its answer does.
func TestTwoOperatorsSpeakAtOnce(t *testing.T) {
	now := says("retry-now", "2m world operator message=m1 queue=Q1 text=hold")
	runTrials(t, []trial{
		{name: "a retry, then a hold", base: deferred, edits: waits(now + `
2m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued due=2m
2m world operated message=m1 queue=Q1 text=retry-now` + early + `
2m1s world operated message=m1 queue=Q1 text=hold`)},
		{name: "and the retry is refused", base: deferred, want: []string{"RETRY-ON-TIME: before it was due"},
			edits: waits(now + "\n2m world operated message=m1 queue=Q1 text=retry-now reply=no" + early)},
		{name: "two bounces, of which one is refused", base: deferred, edits: waits(says("bounce",
			says("bounce", "2m world operated message=m1 queue=Q1 text=bounce reply=no")) + erased + reportedOn + `
2m world operated message=m1 queue=Q1 text=bounce`)},
	})
}

// TestAWordInVainLicensesNothing: neither one that the relay refused, nor one that
// it heard before it ended, nor one that asks for something else.
func TestAWordInVainLicensesNothing(t *testing.T) {
	vain := func(at, word string) string {
		return strings.NewReplacer("AT", at, "WORD", word).Replace(`
AT world operator message=m1 queue=Q1 to=bob@example.net text=WORD
AT world operated message=m1 queue=Q1 to=bob@example.net text=WORD reply="being delivered"`)
	}
	const done = `
5m world operator message=m1 queue=Q1 to=bob@example.net text=retry
5m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued due=5m
5m world operated message=m1 queue=Q1 to=bob@example.net text=retry`
	meanwhile := after("1.3s   network connect", vain("1.35s", "retry-now"))
	held := func(words string) []edit {
		return []edit{with("state=queued due=5m1.9s", "state=held"), after("state=held", words)}
	}
	const delivered = "1m world operator message=m1 queue=Q1 text=delivered" + restarted
	runTrials(t, []trial{
		{name: "unknown where hold decides", base: doubted, policy: hold, edits: []edit{meanwhile}, want: []string{"TRUE-REPORTS: is to be decided by hold"}},
		{name: "unknown where retry decides", base: doubted, policy: retry, edits: []edit{meanwhile}, want: []string{"TRUE-REPORTS: is to be sent again"}},
		{name: "unknown where retry decides, and bounced", base: doubted, policy: retry, edits: []edit{
			after("attempt-end message=m1", "1.95s world operator message=m1 queue=Q1 text=bounce")}},
		{name: "sent again", base: retried, policy: hold, edits: held(vain("5m", "retry")),
			want: []string{"RETRY-ON-TIME: held for an operator", "NEVER-TWICE: which mx1 had accepted"}},
		{name: "sent again, and a second retry is in vain", base: retried, policy: hold, edits: held(done + vain("5m", "retry")), licence: "reply lost at mx1"},
		{name: "delivered, said to a process that ended", base: deferred, want: []string{"TRUE-REPORTS: but no server accepted it"},
			edits: []edit{without("mx1 accepted"), without("mx1 replied"), after("state=queued", delivered)}},
		{name: "delivered, said to a process that ended, and nothing was heard since", base: deferred, edits: waits(delivered + erased +
			"\n2m relay outcome message=m1 queue=Q1 to=bob@example.net state=delivered")},
		{name: "attempted late", base: deferred, edits: waits(
			vain("4m50s", "hold") + vain("8m", "delete") + strings.Replace(attempted, "\n5m1.7s", "\n8m30s", 1)), want: []string{"FAIR-AND-BOUNDED: waited 3m28.3s"}},
	})
}

func TestNobodyIsOwedWhatIsDeleted(t *testing.T) {
	const gone = erased + `
2m relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=deleted`
	const crash = `
2m world crash
2m world start count=2
2m relay ready`
	runTrials(t, []trial{
		{name: "deleted", base: deferred, edits: waits(says("delete", gone+"\nAND"+waitingEnd))},
		{name: "deleted while parked", base: deferred, edits: waits(says("hold", saysParked+"\nAND\n") + says("delete", gone+"\nAND"+waitingEnd))},
		{name: "deleted, though nobody said so", base: deferred, edits: waits(gone),
			want: []string{"NOTHING-LOST: the relay deleted m1 to bob@example.net, though no operator told it to"}},
		{name: "deleted, though that was refused", base: deferred, want: []string{"NOTHING-LOST: though no operator told it to"},
			edits: waits(says("delete", "2m world operated message=m1 queue=Q1 text=delete reply=no") + gone)},
		{name: "and the content is left", base: deferred, want: []string{"CLEAN-EXACTLY: holds the body of m1 (Q1) without its control entry"},
			edits: append(waits(says("delete", gone+"\nAND"+waitingEnd)), without("disk erased queue=Q1 text=body"))},
		{name: "and the sender is told", base: deferred, edits: waits(says("delete", gone+reportedOn+"\nAND")),
			want: []string{"TRUE-REPORTS: as deleted, and later as failed",
				"TRUE-REPORTS: stored a report on m1 to bob@example.net, which it had recorded as deleted"}},
		{name: "a crash hides that it is deleted", base: deferred, edits: waits(says("delete", erased) + crash + waitingEnd)},
		{name: "a crash took it, and a delete was refused", base: deferred, want: []string{"ACCEPT-DURABLE: the crash took m1"},
			edits: waits(says("delete", `2m world operated message=m1 queue=Q1 text=delete reply="it is being delivered"`) + crash)},
		{name: "a disk that fails keeps it deleted", base: deferred, edits: waits(says("delete", `
2m relay halt text="input/output error"
2m world operated message=m1 queue=Q1 text=delete reply="input/output error"
2m world stop`) + erased + "\n2m world start count=2\n2m relay ready" + waitingEnd)},
		{name: "a crash hides that it is deleted, and a second delete is refused", base: deferred, edits: waits(says("delete", erased) + crash + `
3m world operator message=m1 queue=Q1 text=delete
3m world operated message=m1 queue=Q1 text=delete reply=no` + waitingEnd)},
		{name: "a crash took it, and nobody had said a word", base: deferred, edits: waits(crash[1:] + waitingEnd),
			want: []string{"ACCEPT-DURABLE: the crash took m1"}},
		{name: "attempted all the same", base: deferred, edits: waits(says("delete", "AND") + attempted),
			want: []string{"RETRY-ON-TIME: though it had told an operator that this is done: delete"}},
		{name: "back after a crash", base: deferred, edits: waits(says("delete", "AND") + restarted + waitingEnd),
			want: []string{"PROGRESS: is queued, though the relay told an operator that this is done: delete"}},
	})
}
