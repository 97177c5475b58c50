package mutants

import (
	"slices"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// namesNullSender takes "no sender" for one that is still to be filled in.
var namesNullSender = told(func(e queue.Event) queue.Event {
	if s, ok := e.(queue.Submit); ok && s.Envelope.Sender == "" {
		s.Envelope.Sender = "bounces@example.org"
		return s
	}
	return e
})

// keepsUntold says nothing where it tells nobody.
func keepsUntold(step queue.StepFunc) queue.StepFunc {
	return func(now spec.Instant, e queue.Event) []queue.Action {
		return slices.DeleteFunc(slices.Clone(step(now, e)), func(a queue.Action) bool {
			n, ok := a.(queue.Note)
			return ok && n.Fact.Kind == spec.FactUntold
		})
	}
}
