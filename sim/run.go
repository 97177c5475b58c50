package sim

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Config is what a relay is told.
type Config struct {
	Policy spec.Policy
	// Listen is where it takes mail: RelayAddr.
	Listen string
}

// A Relay is one process of a relay.
type Relay interface {
	// Run works until ctx is done, then stops in good order; or returns the
	// error that it cannot go on with. All its goroutines have ended when it
	// returns.
	Run(ctx context.Context) error
}

// An Operator is a Relay that takes an operator's decisions.
type Operator interface {
	// Decide carries out one of the words of spec.FactOperator for one
	// recipient, or for all of the message whom it can be about when recipient is
	// empty. It returns when that is durable, or why it is not done.
	Decide(ctx context.Context, queue spec.QueueID, recipient, decision string) error
}

// A Pauser is a Relay that takes an operator's word on a destination.
type Pauser interface {
	// Pause has no attempt begin at a destination any more, or with resume has
	// them begin again. It returns when that is durable, or why it is not done.
	Pause(ctx context.Context, destination string, resume bool) error
}

// A Factory makes a relay on a machine: once for every process.
type Factory func(host seam.Host, cfg Config) (Relay, error)

// Options say how to run a scenario.
type Options struct {
	// MaxVirtual ends the run after that long; 0 is a day after two lifetimes of
	// what the plan submits last, and later by as long as the relay may be down
	// for crashes and failures without a time of their own, and as mail waits
	// for a clock that was set back.
	MaxVirtual time.Duration
	// Steps are added to the plan.
	Steps []scenarios.Step
	// Points asks for the moments at which the relay could be crashed.
	Points bool
	// SplitReads makes reads return less than there is, on all connections; those
	// of one server are the scenario's.
	SplitReads bool
	// AllowUnused makes faults that never fire no reason for NoVerdict.
	AllowUnused bool
	// RulesOnly leaves aside what the scenario expects beyond the rules: what
	// holds of the calm run need not with a crash more.
	RulesOnly bool
	// Brief leaves the facts out of the result when the status is OK; with
	// Unhashed also the hash, which takes time.
	Brief, Unhashed bool
	// Coverage asks what the run reached.
	Coverage bool
	// Until ends the run as soon as this rule is broken: for a search that wants
	// no more than that.
	Until spec.Rule
	// Observe is shown every fact when it happens. It must not block.
	Observe func(spec.Fact) `json:"-"`
	// Scratch is memory of the runs before this one; nil when it is alone.
	Scratch *Scratch `json:"-"`
}

// Scratch is memory that runs use one after another, so that each need not ask
// for its own. Nothing that one leaves there is seen by the next. The zero
// Scratch is empty.
type Scratch struct{ facts []spec.Fact }

// mostScratch is how many facts are kept room for: the few runs that have more
// are not to hold their memory for ever.
const mostScratch = 1 << 13

// lend returns room for facts, with none in it. It is the run's own: what is not
// given back stays in its result.
func (s *Scratch) lend() []spec.Fact {
	if s == nil || s.facts == nil {
		return make([]spec.Fact, 0, usualFacts)
	}
	facts := s.facts[:0]
	s.facts = nil
	return facts
}

// giveBack takes facts that nobody will look at any more.
func (s *Scratch) giveBack(facts []spec.Fact) {
	if s != nil && cap(facts) <= mostScratch {
		clear(facts)
		s.facts = facts
	}
}

// Run runs a scenario in a bubble of its own and returns what came of it. It
// fails t only when the world itself is at fault.
func Run(t *testing.T, sc *scenarios.Scenario, f Factory, o Options) *Result {
	began := time.Now()
	var w *world
	leak := bubble(t, func() {
		w = newWorld(sc, f, o)
		w.run()
	})
	if leak != "" && w.panicked == "" {
		w.panicked = leak
	}
	r := w.result()
	r.Real = time.Since(began)
	return r
}

// bubble runs f in a bubble. It returns what was left behind, empty for
// nothing: then the goroutines stay where they are for ever.
func bubble(t *testing.T, f func()) (leak string) {
	defer func() {
		if r := recover(); r != nil {
			leak = fmt.Sprintf("%v\n\n%s", r, leftovers())
		}
	}()
	synctest.Test(t, func(*testing.T) { f() })
	return ""
}

// leftovers returns the stacks of goroutines that stand in bubbles.
func leftovers() string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var found []string
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		if first, _, _ := strings.Cut(stack, "\n"); strings.Contains(first, "synctest bubble") {
			found = append(found, stack)
		}
	}
	const most = 20
	return strings.Join(found[:min(len(found), most)], "\n\n")
}

// run is the world's main goroutine.
func (w *world) run() {
	tasks := w.arrange()
	w.pause(0)
	w.mu.Lock()
	w.startRelay()
	w.mu.Unlock()
	w.carryOut(tasks)
	w.settle(w.horizon(tasks))
	w.finish()
}

// horizon is when the run ends at the latest.
func (w *world) horizon(tasks []task) time.Duration {
	if w.options.MaxVirtual > 0 {
		return w.options.MaxVirtual
	}
	last, back := time.Duration(0), time.Duration(0)
	for _, t := range tasks {
		last = max(last, t.step.At+t.step.Restart)
		back += max(0, -t.step.Jump)
	}
	for _, c := range w.crashes {
		if c.waits() {
			last += c.Restart
		}
	}
	for _, f := range w.fails {
		last += f.Restart
	}
	longest, life := longestInterval(w.scenario.Policy), time.Duration(0)
	for _, s := range w.scenario.Policy.Schedules() {
		life = max(life, s.Lifetime)
	}
	// Once the clock was set back, what is due in the future waits for the longest
	// interval, or twice that when it just seems right; only then is it new.
	// A report on what failed in the end has a lifetime of its own.
	lives := 2 * life // of mail and of its report
	if w.scenario.Policy.Postmaster != "" {
		lives += life // of the notice on that
	}
	return last + min(back, 2*longest) + lives + 24*time.Hour
}

// grace is how long nothing must happen before a run that has nothing left to
// do is over: longer than a relay waits that wrongly has an attempt in mind.
func (w *world) grace() time.Duration { return longestInterval(w.scenario.Policy) + time.Hour }

// longestInterval is the longest one between two attempts, wherever.
func longestInterval(p spec.Policy) time.Duration {
	longest := p.Longest("")
	for _, s := range p.Schedules() {
		longest = max(longest, s.Max)
	}
	return longest
}

// longestPause is how long at most the run goes on before it is looked at.
const longestPause = 2 * time.Hour

// settle waits until everything has finished, or the horizon.
func (w *world) settle(horizon time.Duration) {
	for pause := time.Second; w.now() < horizon && !w.stopped(); {
		lines, finished := w.progress()
		if finished {
			w.pause(w.grace())
			if now, still := w.progress(); still && now == lines {
				return
			}
			continue
		}
		w.pause(min(pause, horizon-w.now()))
		pause = min(2*pause, longestPause)
	}
}

// progress returns the length of the trace, and whether nothing is left to do.
func (w *world) progress() (lines int, finished bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit()
	return len(w.facts), w.busy == 0 && w.restart == nil && len(w.checker.Pending()) == 0
}

// stopTime is how long a relay may take to stop: the reply to a final dot is
// waited for, and more than one may be under way.
const stopTime = time.Hour

// finish stops the relay and takes the world down.
func (w *world) finish() {
	w.mu.Lock()
	p := w.relay
	w.restart = nil
	short := w.sought(w.violations)
	if (w.panicked != "" || short || w.ended != "") && p.alive() {
		p.kill(true)
	}
	p.stopping = true
	w.mu.Unlock()
	p.cancel()
	late := time.NewTimer(stopTime)
	select {
	case <-p.done:
	case <-late.C:
		w.mu.Lock()
		w.end(fmt.Sprintf("the relay did not stop within %.0fh", stopTime.Hours()))
		w.mu.Unlock()
	}
	late.Stop()
	w.mu.Lock()
	w.commit()
	if !short { // else nothing had its time
		w.add(spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactEnd})
		w.violations = append(w.violations, w.checker.Finish()...)
	}
	w.over = true
	if !p.dead {
		p.kill(true)
	}
	w.nature.kill(true)
	servers := w.network.hosts
	w.mu.Unlock()
	for _, h := range servers {
		if h.server != nil {
			_ = h.server.Close() // its connections are gone already
		}
	}
	synctest.Wait()
}

// result judges the run. The bubble is over, so nobody else looks.
func (w *world) result() *Result {
	if !w.options.RulesOnly {
		w.compare()
		w.compareTrace()
	}
	r := &Result{
		Scenario: w.scenario.Name, Began: spec.WallOf(w.start), Facts: w.facts, Lines: len(w.facts), Violations: w.violations,
		Points: w.marks.all, Store: w.ops.store.at, Lookups: w.ops.lookup.at, Dials: w.ops.dial.at,
		Licences: w.checker.Licences(), Fired: w.fired, Unused: w.unused(), Panic: w.panicked, Ended: w.ended,
	}
	if w.coverage != nil {
		r.Coverage = w.coverage.Coverage()
	}
	if len(w.facts) > 0 {
		r.Virtual = w.facts[len(w.facts)-1].At.Sub(r.Began)
	}
	if w.ended != "" {
		w.mismatches = append(w.mismatches, w.scenario.Name+": "+w.ended)
	}
	r.Mismatches = w.mismatches
	r.Status = w.verdict(r)
	if r.Status != OK || !w.options.Unhashed {
		r.Hash = hashOf(r.Trace())
	}
	if r.Status == OK && w.options.Brief {
		r.Facts = nil
		w.options.Scratch.giveBack(w.facts)
	}
	return r
}

// verdict is the outcome in one word. A rule that the scenario expects to be
// violated does not count.
func (w *world) verdict(r *Result) Status {
	expected, lenient := map[spec.Rule]bool{}, w.options.AllowUnused
	for _, e := range w.scenario.Expect {
		expected[spec.Rule(e.Violates)] = true
		lenient = lenient || e.Rules
	}
	stuck := false
	for _, v := range r.Violations {
		switch {
		case expected[v.Rule]:
		case v.Rule == spec.Progress:
			stuck = true
		default:
			return Safety
		}
	}
	switch {
	case r.Panic != "":
		return Crashed
	case stuck:
		return Progress
	case len(r.Mismatches) > 0:
		return Safety
	case len(r.Unused) > 0 && !lenient:
		return NoVerdict
	}
	return OK
}

// unused returns the rules of a host's script that never matched. Rules that
// only a clumsy relay meets do not count: those on a server to which nobody
// connects, limits that a relay should keep to, what it should not tear or missize,
// pipelining that was not offered, and commands that follow a dot unanswered.
func (h *host) unused() []fakesmtp.Rule {
	s, scripted := h.server.(*fakesmtp.Server)
	if !scripted {
		return nil
	}
	offered := slices.ContainsFunc(h.Script.Offer, func(e fakesmtp.Extension) bool { return strings.EqualFold(e.Keyword, "PIPELINING") })
	return slices.DeleteFunc(s.Unused(), func(r fakesmtp.Rule) bool {
		return r.OverRecipients+r.OverMessages+r.OverConnections > 0 || r.Parameters || r.Torn || r.Missized ||
			r.Pipelined && (!offered || r.Stage == spec.StageDot)
	})
}
