package impl_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func newRelay(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	return impl.New(impl.Config{Policy: cfg.Policy, Listen: cfg.Listen}, host)
}

// faults are lines of the script language that a server of a random world may
// have; each alone leaves mail deliverable in the end, or refused.
var faults = []string{
	"at greeting, first 1: 421 4.3.2 Not now",
	"at greeting, first 1: silence",
	"at ehlo: 502 5.5.1 What?",
	"at mail, first 2: 451 4.3.0 Trouble",
	"at rcpt <a@*>, first 1: 451 4.7.1 Greylisted",
	"at rcpt <b@*>: 550 5.1.1 No such user",
	"at rcpt, nth 2: 421 4.3.2 Closing",
	"at data, first 1: cut",
	"at body, first 1: cut after 20",
	"at dot, first 1: accept; cut",
	"at dot, nth 2: accept; silence",
	"at dot, first 1: accept; delay 20m; 250 2.0.0 Late",
	"at dot, first 1: cut",
	"at dot, first 1: 451 4.3.0 Later",
	"at dot, nth 2: 554 5.6.0 No",
	"at quit: silence",
	"offer SIZE 10000000, 8BITMIME",
}

var crashFacts = []spec.FactKind{
	spec.FactQueued, spec.FactSubmitted, spec.FactAttempt, spec.FactDial, spec.FactIntent, spec.FactDot, spec.FactAccepted,
	spec.FactReplied, spec.FactOutcome, spec.FactReport, spec.FactRemoved, spec.FactErased, spec.FactStored, spec.FactReady,
}

// genScenario draws a world: servers with faults, messages, and crashes. The
// policy never allows a second copy, so none must be seen.
func genScenario(t *rapid.T) *scenarios.Scenario {
	sc := &scenarios.Scenario{
		Name: "random", Title: "A random world.", Prose: "A random world.\n", Seed: rapid.Uint64Range(1, 1<<32).Draw(t, "seed"),
		Policy: spec.DefaultPolicy("relay.example"),
	}
	sc.Policy.InDoubt = rapid.SampledFrom([]spec.InDoubtPolicy{spec.DoubtReport, spec.DoubtReport, spec.DoubtHold}).Draw(t, "in doubt")
	sc.Policy.Limits.DeliveriesPerDestination = rapid.IntRange(1, 3).Draw(t, "per destination")
	for i, domain := range []string{"one.example", "two.example"} {
		server(t, sc, i, domain)
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "messages") {
		step := scenarios.Step{
			Kind: scenarios.StepSubmit, At: time.Duration(rapid.IntRange(0, 600).Draw(t, "at")) * time.Second,
			Message: fmt.Sprintf("m%d", i+1), Sender: "alice@example.org",
		}
		for _, to := range []string{"a@one.example", "b@one.example", "c@two.example"} {
			if rapid.Bool().Draw(t, to) {
				step.Recipients = append(step.Recipients, to)
			}
		}
		if len(step.Recipients) == 0 {
			step.Recipients = []string{"a@one.example"}
		}
		sc.Plan = append(sc.Plan, step)
	}
	for range rapid.IntRange(0, 3).Draw(t, "crashes") {
		sc.Plan = append(sc.Plan, scenarios.Step{
			Kind: scenarios.StepCrash, Restart: time.Duration(rapid.IntRange(1, 900).Draw(t, "restart")) * time.Second,
			Keep: rapid.SampledFrom([]string{"none", "all", "some"}).Draw(t, "keep"), Silent: rapid.Bool().Draw(t, "silent"),
			When: scenarios.FactMatch{
				After: rapid.Bool().Draw(t, "after"), Kind: rapid.SampledFrom(crashFacts).Draw(t, "when"), Nth: rapid.IntRange(1, 4).Draw(t, "nth"),
			},
		})
	}
	return sc
}

func server(t *rapid.T, sc *scenarios.Scenario, i int, domain string) {
	name := "mx." + domain
	sc.DNS = append(sc.DNS,
		scenarios.Record{Name: domain + ".", Type: "MX", Preference: 10, Value: name + "."},
		scenarios.Record{Name: name + ".", Type: "A", Value: fmt.Sprintf("192.0.2.%d", 10+i)})
	text := ""
	for _, fault := range rapid.SliceOfNDistinct(rapid.SampledFrom(faults), 0, 3, rapid.ID[string]).Draw(t, name) {
		text += fault + "\n"
	}
	script, err := fakesmtp.ParseScript(name, 1, text)
	if err != nil {
		t.Fatal(err)
	}
	sc.Servers = append(sc.Servers, scenarios.Server{Name: name, Script: script})
}

// TestEveryRuleHoldsInRandomWorlds: never twice, nothing lost, clean exactly
// and the other seven, whatever the servers do and wherever the relay crashes.
// A failing world is shrunk, and printed as a scenario file.
func TestEveryRuleHoldsInRandomWorlds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sc := genScenario(rt)
		res := sim.Run(t, sc, newRelay, sim.Options{SplitReads: rapid.Bool().Draw(rt, "split reads")})
		if len(res.Violations) == 0 && (res.Status == sim.OK || res.Status == sim.NoVerdict) { // no verdict: a crash waited for what never came
			return
		}
		for _, v := range res.Violations {
			rt.Logf("%s", v.Story(spec.WallOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))))
		}
		rt.Fatalf("%v %s %v; the world as a scenario:\n%s", res.Status, res.Panic, res.Mismatches, scenarios.Format(sc))
	})
}
