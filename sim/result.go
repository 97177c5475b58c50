package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// A Result is what came of a run.
type Result struct {
	// Scenario is the scenario's name.
	Scenario string
	Status   Status
	// Began is when the world began: what "t+0" means.
	Began spec.Wall
	// Facts are the lines of the trace. Options.Brief leaves them out when
	// the status is OK.
	Facts []spec.Fact
	// Hash is the SHA-256 of the trace in hex: equal for equal runs.
	Hash string
	// Lines counts the lines of the trace.
	Lines int
	// Points are the moments at which the relay could have been crashed, if
	// Options.Points asked for them.
	Points []Point `json:",omitempty"`
	// Store, Lookups and Dials are when the relay's operations of those kinds
	// were, since the start of the world, if Options.Points asked for them.
	Store, Lookups, Dials []time.Duration `json:",omitempty"`
	// Violations are the rules broken, as the checker found them.
	Violations []spec.Violation
	// Mismatches are the expectations that did not come true, each a sentence
	// that begins with file and line.
	Mismatches []string
	// Licences are the doubt windows that allowed a second acceptance.
	Licences []spec.Licence
	// Fired are the faults that happened, Unused those of the scenario that
	// did not. A fault that never fired proves nothing.
	Fired, Unused []string
	// Coverage is what the run reached; nil unless Options.Coverage asks.
	Coverage *coverage.Coverage `json:",omitempty"`
	// Virtual is how long the run took in the world, Real outside of it.
	Virtual, Real time.Duration
	// Panic tells of a panic or of goroutines left behind, with stacks.
	Panic string
	// Ended says how the relay did not end well otherwise: it spun, ended by
	// itself, or did not stop. Empty is well. It is among the Mismatches, too.
	Ended string `json:",omitempty"`
}

// EndedBadly reports whether the relay panicked, left goroutines behind, spun,
// ended by itself, or did not stop.
func (r *Result) EndedBadly() bool { return r.Status == Crashed || r.Ended != "" }

// Trace returns the trace, one fact a line.
func (r *Result) Trace() []byte { return traceOf(r.Facts) }

func traceOf(facts []spec.Fact) []byte {
	b := make([]byte, 0, 200*len(facts))
	for i := range facts {
		b = append(facts[i].Append(b), '\n')
	}
	return b
}

func hashOf(trace []byte) string {
	sum := sha256.Sum256(trace)
	return hex.EncodeToString(sum[:])
}

// Diverges says where two runs of the same scenario first differ, which should
// have been the same; empty when they do not.
func Diverges(a, b *Result) string {
	if a.Hash == b.Hash {
		return ""
	}
	first, second := bytes.Split(a.Trace(), []byte("\n")), bytes.Split(b.Trace(), []byte("\n"))
	for i := range min(len(first), len(second)) {
		if !bytes.Equal(first[i], second[i]) {
			return fmt.Sprintf("line %d is\n\t%s\nin one run and\n\t%s\nin the other", i+1, first[i], second[i])
		}
	}
	return fmt.Sprintf("one run has %d lines and the other %d", a.Lines, b.Lines)
}
