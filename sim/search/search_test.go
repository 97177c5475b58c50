package search

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
	"github.com/postonce/postonce/spec/seam"
)

func newRelay(h seam.Host, c sim.Config) (sim.Relay, error) {
	return impl.New(impl.Config{Policy: c.Policy, Listen: c.Listen}, h)
}

// impatient is a relay that sends again after a doubt, though it is not to.
func impatient(h seam.Host, c sim.Config) (sim.Relay, error) {
	c.Policy.InDoubt = spec.DoubtRetry
	return newRelay(h, c)
}

// hasty says "durable" before it is.
func hasty(h seam.Host, c sim.Config) (sim.Relay, error) {
	h.Store = soon{h.Store, h.Start}
	return newRelay(h, c)
}

type soon struct {
	seam.Store
	start func(func())
}

func (s soon) Apply(ops []seam.Op, done func(error)) {
	s.start(func() { done(nil) })
	s.Store.Apply(ops, func(error) {})
}

// A quitter is a relay that ends by itself when a message is done, if once it
// could not reach the resolver.
type quitter struct {
	sim.Relay
	quit *context.CancelFunc
}

func (q quitter) Run(ctx context.Context) error {
	ctx, *q.quit = context.WithCancel(ctx)
	return q.Relay.Run(ctx)
}

func quitting(h seam.Host, c sim.Config) (sim.Relay, error) {
	quit, exchange, note := new(context.CancelFunc), h.Exchange, h.Note
	var failed atomic.Bool // queries and notes are many goroutines'
	h.Exchange = func(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
		reply, err := exchange(ctx, query)
		if err != nil {
			failed.Store(true)
		}
		return reply, err
	}
	h.Note = func(f spec.Fact) {
		note(f)
		if failed.Load() && f.Kind == spec.FactRemoved {
			(*quit)()
		}
	}
	relay, err := newRelay(h, c)
	return quitter{relay, quit}, err
}

// TestARelayThatEndsByItselfIsFound: in a sweep, in random worlds, and so that
// what is found can be made small.
func TestARelayThatEndsByItselfIsFound(t *testing.T) {
	swept := do(t, quitting, Job{Scenario: load(t, "plain/one-recipient"), Sweep: &Sweep{Depth: 1}}).Swept
	if swept.Broken == 0 || len(swept.Found[0].Result.Violations) > 0 || !strings.Contains(swept.Found[0].Result.Ended, "ended by itself") {
		t.Fatalf("%d broken in a sweep: %v", swept.Broken, swept.Found)
	}
	focus := slices.Index(FocusNames(), "machine")
	explored := do(t, quitting, Job{Explore: &Explore{First: 20, Count: 40, Focus: focus}}).Explored
	i := slices.IndexFunc(explored.Found, func(f Found) bool { return RuleOf(f.Scenario, f.Result) == "" })
	if i < 0 {
		t.Fatalf("not found in %d worlds, of which %d are broken", explored.Worlds, explored.Broken)
	}
	shrunk := do(t, quitting, Job{Scenario: explored.Found[i].Scenario, Shrink: &Shrink{}}).Shrunk
	text := string(scenarios.Format(shrunk.Scenario))
	if n := strings.Count(text, "\n"); n > 15 || !shrunk.Result.EndedBadly() {
		t.Errorf("%d lines are left, ended %q:\n%s", n, shrunk.Result.Ended, text)
	}
}

// do has a handler do a job, as a worker does.
func do(t *testing.T, relay sim.Factory, j Job) Answer {
	t.Helper()
	j.Relay = "it"
	raw, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := Handler(map[string]sim.Factory{"it": relay})(t, raw)
	return answer.(Answer)
}

func load(t *testing.T, name string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestASweepCrashesEverywhereAndFindsNothing(t *testing.T) {
	swept := do(t, newRelay, Job{Scenario: load(t, "plain/one-recipient"), Sweep: &Sweep{Depth: 1}}).Swept
	if swept.Broken > 0 {
		t.Errorf("%d broken: %v", swept.Broken, swept.Found[0].Result.Violations)
	}
	if swept.Points < 40 || swept.Crashes < swept.Points || swept.Faults < 20 || swept.Runs != swept.Crashes+swept.Faults {
		t.Errorf("%+v", swept)
	}
}

func TestASweepFindsWhatACrashShows(t *testing.T) {
	swept := do(t, hasty, Job{Scenario: load(t, "plain/one-recipient"), Sweep: &Sweep{Depth: 1}}).Swept
	if swept.Broken == 0 {
		t.Fatal("a relay that says durable too soon was not found")
	}
	if len(swept.Found) > MostFound {
		t.Errorf("%d findings are told", len(swept.Found))
	}
	f := swept.Found[0]
	again := sim.Run(t, f.Scenario, hasty, sim.Options{AllowUnused: true})
	if RuleOf(f.Scenario, again) != RuleOf(f.Scenario, f.Result) {
		t.Errorf("run again it breaks %q, and it broke %q", RuleOf(f.Scenario, again), RuleOf(f.Scenario, f.Result))
	}
}

func TestPartsOfASweepMakeTheWhole(t *testing.T) {
	sc := load(t, "doubt/report")
	whole := do(t, newRelay, Job{Scenario: sc, Sweep: &Sweep{Depth: 1}}).Swept
	crashes, faults := 0, 0
	for part := range 3 {
		s := do(t, newRelay, Job{Scenario: sc, Sweep: &Sweep{Depth: 1, Part: part, Parts: 3}}).Swept
		crashes, faults = crashes+s.Crashes, faults+s.Faults
	}
	if crashes != whole.Crashes || faults != whole.Faults {
		t.Errorf("parts: %d crashes and %d failures; the whole: %d and %d", crashes, faults, whole.Crashes, whole.Faults)
	}
}

func TestASweepOfDepthTwoCrashesInTheRecovery(t *testing.T) {
	sc := load(t, "plain/one-recipient")
	one := do(t, newRelay, Job{Scenario: sc, Sweep: &Sweep{Depth: 1, Part: 1, Parts: 10}}).Swept
	two := do(t, newRelay, Job{Scenario: sc, Sweep: &Sweep{Depth: 2, Part: 1, Parts: 10}}).Swept
	if two.Crashes < 2*one.Crashes || two.Broken > 0 {
		t.Errorf("depth 1: %d crashes, depth 2: %d, %d broken", one.Crashes, two.Crashes, two.Broken)
	}
}

// TestAPointIsReached: a crash at every point comes where the point says, after
// a trace that is the same until then.
func TestAPointIsReached(t *testing.T) {
	sc := load(t, "plain/one-recipient")
	calm := sim.Run(t, sc, newRelay, sim.Options{Points: true})
	seams := 0
	for _, p := range calm.Points {
		if p.Seam > 0 {
			seams++
		}
		r := sim.Run(t, sc, newRelay, sim.Options{AllowUnused: true, Steps: []scenarios.Step{CrashAt(p, "none")}})
		i := slices.IndexFunc(r.Facts, func(f spec.Fact) bool { return f.Kind == spec.FactCrash })
		if i < 0 {
			t.Errorf("%+v: no crash", p)
			continue
		}
		if at := r.Facts[i].At.Sub(r.Began); at != p.At {
			t.Errorf("%+v: the crash came at %v", p, at)
		}
		for k := range r.Facts[:i] {
			if r.Facts[k].String() != calm.Facts[k].String() {
				t.Fatalf("%+v: line %d is another", p, k+1)
			}
		}
	}
	if seams == 0 {
		t.Error("no point is an operation of a seam")
	}
}

func TestExploreFindsAndShrinks(t *testing.T) {
	focus := slices.Index(FocusNames(), "doubts")
	explored := do(t, impatient, Job{Explore: &Explore{First: 1, Count: 100, Focus: focus}}).Explored
	if explored.Worlds != 100 || explored.Coverage.Runs() != 100 {
		t.Errorf("%d worlds, coverage of %d", explored.Worlds, explored.Coverage.Runs())
	}
	i := slices.IndexFunc(explored.Found, func(f Found) bool { return RuleOf(f.Scenario, f.Result) == spec.NeverTwice })
	if i < 0 {
		t.Fatalf("nothing was found that is delivered twice: %d broken", explored.Broken)
	}
	f := explored.Found[i]
	shrunk := do(t, impatient, Job{Scenario: f.Scenario, Shrink: &Shrink{Rule: spec.NeverTwice}}).Shrunk
	text := string(scenarios.Format(shrunk.Scenario))
	if n := strings.Count(text, "\n"); n > 15 {
		t.Errorf("%d lines are left:\n%s", n, text)
	}
	again := sim.Run(t, shrunk.Scenario, impatient, sim.Options{AllowUnused: true})
	if RuleOf(shrunk.Scenario, again) != spec.NeverTwice {
		t.Errorf("what is left breaks %q:\n%s", RuleOf(shrunk.Scenario, again), text)
	}
}

func TestShrinkingNamesTheMomentOfACrash(t *testing.T) {
	swept := do(t, hasty, Job{Scenario: load(t, "plain/one-recipient"), Sweep: &Sweep{Depth: 1}}).Swept
	f := swept.Found[0]
	shrunk := do(t, hasty, Job{Scenario: f.Scenario, Shrink: &Shrink{Rule: RuleOf(f.Scenario, f.Result)}}).Shrunk
	for _, s := range shrunk.Scenario.Plan {
		if s.Kind == scenarios.StepCrash && s.When.Kind == "" {
			t.Errorf("the crash has no moment with a name:\n%s", scenarios.Format(shrunk.Scenario))
		}
	}
}

func TestSteeringGoesWhereSomethingIsNew(t *testing.T) {
	s := NewSteer(1)
	var fruitful coverage.Coverage
	data := `{"runs":1,"points":{`
	var points []string
	for _, p := range coverage.Cells.Points()[:40] {
		points = append(points, `"`+p.String()+`":1`)
	}
	if err := json.Unmarshal([]byte(data+strings.Join(points, ",")+"}}"), &fruitful); err != nil {
		t.Fatal(err)
	}
	s.Reached(5, &fruitful)
	times := map[int]int{}
	for range 320 {
		times[s.Next()]++
	}
	for focus := range Focuses {
		if times[focus] < 5 {
			t.Errorf("focus %d comes %d times in 320", focus, times[focus])
		}
	}
	if times[5] < 100 {
		t.Errorf("where 40 points were new, only %d of 320 go", times[5])
	}
}

func TestWorldsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for n := range Number(500) {
		seen[string(scenarios.Format(World(n)))] = true
	}
	if len(seen) != 500 {
		t.Errorf("500 numbers make %d worlds", len(seen))
	}
}

// TestAPlanCannotBeMadePlainerForEver: each change that makes a step plainer is
// one that can be made once.
func TestAPlanCannotBeMadePlainerForEver(t *testing.T) {
	sc := &scenarios.Scenario{Plan: []scenarios.Step{
		{Kind: scenarios.StepHeal, At: 90 * time.Minute},
		{Kind: scenarios.StepHeal, At: time.Second},
		{Kind: scenarios.StepClock, At: time.Hour, Jump: -400 * 24 * time.Hour},
	}}
	for range 100 {
		changed := false
		for _, change := range plainSteps(sc)[1:] { // the first would have all at t+0
			changed = change(sc) || changed
		}
		if !changed {
			return
		}
	}
	t.Errorf("after 100 rounds it still changes: %+v", sc.Plan)
}

// TestAFailureThatLastsIsOneOfAllTimes: a fault that is for good ends after the
// operation with which it begins, however late that is.
func TestAFailureThatLastsIsOneOfAllTimes(t *testing.T) {
	sc := load(t, "expiry/dead-server")
	calm := sim.Run(t, sc, newRelay, sim.Options{Points: true})
	last := len(calm.Store) - 1
	if calm.Store[last] < healTime {
		t.Fatalf("the last operation of the store is at %v", calm.Store[last])
	}
	r := sim.Run(t, sc, newRelay, sim.Options{AllowUnused: true, RulesOnly: true, Steps: failure("store", last+1, calm.Store[last], true)})
	if !slices.ContainsFunc(r.Fired, func(f string) bool { return strings.HasSuffix(f, " fails") }) {
		t.Errorf("the store did not fail: %v", r.Fired)
	}
}
