package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// bounces is a history of mail of the null sender to one mailbox, each attempted
// when it says so; all of it is delivered.
func bounces(at ...string) string {
	lines := []string{"0s world start count=1", "1ms relay ready"}
	for i, t := range at {
		m := fmt.Sprintf("message=b%d queue=Q%d", i, i)
		lines = append(lines,
			fmt.Sprintf("%s relay queued %s from=<> to=victim@example.org due=200h", t, m),
			fmt.Sprintf("%s relay attempt %s job=j%d dest=example.org to=victim@example.org attempt=1 due=%s", t, m, i, t),
			fmt.Sprintf("%s relay attempt-end %s job=j%d dest=example.org", t, m, i),
			fmt.Sprintf("%s relay outcome %s dest=example.org to=victim@example.org attempt=1 state=delivered", t, m))
	}
	return strings.Join(lines, "\n") + "\n"
}

func hourlyTwo(p *Policy) { p.Limits.ReportsPerHour, p.Schedule.Lifetime = 2, 200*time.Hour }

func unlimited(p *Policy) { p.Limits.ReportsPerHour, p.Schedule.Lifetime = 0, 200*time.Hour }

// TestAMailboxGetsSoManyReportsInAnHour: not more; in an hour that begins with the
// first, and for the null sender alone.
func TestAMailboxGetsSoManyReportsInAnHour(t *testing.T) {
	many := []string{"FAIR-AND-BOUNDED: attempt 3 at mail of the null sender to victim@example.org within an hour; the limit is 2"}
	runTrials(t, []trial{
		{name: "two", base: bounces("1s", "2s"), policy: hourlyTwo},
		{name: "three", base: bounces("1s", "2s", "3s"), policy: hourlyTwo, want: many},
		{name: "three, the last of them seconds early", base: bounces("3s", "4s", "1h"), policy: hourlyTwo, want: many},
		{name: "three, of which the first was told an instant late", base: bounces("1s", "2s", "1h0.5s"), policy: hourlyTwo},
		{name: "the third an hour later", base: bounces("1s", "2s", "1h1s", "1h2s"), policy: hourlyTwo},
		{name: "three in the second hour", base: bounces("1s", "2s", "1h1s", "1h2s", "1h3s"), policy: hourlyTwo, want: many},
		{name: "three without a limit", base: bounces("1s", "2s", "3s"), policy: unlimited},
		{name: "three of another sender", base: strings.ReplaceAll(bounces("1s", "2s", "3s"), "from=<>", "from=a@b.test"), policy: hourlyTwo},
		{name: "three, one of a sender of whom nothing is known", base: bounces("1s", "2s", "3s"), policy: hourlyTwo,
			edits: []edit{without("relay queued message=b0 ")}},
		{name: "three, one by another process", base: bounces("1s", "2s", "3s"), policy: hourlyTwo,
			edits: []edit{after("b1 queue=Q1 dest", "2.5s world stop\n2.6s world start count=2\n2.7s relay ready")}},
		{name: "three, the last of which an operator wants", base: bounces("1s", "2s", "3s"), policy: hourlyTwo,
			edits: []edit{after("relay queued message=b2", "3s world operator queue=Q2 text=retry-now")}},
	})
}

// TestOnlyWhoHadHisShareIsHeldBack, and no longer than a mail may have to wait.
func TestOnlyWhoHadHisShareIsHeldBack(t *testing.T) {
	held := func(due string) edit {
		return after("relay queued message=b2", "3s relay held-back message=b2 queue=Q2 dest=example.org to=victim@example.org due="+due)
	}
	again := func(at string) edit {
		return func(t testing.TB, text string) string {
			text = strings.ReplaceAll(text, "3s relay attempt ", at+" relay attempt ")
			text = strings.ReplaceAll(text, "3s relay attempt-end", at+" relay attempt-end")
			return strings.ReplaceAll(strings.ReplaceAll(text, "3s relay outcome", at+" relay outcome"), "attempt=1 due=3s", "attempt=1 due="+at)
		}
	}
	next := func(at string) edit {
		return after("relay queued message=b3", at+" relay held-back message=b3 queue=Q3 dest=example.org to=victim@example.org due="+at)
	}
	hour := again("1h1s")
	three := bounces("1s", "2s", "3s")
	runTrials(t, []trial{
		{name: "held back until the hour is over", base: three, policy: hourlyTwo, edits: []edit{held("1h1s"), hour}},
		{name: "attempted all the same", base: three, policy: hourlyTwo, edits: []edit{held("1h1s")},
			want: []string{"RETRY-ON-TIME: before it was due", "FAIR-AND-BOUNDED: within an hour; the limit is 2"}},
		{name: "held back with a share left", base: bounces("1s", "1h", "3s"), policy: hourlyTwo, edits: []edit{without("b1"), held("1h1s"), hour},
			want: []string{"RETRY-ON-TIME: had not had the 2 reports of this hour"}},
		{name: "held back an instant before the hour was over, and told when the next had begun", base: bounces("1s", "2s", "1h1.1s", "1h1.5s"),
			policy: hourlyTwo, edits: []edit{next("1h1.5s")}},
		{name: "held back when the next hour had begun", base: bounces("1s", "2s", "1h1.1s", "1h2.5s"), policy: hourlyTwo,
			edits: []edit{next("1h2.5s")}, want: []string{"RETRY-ON-TIME: had not had the 2 reports of this hour"}},
		{name: "held back without a limit", base: three, policy: unlimited, edits: []edit{held("1h1s"), hour},
			want: []string{"RETRY-ON-TIME: to which no limit on reports applies"}},
		{name: "held back, of another sender", base: three, policy: hourlyTwo,
			edits: []edit{with("b2 queue=Q2 from=<>", "b2 queue=Q2 from=a@b.test"), held("1h1s"), hour},
			want:  []string{"RETRY-ON-TIME: to which no limit on reports applies"}},
		{name: "held back for longer than the longest interval", base: three, policy: hourlyTwo, edits: []edit{held("5h"), again("5h")},
			want: []string{"RETRY-ON-TIME: for longer than the longest interval"}},
		{name: "held back beyond its lifetime", base: three, policy: hourlyTwo,
			edits: []edit{with("queued message=b2 queue=Q2 from=<> to=victim@example.org due=200h", "queued message=b2 queue=Q2 from=<> to=victim@example.org due=30m"),
				held("1h1s"), hour}, want: []string{"RETRY-ON-TIME: the schedule says", "RETRY-ON-TIME: after its lifetime ends"}},
	})
}
