package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// set is the fact that the wall clock was set at a time, by d.
func set(at string, d time.Duration) string {
	return fmt.Sprintf("%s world fault faults=clock-jump count=%d", at, d.Nanoseconds())
}

// setAndRestarted ends a process a minute after the start, sets the clock, and starts
// the next at 3m.
func setAndRestarted(by time.Duration) edit {
	return after("state=queued", "1m world stop\n"+set("2m", by)+"\n3m world start count=2\n3m relay ready")
}

// attemptedAt moves the second attempt of deferred, and all behind it, to a
// later or earlier time. What is said to be due stays.
func attemptedAt(at time.Duration) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		first, second, found := strings.Cut(text, "5m1.7s relay attempt")
		if !found {
			t.Fatal("there is no second attempt")
		}
		moved := ""
		for line := range strings.Lines("5m1.7s relay attempt" + strings.ReplaceAll(second, "1h ", "999h ")) {
			when, what, _ := strings.Cut(line, " ")
			was, err := time.ParseDuration(when)
			if err != nil {
				t.Fatal(err)
			}
			moved += (at + was - 5*time.Minute - 1700*time.Millisecond).String() + " " + what
		}
		return first + moved
	}
}

// TestAJumpOfTheClockMovesNoDueTimeOfAProcess: who believes the clock once does
// not look at it again.
func TestAJumpOfTheClockMovesNoDueTimeOfAProcess(t *testing.T) {
	early := []string{"RETRY-ON-TIME: began an attempt for m1 to bob@example.net 3m1.7s before it was due"}
	late := []string{"FAIR-AND-BOUNDED: waited 59m58.3s"}
	for _, by := range []time.Duration{2 * time.Hour, -2 * time.Hour, 400 * 24 * time.Hour} {
		jump := after("state=queued", set("1m", by))
		runTrials(t, []trial{
			{name: "in time " + by.String(), base: deferred, edits: []edit{jump}},
			{name: "early " + by.String(), base: deferred, edits: []edit{jump, attemptedAt(2 * time.Minute)}, want: early},
			{name: "late " + by.String(), base: deferred, edits: []edit{jump, attemptedAt(65 * time.Minute)}, want: late},
		})
	}
}

// TestTheNextProcessBelievesTheClock: what is due, is due by what that says.
func TestTheNextProcessBelievesTheClock(t *testing.T) {
	const day = 24 * time.Hour
	anew := after("3m relay ready", "4m world stop\n4h2m world start count=3\n4h2m relay ready")
	runTrials(t, []trial{
		{name: "forward beyond the due time", base: deferred, edits: []edit{setAndRestarted(2 * time.Hour), attemptedAt(3 * time.Minute)}},
		{name: "forward to just before it", base: deferred, edits: []edit{setAndRestarted(time.Minute), attemptedAt(3 * time.Minute)},
			want: []string{"RETRY-ON-TIME: 1m1.7s before it was due"}},
		{name: "forward, and late", base: deferred, edits: []edit{setAndRestarted(2 * time.Hour), attemptedAt(5 * time.Minute)},
			want: []string{"FAIR-AND-BOUNDED: waited 2m"}},
		{name: "back by an hour", base: deferred, edits: []edit{setAndRestarted(-time.Hour), attemptedAt(65*time.Minute + 1700*time.Millisecond)}},
		{name: "back by an hour, early", base: deferred, edits: []edit{setAndRestarted(-time.Hour), attemptedAt(64 * time.Minute)},
			want: []string{"RETRY-ON-TIME: 1m1.7s before it was due"}},
		{name: "back by an hour, late", base: deferred, edits: []edit{setAndRestarted(-time.Hour), attemptedAt(68 * time.Minute)},
			want: []string{"FAIR-AND-BOUNDED: waited 2m58.3s"}},
		{name: "back by ten days, after the longest interval", base: deferred, edits: []edit{setAndRestarted(-10 * day), attemptedAt(4*time.Hour + 3*time.Minute)}},
		{name: "back by ten days, early", base: deferred, edits: []edit{setAndRestarted(-10 * day), attemptedAt(4*time.Hour + time.Minute)},
			want: []string{"RETRY-ON-TIME: 2m before it was due"}},
		{name: "back by ten days, and as long as that", base: deferred, edits: []edit{setAndRestarted(-10 * day), attemptedAt(10*day + 5*time.Minute)},
			want: []string{"FAIR-AND-BOUNDED: waited"}},
		// The second process may have stored that it is due at 4h3m, its longest interval.
		{name: "back by ten days, and started again", base: deferred, edits: []edit{
			setAndRestarted(-10 * day), anew, attemptedAt(4*time.Hour + 3*time.Minute)}},
		{name: "back by ten days, started again, and early", base: deferred, edits: []edit{
			setAndRestarted(-10 * day), anew, attemptedAt(4*time.Hour + 2*time.Minute)},
			want: []string{"RETRY-ON-TIME: 1m before it was due"}},
		{name: "back by ten days, and never stored otherwise", base: deferred, edits: []edit{
			setAndRestarted(-10 * day), anew, attemptedAt(8*time.Hour + 2*time.Minute)}},
		{name: "back by ten days, started again, and late", base: deferred, edits: []edit{
			setAndRestarted(-10 * day), anew, attemptedAt(9*time.Hour + 2*time.Minute)},
			want: []string{"FAIR-AND-BOUNDED: waited"}},
		{name: "nobody set the clock", base: deferred, edits: []edit{setAndRestarted(0), attemptedAt(3 * time.Minute)},
			want: []string{"RETRY-ON-TIME: 2m1.7s before it was due"}},
	})
}

// TestMailThatWasNeverAttemptedWaitsAsTheClockSays: submitted tomorrow, it seems.
// TestWhatIsReleasedIsDueByTheClockOfItsProcess: one that takes the time for which
// it was parked for a wrong one waits for the longest interval, from its start.
func TestWhatIsReleasedIsDueByTheClockOfItsProcess(t *testing.T) {
	released := func(due string) []edit {
		return waits("30s world operator message=m1 queue=Q1 text=hold\n" +
			"30s relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=parked due=5m1.7s\n" +
			"30s world operated message=m1 queue=Q1 text=hold\n" +
			"1m world stop\n" + set("2m", -10*24*time.Hour) + "\n3m world start count=2\n3m relay ready" + strings.ReplaceAll(released(due), "\n3m", "\n10m"))
	}
	runTrials(t, []trial{
		{name: "after the longest interval", base: deferred, edits: released("-235h57m")},
		{name: "earlier", base: deferred, edits: released("-236h57m"), want: []string{"RETRY-ON-TIME: made it due 1h earlier"}},
	})
}

func TestMailThatWasNeverAttemptedWaitsAsTheClockSays(t *testing.T) {
	first := func(at string) []edit {
		return []edit{until("1.2s   relay attempt"), after("submitter submitted", "1m world stop\n"+set("2m", -24*time.Hour)+`
3m world start count=2
3m relay ready
`+at+` world operator queue=Q1 text="retry"
`+at+` relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s`)}
	}
	runTrials(t, []trial{
		{name: "for the longest interval", base: deferred, edits: first("4h3m")},
		{name: "for longer", base: deferred, edits: append(first("6h"), without("operator")), want: []string{"FAIR-AND-BOUNDED: waited 1h57m"}},
		{name: "whatever an operator says in vain", base: deferred, edits: append(first("4h3m"), with("4h3m world", "3h world"))},
	})
}

// deferredAgain and givenUp are how the history of mail goes on that is deferred
// at AT until DUE, and that fails at END because its lifetime is over.
const (
	deferredAgain = `
AT relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.7s
AT relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
AT relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=queued reply="451 no" due=DUE`
	givenUp = `
END disk erased queue=Q1 text=control
END disk erased queue=Q1 text=body
END disk stored queue=Q2 text=control
END relay outcome message=m1 queue=Q1 to=bob@example.net state=failed reply="451 4.7.1 Greylisted"
END relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1`
)

// TestALifetimeEndsByTheReckoningOfTheProcess: of ten minutes, here.
func TestALifetimeEndsByTheReckoningOfTheProcess(t *testing.T) {
	const day = 24 * time.Hour
	running := func(by time.Duration) string { return set("1m", by) }
	down := func(by time.Duration) string {
		return "1m world stop\n" + set("2m", by) + "\n3m world start count=2\n3m relay ready"
	}
	at := func(text string, times ...string) string { return strings.NewReplacer(times...).Replace(text) }
	early := []string{"RETRY-ON-TIME: the relay gave up on m1 to bob@example.net"}
	// Set back by a day, mail is new when the next process begins, at 3m, and
	// again when it is deferred.
	future := down(-day) + at(deferredAgain, "AT", "4h3m1s", "DUE", "-19h46m59s")
	for _, tr := range []struct {
		name, story string
		want        []string
	}{
		{"running through a jump", running(day) + at(deferredAgain+givenUp, "AT", "5m1.7s", "DUE", "10m1s", "END", "10m2s"), nil},
		{"given up early while the clock jumped", running(day) + at(deferredAgain+givenUp, "AT", "5m1.7s", "DUE", "10m1s", "END", "7m"), early},
		{"over by the clock of the next process", down(time.Hour) + at(givenUp, "END", "3m1s"), nil},
		{"not even over by that", down(time.Minute) + at(givenUp, "END", "3m1s"), early},
		{"from the future", future + at(givenUp, "END", "4h13m2s"), nil},
		{"from the future, and given up early", down(-day) + at(givenUp, "END", "12m"), early},
		{"from the future, and kept for a day", future + at(strings.ReplaceAll(deferredAgain, "j2", "j3"), "AT", "4h14m", "DUE", "-19h45m"),
			[]string{"RETRY-ON-TIME: after its lifetime had ended"}},
		{"from the future, and attempted once more in time", future + at(strings.ReplaceAll(deferredAgain, "j2", "j3"), "AT", "4h13m1s", "DUE", "-19h46m59s"),
			nil},
		// The lifetime and the longest interval together are 4h10m.
		{"down for so long that nobody knows", "1m world stop\n4h16m world start count=2\n4h16m relay ready" +
			at(deferredAgain, "AT", "4h16m1s", "DUE", "4h16m1s"), nil},
		{"down for less", "1m world stop\n4h13m world start count=2\n4h13m relay ready" +
			at(deferredAgain, "AT", "4h13m1s", "DUE", "4h13m1s"), []string{"RETRY-ON-TIME: after its lifetime had ended"}},
		{"down for less, and running for as long", "1m world stop\n3m world start count=2\n3m relay ready" + at(deferredAgain, "AT", "4h16m1s", "DUE", "4h16m1s"),
			[]string{"RETRY-ON-TIME: after its lifetime had ended", "FAIR-AND-BOUNDED: waited"}},
	} {
		runTrials(t, []trial{{
			name: tr.name, base: deferred, want: tr.want, policy: func(p *Policy) { p.Schedule.Lifetime = 10 * time.Minute },
			edits: []edit{with("due=120h0m1s", "due=10m1s"), until("5m1.7s relay attempt"), after("state=queued", tr.story)},
		}})
	}
}
