package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// A world is one run, within one bubble.
type world struct {
	scenario *scenarios.Scenario
	factory  Factory
	options  Options

	// mu guards all that follows, and all state of network, DNS, disk and
	// processes. It is never held while anything waits.
	mu sync.Mutex
	clock
	// over is true when the run is judged; from then on nothing counts.
	over bool

	facts      []spec.Fact
	synced     *synced
	checker    *spec.Checker
	coverage   *coverage.Run // nil when nobody asks
	violations []spec.Violation
	mismatches []string
	fired      []string
	// ending is closed, and enough true, when the run is to end before its time.
	ending chan struct{}
	enough bool
	// ended says how the relay did not end well, panicked what of it panicked.
	ended, panicked string

	network network
	dns     dnsServer
	disk    disk
	// nature owns what is not the relay's: servers and submitters. It lives
	// until the end of the world.
	nature *process
	// relay is the latest process of the relay; processes counts them.
	relay     *process
	processes int
	// restart is when the relay starts again; nil when it is not to.
	restart *restart
	crashes []*crashStep
	fails   []*failStep
	ops     ops
	marks   marks
	mail    mailNames
	// reports are those that reached the server of senders.
	reports [][]byte
	// skew is how far the wall clock of the relay's machine is before the true
	// time.
	skew time.Duration
	// busy counts submissions and decisions under way.
	busy int
}

// usualFacts is how many facts a small world has.
const usualFacts = 96

// The most facts that a run may have, and operations of the relay's machine. A
// relay that makes more spins.
const maxFacts, maxOperations = 500_000, 500_000

func newWorld(sc *scenarios.Scenario, f Factory, o Options) *world {
	w := &world{
		scenario: sc, factory: f, options: o, clock: newClock(), checker: spec.NewChecker(sc.Policy),
		ending: make(chan struct{}), facts: o.Scratch.lend(), marks: marks{on: o.Points},
	}
	if o.Coverage {
		w.coverage = coverage.NewRun()
	}
	w.nature = &process{world: w, gone: make(chan struct{}), void: never}
	w.network = newNetwork(w)
	w.dns = newDNS(w)
	w.disk = newDisk(w)
	w.mail = newMailNames(sc)
	return w
}

// stream returns a random stream of this world.
func (w *world) stream(name string) *rand.Rand { return stream(w.scenario.Seed, name) }

// note is record for those who do not hold the lock.
func (w *world) note(p *process, facts ...spec.Fact) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.record(p, facts...)
}

// record adds the facts of one event to the trace: every line goes through
// here. A crash that waits for one of them happens just before or just after
// all of them, for what one event brings about happens together.
//
// The facts of a process of the relay, and of its disk, come with that
// process: they do not count when it is dead, and have not happened when it
// dies just before. What servers do goes on all the same: there a crash
// "before" only precedes the line. record reports whether the process lives.
func (w *world) record(p *process, facts ...spec.Fact) bool {
	if w.over || p.dead {
		return false
	}
	if w.marks.on {
		w.mark(len(w.facts)+w.unwritten()+1, 0, false)
	}
	before, after := w.awaited(facts)
	if before != nil {
		w.crashBefore(before, facts[0])
		if p.dead {
			return false
		}
	}
	w.commit()
	for i := range facts {
		w.addAt(w.wall(), &facts[i])
	}
	if w.marks.on {
		w.mark(len(w.facts), 0, true)
	}
	if after != nil {
		w.crash(after)
	}
	return !p.dead
}

// unwritten counts the lines that the latest sync still has to write.
func (w *world) unwritten() int {
	if w.synced == nil {
		return 0
	}
	return len(w.synced.facts)
}

// A synced is a batch that has just become durable, and what that makes true.
// It is written into the trace when the next fact is, so that a crash just
// before the relay says "this is durable" can come before that is so.
type synced struct {
	at    spec.Wall
	facts []spec.Fact
	// batches is how many pending batches it makes durable.
	batches int
}

// sync is record for the first n pending batches of the disk.
func (w *world) sync(p *process, n int) {
	if w.over || p.dead {
		return
	}
	w.commit()
	w.marks.changed()
	facts := w.disk.changes(n)
	before, after := w.awaited(facts)
	if before != nil {
		w.crash(before)
		return
	}
	w.synced = &synced{w.wall(), facts, n}
	if after != nil {
		w.crash(after)
	}
}

// commit writes the latest sync into the trace, if it is not yet there.
func (w *world) commit() {
	s := w.synced
	if s == nil {
		return
	}
	w.synced = nil
	w.disk.settle(s.batches)
	for i := range s.facts {
		w.addAt(s.at, &s.facts[i])
	}
}

// add adds a line to the trace, at the present time.
func (w *world) add(f spec.Fact) { w.addAt(w.wall(), &f) }

// addAt adds a line to the trace and shows it to the checker.
func (w *world) addAt(at spec.Wall, f *spec.Fact) {
	if len(w.facts) >= maxFacts {
		w.end(fmt.Sprintf("the run has more than %d facts: the relay spins", maxFacts))
		return
	}
	f.At = at
	w.facts = append(w.facts, *f)
	w.marks.told(f)
	found := w.checker.Observe(*f)
	w.violations = append(w.violations, found...)
	if w.sought(found) {
		w.cease()
	}
	if w.coverage != nil {
		w.coverage.Observe(f)
	}
	switch f.Kind {
	case spec.FactQueued:
		w.mail.stored(f)
	case spec.FactFault:
		where := f.Host
		if where == "" {
			where = string(f.Queue)
		}
		if where != "" {
			where += ": "
		}
		w.fire(where + f.Text)
	}
	if w.options.Observe != nil {
		w.options.Observe(*f)
	}
}

// sought reports whether the rule is broken that the run is for.
func (w *world) sought(found []spec.Violation) bool {
	until := w.options.Until
	return until != "" && slices.ContainsFunc(found, func(v spec.Violation) bool { return v.Rule == until })
}

// fire notes that a fault happened.
func (w *world) fire(what string) {
	if !slices.Contains(w.fired, what) {
		w.fired = append(w.fired, what)
	}
}

// mismatch notes what is not as the scenario says at a line of its file.
func (w *world) mismatch(line int, format string, args ...any) {
	w.mismatches = append(w.mismatches, w.at(line)+fmt.Sprintf(format, args...))
}

// at names a line of the scenario's file.
func (w *world) at(line int) string { return fmt.Sprintf("%s:%d: ", w.scenario.Name, line) }

// end asks the run to end before its time, because the relay does not end well.
// What it does after a panic says no more.
func (w *world) end(why string) {
	if w.ended == "" && w.panicked == "" {
		w.ended = why
	}
	w.cease()
}

// cease asks the run to end before its time.
func (w *world) cease() {
	if !w.enough {
		w.enough = true
		close(w.ending)
	}
}

// RelayAddr is where a relay must listen for submissions.
const RelayAddr = "198.51.100.1:25"

// The addresses of the world's own machines.
var (
	relayIP     = netip.MustParseAddr("198.51.100.1")
	relayNet    = netip.MustParsePrefix("198.51.100.0/24") // of which the machine has every address
	submitterIP = netip.MustParseAddr("198.51.100.2")
	mailboxIP   = netip.MustParseAddr("203.0.113.25")
)
