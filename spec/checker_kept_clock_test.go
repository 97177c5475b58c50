package spec

import (
	"testing"
	"time"
)

// TestALateDueTimeIsBelievedOnlySoFar: a process that finds mail due further away than
// the longest interval may look again when it is not any more; but two intervals away,
// and after two processes, there is an end to it.
func TestALateDueTimeIsBelievedOnlySoFar(t *testing.T) {
	const longest = 4 * time.Hour
	due := 5*time.Minute + 1700*time.Millisecond
	late := []string{"FAIR-AND-BOUNDED: waited"}
	// The clock is set back by ten hours, and then forward by one: the second process
	// begins at -8h55m by its reckoning, which is nine hours behind.
	twice := after("state=queued", "1m world stop\n"+set("2m", -10*time.Hour)+"\n3m world start count=2\n3m relay ready\n3.5m world stop\n"+
		set("4m", time.Hour)+"\n5m world start count=3\n5m relay ready")
	runTrials(t, []trial{
		{name: "believed after all", base: deferred, edits: []edit{setAndRestarted(-5 * time.Hour), attemptedAt(5*time.Hour + due)}},
		{name: "later than that", base: deferred, edits: []edit{setAndRestarted(-5 * time.Hour), attemptedAt(5*time.Hour + due + 5*time.Minute)}, want: late},
		{name: "too far to be believed", base: deferred, edits: []edit{setAndRestarted(-2*longest - time.Hour), attemptedAt(longest + 3*time.Minute)}},
		{name: "too far to be believed, and late", base: deferred, edits: []edit{setAndRestarted(-2*longest - time.Hour), attemptedAt(longest + 10*time.Minute)},
			want: late},
		{name: "two processes may have stored anything in between", base: deferred, edits: []edit{twice, attemptedAt(7 * time.Hour)}},
		{name: "two processes, and later than twice the longest interval", base: deferred, edits: []edit{twice, attemptedAt(9 * time.Hour)}, want: late},
	})
}
