package spec

import (
	"testing"
	"time"
)

// TestASessionOutOfStepIsTheServersFault: a relay that takes the answer to one
// command for that to another sends its content where none is expected. It is
// excused only where its server had said too much before, and a 3yz elsewhere.
func TestASessionOutOfStepIsTheServersFault(t *testing.T) {
	const extra = `
1.5s server mx1 fault session=s1 host=mx1 stage=greeting faults=reply-extra text="at greeting: repeat 2; 220 Here"`
	const odd = `
1.7s server mx1 reply session=s1 host=mx1 stage=rcpt reply="350 hm"`
	const data = `
1.75s server mx1 command session=s1 host=mx1 stage=data text=DATA
1.75s server mx1 reply session=s1 host=mx1 stage=data reply="554 no valid recipients"`
	const content = `
1.76s server mx1 unlawful session=s1 host=mx1 stage=rcpt text="\"RECEIVED:\" is no command that this server was told about"`
	told := []string{"WIRE-LAWFUL: mx1 saw the relay break SMTP at rcpt"}
	trialOf := func(name, lines string, want []string, more ...edit) trial {
		edits := append([]edit{after("stage=rcpt reply=", lines)}, more...)
		return trial{name: name, base: delivered, edits: edits, want: want}
	}
	runTrials(t, []trial{
		trialOf("content for a 354", odd+data+content, nil, after("network connect session=s1", extra)),
		trialOf("content though nothing was said too much", odd+data+content, told),
		trialOf("content though nothing was like a 354", data+content, told, after("network connect session=s1", extra)),
		trialOf("content without DATA, in the mail after one with DATA", odd+data+`
1.755s server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"`+content, told, after("network connect session=s1", extra)),
		trialOf("content without DATA", odd+content, told, after("network connect session=s1", extra)),
	})
}

// TestAMessageIsAsOldAsItsLastSubmission: where the relay never said that it
// queued it, the one that came to nothing does not begin its lifetime.
func TestAMessageIsAsOldAsItsLastSubmission(t *testing.T) {
	short := func(p *Policy) { p.Schedule.Lifetime = 5*time.Minute + 650*time.Millisecond }
	unsaid := without("relay queued message=m1")
	again := after("submitter submit message", `
1.05s submitter refused message=m1 to=bob@example.net text="the connection ended before the final dot"
1.09s submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1`)
	runTrials(t, []trial{
		{name: "submitted again", base: deferred, policy: short, edits: []edit{unsaid, again}},
		{name: "submitted once", base: deferred, policy: short, edits: []edit{unsaid}, want: []string{"RETRY-ON-TIME: after its lifetime had ended"}},
		{name: "submitted again, after the relay said that it has it", base: deferred, policy: short,
			edits: []edit{with("due=120h0m1s", "due=5m1.65s"), again}, want: []string{"RETRY-ON-TIME: after its lifetime had ended"}},
	})
}

// TestADotIsOfTheMessageThatIsKnown: of two mails from one sender to one
// recipient, of which the relay told one alone, a dot may end either.
func TestADotIsOfTheMessageThatIsKnown(t *testing.T) {
	const other = `
1.25s relay attempt message=m2 queue=Q2 job=j9 dest=example.net to=bob@example.net attempt=1 due=1s`
	dot := []edit{after("stage=rcpt reply=", `
1.75s server mx1 command session=s1 host=mx1 stage=dot text=.`), after("relay ready", `
2ms disk stored queue=Q9 text=intent
2ms relay intent message=m9 queue=Q9 job=j0 dest=example.com host=mx9 to=eve@example.com attempt=1`)}
	told := []string{"NEVER-TWICE: and no intent was stored"}
	attempt := after("relay attempt message=m1", other)
	ends := with("1h     world end", "")
	runTrials(t, []trial{
		{name: "one is known", base: delivered, edits: append(dot[:2:2], ends), want: told},
		{name: "another is under way", base: delivered, edits: append(dot[:2:2], ends, attempt)},
	})
}

// TestWhenALifetimeEndsIsSaid: a relay that does not say when a message came
// may count from a little earlier.
func TestWhenALifetimeEndsIsSaid(t *testing.T) {
	policy := func(p *Policy) { p.Schedule.Lifetime = 3 * time.Minute }
	early := []edit{until("5m1.7s relay attempt"), with("due=5m1.7s", "due=3m0.99s")}
	runTrials(t, []trial{
		{name: "said", base: deferred, policy: policy, edits: append(early[:2:2], with("due=120h0m1s", "due=3m1s")),
			want: []string{"RETRY-ON-TIME: due 10ms too early"}},
		{name: "not said", base: deferred, policy: policy, edits: append(early[:2:2], without("relay queued message=m1"))},
		{name: "not said, and much too early", base: deferred, policy: policy,
			edits: []edit{until("5m1.7s relay attempt"), with("due=5m1.7s", "due=1m"), without("relay queued message=m1")},
			want:  []string{"RETRY-ON-TIME: too early"}},
	})
}
