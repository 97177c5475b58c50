package spec

import "testing"

// TestAReplyConcernsWhomItMayConcern: a server does not see which of several mails
// from one sender to one recipient it is told of.
func TestAReplyConcernsWhomItMayConcern(t *testing.T) {
	const (
		twin = `
1.2s relay queued message=m2 queue=Q9 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s relay attempt message=m2 queue=Q9 job=j9 dest=example.net to=bob@example.net attempt=1 due=1s`
		others = `
1.2s relay queued message=m3 queue=Q8 from=carol@example.org to=dave@example.net due=120h0m1s
1.2s relay queued message=m4 queue=Q7 from=carol@example.org to=dave@example.net due=120h0m1s`
		named = `
1.5s server mx1 command session=s9 host=mx1 stage=mail text="MAIL FROM:<carol@example.org>"
1.5s server mx1 command session=s9 host=mx1 stage=rcpt text="RCPT TO:<dave@example.net>"
1.5s server mx1 reply session=s9 host=mx1 stage=data reply="554 no"`
		noData = `1.55s server mx1 reply session=s1 host=mx1 stage=data reply="554 no"`
		later  = `
1.55s relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.55s relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 session=s1 to=bob@example.net
1.55s server mx1 reply session=s1 host=mx1 stage=dot reply="554 no"`
	)
	taken := []edit{without("refused-recipient"), with(`stage=rcpt reply="550 5.1.1 no"`, `stage=rcpt reply="250 ok"`), without("world end")}
	refusedAt := func(where, lines string, more ...edit) []edit {
		return append(append(taken[:3:3], after(where, lines)), more...)
	}
	again := func(more ...edit) []edit {
		return append([]edit{without("world end"), after("relay attempt message=m1", twin), without("accepted session=s2"), without("replied session=s2"),
			with("1.7s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1",
				`1.7s server mx1 reply session=s1 host=mx1 stage=dot reply="451 4.3.0 Later"`)}, more...)
	}
	runTrials(t, []trial{
		{name: "one of two that are under way", base: refused, edits: refusedAt("1.5s   server mx1 reply", noData, after("relay attempt message=m1", twin))},
		{name: "others, of whom it is one", base: refused, edits: refusedAt("1.5s   server mx1 reply", named, after("relay attempt message=m1", others)),
			want: []string{"RETRY-ON-TIME: gave up on m1"}},
		{name: "one whose dot the relay says it sent there", base: refused, edits: append([]edit{
			with("1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s", twin[1:])},
			refusedAt("1.5s   server mx1 reply", later)...)},
		{name: "sent again, one of two that are under way", base: retried, edits: again(until("5m1.9s relay attempt"))},
		{name: "in doubt, when one of two was refused before", base: retried, edits: again(without("5m4s"), without("queue=Q1 text=intent"),
			with("state=delivered", "state=unknown"))},
	})
}
