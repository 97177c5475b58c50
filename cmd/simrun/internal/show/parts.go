package show

import (
	"slices"
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// Telling picks the facts of the run that a story is made of.
func (r Run) Telling() []spec.Fact {
	if r.Result == nil {
		return nil
	}
	return telling(r.Result.Facts)
}

// Messages says what became of each message, as the checker sees it.
func (r Run) Messages() []spec.MessageSummary {
	if r.Result == nil {
		return nil
	}
	return fates(r)
}

// Count says how many facts of a kind the run had.
func (r Run) Count(kind spec.FactKind) int { return r.count(kind) }

// Placed gives texts that begin with the scenario's name that of its file.
func (r Run) Placed(texts []string) []string { return placed(r, texts) }

// Fate says in a line, without colour, what became of one recipient.
func Fate(r spec.RecipientSummary) string { return fate(Paint{}, r) }

// Remarks says what is remarkable about a message, in brackets; mostly nothing.
func Remarks(m spec.MessageSummary) string { return remarks(m) }

// Sign is the mark of a status: one character.
func Sign(s sim.Status) string { return sign(s) }

// Span writes a duration in two units at most.
func Span(d time.Duration) string { return span(d) }

// Number writes a count with its noun.
func Number(n int, noun string) string { return number(n, noun) }

// Stacks shortens the stacks of a panic to what a person wants to see.
func Stacks(text string) string { return stacks(text) }

// Gravest orders violations by their rules, the gravest first, and parts the
// first of each rule, which are told in full, from the others, which are
// mostly echoes of them.
func Gravest(all []spec.Violation) (first, others []spec.Violation) {
	order := spec.Rules()
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b spec.Violation) int { return slices.Index(order, a.Rule) - slices.Index(order, b.Rule) })
	told := map[spec.Rule]bool{}
	for _, v := range all {
		if told[v.Rule] || len(told) == mostViolations {
			others = append(others, v)
			continue
		}
		told[v.Rule] = true
		first = append(first, v)
	}
	return first, others
}

// Caption says in a line what the page of a run shows. The relay is empty when
// the run is a trace that does not name it.
func Caption(r Run) string {
	text := r.Scenario.Name + " " + Verdict(r.Status())
	if r.Relay != "" {
		text = Heading(r) + " " + Verdict(r.Status())
	}
	if r.Result == nil {
		return text
	}
	text += ": " + number(r.Result.Lines, "fact") + ", " + span(r.Lasted()) + " of virtual time"
	if n := r.count(spec.FactCrash); n > 0 {
		text += ", " + number(n, "crash")
	}
	if n := len(r.Result.Violations); n > 0 {
		text += ", " + number(n, "violation")
	}
	return text + "; open it in a browser"
}
