package sim

import "fmt"

// A Status is the outcome of a run in one word; its value is the exit status
// of a command that ends with it.
type Status int

// The outcomes.
const (
	// OK: all rules held and all expectations came true.
	OK Status = iota
	// Usage: the run could not be begun: the scenario or the factory is wrong.
	Usage
	// Safety: a rule was broken, or an expectation did not come true.
	Safety
	// Progress: nothing wrong happened, but something did not finish.
	Progress
	// Nondeterministic: the same scenario ran differently.
	Nondeterministic
	// Crashed: the relay panicked, left goroutines behind, or took the worker
	// process with it.
	Crashed
	// NoVerdict: all went well, but a fault of the scenario never fired, or
	// the run grew beyond all bounds; so it proves nothing.
	NoVerdict
)

var statusNames = [...]string{
	OK: "ok", Usage: "usage", Safety: "safety", Progress: "progress", Nondeterministic: "nondeterministic",
	Crashed: "crashed", NoVerdict: "no-verdict",
}

// String returns the status as one word.
func (s Status) String() string {
	if s >= OK && s <= NoVerdict {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", int(s))
}
