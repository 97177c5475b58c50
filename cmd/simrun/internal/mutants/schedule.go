package mutants

import (
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// ofSchedules come back at another time than is set for a destination or a cause.
func ofSchedules() []Mutant {
	return []Mutant{
		{"knows-one-schedule", "retries all mail alike, whatever is set for a destination", spec.RetryOnTime, "schedule/each-by-its-own",
			changed(func(p *spec.Policy) { p.ScheduleAt = nil })},
		{"knows-no-causes", "comes back by the schedule, though it was greylisted", spec.RetryOnTime, "schedule/greylisted-first",
			changed(func(p *spec.Policy) { p.Backoffs = spec.Backoffs{} })},
		{"hammers-greylisters", "comes back after the same short time however often it was greylisted", spec.RetryOnTime, "schedule/greylisted-first",
			changed(func(p *spec.Policy) { p.Backoffs[spec.CauseGreylisted].Max = p.Backoffs[spec.CauseGreylisted].First })},
		{"forgets-causes", "begins a back-off anew when it starts", spec.RetryOnTime, "schedule/greylisted-and-crash", cored(forgetsCauses)},
		{"full-is-busy", "asks a full mailbox as often as one that is busy for a moment", spec.RetryOnTime, "schedule/mailbox-full",
			changed(func(p *spec.Policy) { p.Backoffs[spec.CauseMailboxFull] = spec.Backoff{} })},
	}
}

// forgetsCauses does not know, when it reads a message, why it waits.
var forgetsCauses = read([]queue.LoadKind{queue.LoadGroups}, func(e *queue.Entry) {
	for i := range e.Recipients {
		e.Recipients[i].Setback = spec.Setback{}
	}
})
