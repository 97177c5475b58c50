package show

import (
	"cmp"
	"strings"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Run is one scenario with what came of it.
type Run struct {
	Scenario *scenarios.Scenario
	// File is the scenario's file, as a path in the repository for one of the
	// library.
	File string
	// Relay is the name of the relay that ran.
	Relay string
	// Program is how a person starts simrun; empty is Command.
	Program string
	// Replay is what follows "simrun replay" to run it again.
	Replay string
	// Broken is why the file could not be read; there is no result then.
	Broken error
	// Result is nil when there was no time to run it, or when it is not to be run.
	Result *sim.Result
}

// Status is how the run ended; a run that did not take place has no verdict.
func (r Run) Status() sim.Status {
	switch {
	case r.Broken != nil:
		return sim.Usage
	case r.Result == nil:
		return sim.NoVerdict
	}
	return r.Result.Status
}

// missing reports whether there was no time to run it.
func (r Run) missing() bool { return r.Result == nil && r.Broken == nil && !r.Waits() }

// Waits reports whether it is not to be run, since its scenario needs what the
// relay does not have yet.
func (r Run) Waits() bool {
	return r.Broken == nil && r.Scenario != nil && len(r.Scenario.NotYet()) > 0
}

// NotYet says what a run waits for: words of "needs:".
func NotYet(s *scenarios.Scenario) string { return strings.Join(s.NotYet(), ", ") }

// again is the command that tells the run as a story.
func (r Run) again() string { return cmp.Or(r.Program, Command) + " replay " + r.Replay }

// replayHint is the line that says how to see the run again.
func replayHint(r Run) string { return "replay it: " + r.again() + "   (-v prints its trace)" }

// Theme is the directory part of the scenario's name.
func (r Run) Theme() string {
	theme, _ := Split(r.Scenario.Name)
	return theme
}

// Split parts the name of a scenario into its theme and what is left.
func Split(name string) (theme, rest string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}

// count says how many facts of a kind the run had.
func (r Run) count(kind spec.FactKind) int {
	n := 0
	if r.Result != nil {
		for i := range r.Result.Facts {
			if r.Result.Facts[i].Kind == kind {
				n++
			}
		}
	}
	return n
}

// Lasted is how long the story took: until the last thing happened, without
// the time in which the world waits to see that nothing more does.
func (r Run) Lasted() time.Duration {
	if r.Result == nil {
		return 0
	}
	facts := r.Result.Facts
	for len(facts) > 0 && atEnd(facts[len(facts)-1]) {
		facts = facts[:len(facts)-1]
	}
	if len(facts) == 0 {
		return r.Result.Virtual
	}
	return facts[len(facts)-1].At.Sub(r.Result.Began)
}

// atEnd reports whether a fact at the end of a trace is about taking the world
// down.
func atEnd(f spec.Fact) bool { return f.Kind == spec.FactEnd || f.Kind == spec.FactStop }

// Worst returns the status that a command ends with after several runs: what
// was proved wrong outweighs what could not be proved. What waits for the relay
// is no verdict on the others; when nothing else was asked for, there is none.
func Worst(runs []Run) sim.Status {
	worst, waiting := sim.OK, 0
	for _, r := range runs {
		if r.Waits() {
			waiting++
			continue
		}
		worst = Worse(worst, r.Status())
	}
	if waiting > 0 && waiting == len(runs) {
		return sim.NoVerdict
	}
	return worst
}

// Worse returns the graver of two statuses.
func Worse(a, b sim.Status) sim.Status {
	if gravity(b) > gravity(a) {
		return b
	}
	return a
}

// gravity orders statuses; a safety violation is the gravest.
func gravity(s sim.Status) int {
	for i, t := range [...]sim.Status{sim.OK, sim.NoVerdict, sim.Usage, sim.Nondeterministic, sim.Progress, sim.Crashed, sim.Safety} {
		if s == t {
			return i
		}
	}
	return -1
}

// Verdict says what a status means, for a person.
func Verdict(s sim.Status) string {
	switch s {
	case sim.OK:
		return "holds"
	case sim.Usage:
		return "could not be run"
	case sim.Safety:
		return "does not hold"
	case sim.Progress:
		return "does not finish"
	case sim.Nondeterministic:
		return "is not deterministic"
	case sim.Crashed:
		return "crashes"
	case sim.NoVerdict:
		return "has no verdict"
	}
	return s.String()
}
