package spec

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// allKinds are all kinds of facts, and one that is none.
var allKinds = []FactKind{
	FactSubmit, FactSubmitted, FactRefused, FactSubmitUnknown, FactQueued, FactAttempt, FactAttemptEnd, FactRoute, FactDial, FactIdle, FactReuse, FactTrouble,
	FactIntent, FactDot, FactOutcome, FactReport, FactRemoved, FactDoubt, FactDamaged, FactReady, FactHalt, FactCommand, FactReply,
	FactRefusedRecipient, FactAccepted, FactReplied, FactReportSeen, FactUnlawful, FactConnect, FactConnectFailed, FactClosed, FactQuery,
	FactAnswer, FactStored, FactErased, FactKept, FactPlan, FactFault, FactCrash, FactStart, FactStop, FactOperator, FactHeal, FactEnd, "odd",
}

// anyFact draws facts that often speak of the same few things.
func anyFact() *rapid.Generator[Fact] {
	of := func(values ...string) *rapid.Generator[string] { return rapid.SampledFrom(append(values, "")) }
	return rapid.Custom(func(t *rapid.T) Fact {
		return Fact{
			At:   epoch.Add(rapid.SampledFrom([]time.Duration{0, 1, time.Second, time.Minute, time.Hour, 6 * 24 * time.Hour}).Draw(t, "at")),
			Kind: rapid.SampledFrom(allKinds).Draw(t, "kind"), Message: of("m1", "m2", "r1").Draw(t, "message"),
			Queue: QueueID(of("Q1", "Q2").Draw(t, "queue")), Job: of("j1", "j2").Draw(t, "job"), From: of("a@x", "<>").Draw(t, "from"),
			To:     rapid.SliceOfN(of("a@x", "b@y", "c@y"), 0, 2).Draw(t, "to"),
			Needs:  rapid.SliceOfN(of("SMTPUTF8", "REQUIRETLS", "?"), 0, 2).Draw(t, "needs"),
			Notify: rapid.SliceOfN(of("never", "success+delay", "default", "?"), 0, 3).Draw(t, "notify"),
			Dest:   of("x", "y").Draw(t, "dest"), Host: of("mx1", "mx2").Draw(t, "host"), Session: of("s1", "s2").Draw(t, "session"),
			Attempt: rapid.IntRange(-1, 3).Draw(t, "attempt"), State: RecipientState(rapid.IntRange(0, 7).Draw(t, "state")),
			Stage: Stage(rapid.IntRange(0, int(StageIdle)).Draw(t, "stage")),
			Reply: of("250 ok", "451 no", "550 no", "failed", "delayed", "relayed", "250 DSN").Draw(t, "reply"),
			Due:   Wall(rapid.SampledFrom([]int64{0, -1, int64(epoch), 1 << 62}).Draw(t, "due")), Hash: of("h1", "h2").Draw(t, "hash"),
			Text: of("control", "body", "m1", "Q1", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "RCPT TO:<b@y> NOTIFY=NEVER", "RCPT", "retry", "y MX",
				"y MX: NOERROR MX 1 mx1.; MX x; MX",
				"y MX: NXDOMAIN", "mx1 A: NOERROR A 1.2.3.4").Draw(t, "text"),
			Addr: of("1.2.3.4:25", "x").Draw(t, "addr"),
		}
	})
}

// survive runs a Checker over facts and looks at all that it says.
func survive(p Policy, facts []Fact) []Violation {
	c := NewChecker(p)
	var all []Violation
	for _, f := range facts {
		all = append(all, c.Observe(f)...)
		c.Pending()
	}
	all = append(all, c.Finish()...)
	c.Messages()
	c.Licences()
	for _, v := range all {
		v.Story(epoch)
	}
	return all
}

func TestCheckerSurvivesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := testPolicy()
		if rapid.Bool().Draw(t, "relay mode") {
			p.Relays = []string{"mx1:25", ":", "[::1]:25"}
		}
		if rapid.Bool().Draw(t, "no policy") {
			p = Policy{}
		}
		p.InDoubt = InDoubtPolicy(rapid.IntRange(0, 3).Draw(t, "in doubt"))
		survive(p, rapid.SliceOfN(anyFact(), 0, 60).Draw(t, "facts"))
	})
}

// TestGoodHistoriesHoldAtEveryCut: a log that ends anywhere breaks no rule; a
// relay that has not yet finished is not a relay that never will.
func TestGoodHistoriesHoldAtEveryCut(t *testing.T) {
	for _, text := range []string{delivered, refused, deferred, doubted} {
		facts := history(t, text)
		for n := range facts {
			for _, v := range survive(testPolicy(), facts[:n]) {
				t.Errorf("cut before %s:\n%s", facts[n], v.Story(epoch))
			}
		}
	}
}

// TestGoodHistoriesHoldFromOutside: leaving out what the relay says, what its
// disk does, or both, leaves nothing to complain about.
func TestGoodHistoriesHoldFromOutside(t *testing.T) {
	for _, text := range []string{delivered, refused, deferred, doubted} {
		for _, hidden := range [][]string{{"relay "}, {"disk"}, {"relay ", "disk"}, {"relay ", "disk", "network"}, {"dns"}, {"network"}} {
			var kept strings.Builder
			for line := range strings.Lines(text) {
				words := strings.Fields(line)
				if len(words) < 2 || !strings.Contains(strings.Join(hidden, " "), words[1]) {
					kept.WriteString(line)
				}
			}
			for _, v := range survive(testPolicy(), history(t, kept.String())) {
				t.Errorf("without %v:\n%s", hidden, v.Story(epoch))
			}
		}
	}
}

func FuzzChecker(f *testing.F) {
	for _, text := range []string{delivered, refused, deferred, doubted, retried} {
		var lines strings.Builder
		for _, fact := range history(f, text) {
			lines.WriteString(fact.String() + "\n")
		}
		f.Add(lines.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		var facts []Fact
		for line := range strings.Lines(text) {
			if fact, err := ParseFact(strings.TrimSuffix(line, "\n")); err == nil {
				facts = append(facts, fact)
			}
		}
		survive(testPolicy(), facts)
	})
}
