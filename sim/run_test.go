package sim_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// operated is the relay of this repository as the simulator wants it.
type operated struct{ *impl.Relay }

func (o operated) Decide(ctx context.Context, id spec.QueueID, recipient, decision string) error {
	return o.Relay.Decide(ctx, id, recipient, decision)
}

func newRelay(h seam.Host, c sim.Config) (sim.Relay, error) {
	r, err := impl.New(impl.Config{Policy: c.Policy, Listen: c.Listen}, h)
	return operated{r}, err
}

// load returns a scenario of the library.
func load(t testing.TB, name string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// ready returns all scenarios that are to be run.
func ready(t *testing.T) []*scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Ready()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parse returns a scenario that is written in the test.
func parse(t testing.TB, text string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestTheLibraryHolds(t *testing.T) {
	for _, sc := range ready(t) {
		r := sim.Run(t, sc, newRelay, sim.Options{})
		if r.Status != sim.OK {
			t.Errorf("%s: %v %v %v %v %s", sc.Name, r.Status, r.Violations, r.Mismatches, r.Unused, r.Panic)
		}
	}
}

// TestAWorldLastsUntilTheRelayHasComeBack: from the crashes that wait for their
// moment, too, and from what a fault has brought down.
func TestAWorldLastsUntilTheRelayHasComeBack(t *testing.T) {
	for _, trouble := range []string{
		"crash after outcome, restart after 12d",
		"fail store nth 12, restart after 12d",
	} {
		r := sim.Run(t, parse(t, `# Nothing here takes longer than it has to.
-- dns --
example.net.      MX 10 mx1.example.net.
mx1.example.net.  A  192.0.2.10
-- server mx1.example.net --
at rcpt, until 1h: 451 4.2.1 Mailbox busy
-- plan --
t+0  submit m1 from alice@example.org to bob@example.net
`+trouble+`
-- expect --
bob@example.net  delivered
`), newRelay, sim.Options{})
		if r.Status != sim.OK {
			t.Errorf("%s: %v: %v %v %v", trouble, r.Status, r.Violations, r.Mismatches, r.Unused)
		}
	}
}

// TestAWorldLastsUntilMailFromTheFutureIsGivenUp: it waits for the longest
// interval twice and lives for a lifetime, and so does the report on it.
func TestAWorldLastsUntilMailFromTheFutureIsGivenUp(t *testing.T) {
	r := sim.Run(t, parse(t, `# Nobody takes the mail, nor the report.
-- relay --
relays smart1.example.com
schedule max 3d, lifetime 7d
-- plan --
t+0      submit m1 from alice@example.org to carol@example.com
t+6d12h  stop, restart after 10s
t+6d12h  clock -365d
-- expect --
carol@example.com  failed
spool              empty
`), newRelay, sim.Options{})
	if r.Status != sim.OK || r.Virtual < 23*24*time.Hour {
		t.Errorf("after %v: %v %v %v", r.Virtual, r.Status, r.Violations, r.Mismatches)
	}
}

// TestAStepInVainIsNoMatterOfTheRules: it is what a scenario expects, unless it
// expects no more than that the rules hold.
func TestAStepInVainIsNoMatterOfTheRules(t *testing.T) {
	const story = `# A decision on what is not in doubt.
-- dns --
example.net.  MX 10 mx1.example.net.
mx1.example.net.  A 192.0.2.10
-- server mx1.example.net --
-- plan --
t+0   submit m1 from alice@example.org to bob@example.net
t+1h  decide retry m1
-- expect --
`
	for expect, want := range map[string]sim.Status{
		"rules hold\n":                sim.OK,
		"bob@example.net delivered\n": sim.Safety,
	} {
		if r := sim.Run(t, parse(t, story+expect), newRelay, sim.Options{RulesOnly: true}); r.Status != sim.OK {
			t.Errorf("%q, when the rules alone are asked for: %v: %v", expect, r.Status, r.Mismatches)
		}
		if r := sim.Run(t, parse(t, story+expect), newRelay, sim.Options{}); r.Status != want || len(r.Violations) > 0 {
			t.Errorf("%q: %v, want %v: %v", expect, r.Status, want, r.Mismatches)
		}
	}
}

func TestASeedReplaysOnAnyNumberOfThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for i, story := range ready(t) {
		if i%8 != 0 {
			continue
		}
		sc := *story
		sc.Seed = uint64(i)
		runtime.GOMAXPROCS(1)
		one := sim.Run(t, &sc, newRelay, sim.Options{})
		runtime.GOMAXPROCS(4)
		four := sim.Run(t, &sc, newRelay, sim.Options{})
		if where := sim.Diverges(one, four); where != "" {
			t.Errorf("%s: %s", sc.Name, where)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	sc := *load(t, "plain/several-domains")
	seen := map[string]bool{}
	for sc.Seed = range 20 {
		seen[sim.Run(t, &sc, newRelay, sim.Options{}).Hash] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 seeds gave %d traces", len(seen))
	}
}

// lines returns the lines of a trace.
func lines(r *sim.Result) []string { return strings.Split(string(r.Trace()), "\n") }

// first returns the index of the first fact of the event that the fact at i
// belongs to: a batch of the disk becomes durable as a whole.
func first(facts []spec.Fact, i int) int {
	for i > 0 && facts[i].Actor == spec.ActorDisk && facts[i-1].Actor == spec.ActorDisk && facts[i].At == facts[i-1].At {
		i--
	}
	return i
}

// TestACrashAtALineComesThere crashes before and after every line of a run:
// what came before is the same, to the byte, and the rules hold.
func TestACrashAtALineComesThere(t *testing.T) {
	sc := load(t, "plain/one-recipient")
	calm := sim.Run(t, sc, newRelay, sim.Options{})
	want := lines(calm)
	for line := 1; line < calm.Lines; line++ {
		for _, after := range []bool{false, true} {
			kept := first(calm.Facts, line-1)
			if after {
				kept = line
			}
			crash := scenarios.Step{Kind: scenarios.StepCrash, StepNumber: line, Restart: 10 * time.Second, When: scenarios.FactMatch{After: after}}
			r := sim.Run(t, sc, newRelay, sim.Options{Steps: []scenarios.Step{crash}, AllowUnused: true})
			if len(r.Violations) > 0 || r.Panic != "" {
				t.Fatalf("line %d, after %v: %v %s", line, after, r.Violations, r.Panic)
			}
			got := lines(r)
			if !slices.Equal(got[:kept], want[:kept]) {
				t.Fatalf("line %d, after %v: the trace before the crash is another", line, after)
			}
			crashed := slices.ContainsFunc(r.Facts, func(f spec.Fact) bool { return f.Kind == spec.FactCrash })
			if f := calm.Facts[line-1]; !crashed && f.Kind != spec.FactEnd && f.Kind != spec.FactStop {
				t.Errorf("line %d, after %v: no crash at %v", line, after, f)
			}
		}
	}
}

// spooled counts the facts of a kind about control entries.
func spooled(r *sim.Result, kind spec.FactKind) int {
	n := 0
	for _, f := range r.Facts {
		if f.Kind == kind && f.Text == "control" {
			n++
		}
	}
	return n
}

func TestTheDiskKeepsWhatTheCrashSays(t *testing.T) {
	for keep, kept := range map[string]int{"none": 0, "all": 1} {
		sc := parse(t, `# A crash between 250 and its batch.
-- dns --
example.net.      MX 10 mx1.example.net.
mx1.example.net.  A  192.0.2.10
-- server mx1.example.net --
-- plan --
t+0  submit m1 from alice@example.org to bob@example.net
crash before queued m1, restart after 1m, keep `+keep+`
-- expect --
bob@example.net  anything
`)
		r := sim.Run(t, sc, newRelay, sim.Options{})
		if got := spooled(r, spec.FactKept); got != kept {
			t.Errorf("keep %s: the crash kept %d control entries, want %d:\n%s", keep, got, kept, r.Trace())
		}
	}
}

func TestSplitReadsChangeNoFate(t *testing.T) {
	for _, name := range []string{"plain/one-recipient", "reply/multi-line", "reply/mixed", "doubt/torn-reply"} {
		sc := load(t, name)
		r := sim.Run(t, sc, newRelay, sim.Options{SplitReads: true})
		if r.Status != sim.OK {
			t.Errorf("%s: %v %v %v", name, r.Status, r.Violations, r.Mismatches)
		}
		if r.Hash == sim.Run(t, sc, newRelay, sim.Options{}).Hash {
			t.Errorf("%s: splitting reads changed nothing", name)
		}
	}
}

func TestReadsAreSplitAtTheServersThatSaySo(t *testing.T) {
	sc := load(t, "plain/split-reads")
	hashes := map[string]bool{}
	for _, split := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		sc.Servers[0].SplitReads, sc.Servers[1].SplitReads = split[0], split[1]
		r := sim.Run(t, sc, newRelay, sim.Options{})
		if r.Status != sim.OK {
			t.Errorf("split %v: %v %v %v", split, r.Status, r.Violations, r.Mismatches)
		}
		hashes[r.Hash] = true
	}
	if len(hashes) != 4 {
		t.Errorf("splitting at one server, the other or both makes %d runs that differ", len(hashes))
	}
}

func TestTheScenarioIsNotChangedByItsRun(t *testing.T) {
	sc := load(t, "fair/dead-destination")
	before := string(scenarios.Format(sc))
	sim.Run(t, sc, newRelay, sim.Options{})
	if after := string(scenarios.Format(sc)); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

// BenchmarkWorld runs whole worlds: one message, one delivery.
func BenchmarkWorld(b *testing.B) { bench(b, "plain/one-recipient") }

// BenchmarkCrashAndRestart runs worlds in which the relay dies between dot and
// reply, recovers, and reports.
func BenchmarkCrashAndRestart(b *testing.B) { bench(b, "crash/after-acceptance-report") }

// bench runs a scenario with different seeds. A bubble wants a T, which a
// benchmark has not: so a test runs within the benchmark.
func bench(b *testing.B, name string) {
	sc := *load(b, name)
	b.ReportAllocs()
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.RunTests(all, []testing.InternalTest{{Name: name, F: func(t *testing.T) {
		for b.Loop() {
			sc.Seed++
			if r := sim.Run(t, &sc, newRelay, sim.Options{Brief: true}); r.Status != sim.OK {
				t.Fatal(r.Status, r.Violations, r.Mismatches)
			}
		}
	}}})
}

func TestMemoryOfOtherRunsChangesNothing(t *testing.T) {
	var scratch sim.Scratch
	for _, name := range []string{"expiry/dead-server", "plain/one-recipient", "crash/after-acceptance-report"} {
		sc := load(t, name)
		alone := sim.Run(t, sc, newRelay, sim.Options{})
		after := sim.Run(t, sc, newRelay, sim.Options{Scratch: &scratch, Brief: true})
		if after.Hash != alone.Hash || after.Status != alone.Status || after.Facts != nil {
			t.Errorf("%s: trace %s, and after other runs %s", name, alone.Hash, after.Hash)
		}
	}
}

// TestARunDoesNotWriteOverTheFactsOfAnother: those that stand in its result are
// its own, also when it has had the memory of a run before.
func TestARunDoesNotWriteOverTheFactsOfAnother(t *testing.T) {
	var scratch sim.Scratch
	long := func() {
		sim.Run(t, load(t, "expiry/dead-server"), newRelay, sim.Options{Scratch: &scratch, Brief: true})
	}
	long()
	kept := sim.Run(t, load(t, "plain/one-recipient"), newRelay, sim.Options{Scratch: &scratch})
	before := string(kept.Trace())
	long()
	if after := string(kept.Trace()); after != before {
		t.Errorf("the trace was\n%s\nand after another run is\n%s", before, after)
	}
}

func TestOnlyTheRulesCountWhenAskedTo(t *testing.T) {
	sc := *load(t, "plain/one-recipient")
	sc.Expect = append(sc.Expect[:0:0], sc.Expect...)
	sc.Expect[0].Attempts = 7
	if r := sim.Run(t, &sc, newRelay, sim.Options{}); r.Status != sim.Safety {
		t.Fatalf("%s, though seven attempts were expected", r.Status)
	}
	if r := sim.Run(t, &sc, newRelay, sim.Options{RulesOnly: true}); r.Status != sim.OK {
		t.Errorf("%s: %v", r.Status, r.Mismatches)
	}
}
