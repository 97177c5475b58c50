package mutants

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// ofLoad are wrong about what a destination can take.
func ofLoad() []Mutant {
	return []Mutant{
		{"hammers-the-dead", "never takes a destination for dead", spec.FairAndBounded, "fair/dead-new-mail",
			changed(func(p *spec.Policy) { p.Limits.DeadAfter = 0 })},
		{"kills-at-once", "takes a destination for dead after one attempt that failed", spec.RetryOnTime, "fair/dead-dns",
			changed(func(p *spec.Policy) { p.Limits.DeadAfter = 1 })},
		{"takes-greylisting-for-death", "takes a destination for dead whose server refuses recipients for now", spec.RetryOnTime, "fair/dead-not-for-refusals",
			cored(refusalIsSilence)},
		{"insists-on-its-password", "asks a smart host with each mail that comes, though it has refused the login", spec.FairAndBounded, "auth/left-alone",
			cored(insists)},
		{"leaves-the-dead-alone", "does not wake up for a destination that was dead", spec.FairAndBounded, "fair/dead-new-mail", cored(leavesTheDead)},
		{"one-probe-opens-all", "lets all go when the first attempt after a dead time has failed", spec.FairAndBounded, "fair/dead-one-probe", cored(probeOpens)},
		{"does-not-shrink", "makes as many deliveries at once as before where attempts reach nobody", spec.FairAndBounded, "fair/shrinks", cored(unmoved)},
		{"begins-with-all", "begins with as many deliveries at once as it may ever have", spec.FairAndBounded, "fair/grows",
			changed(func(p *spec.Policy) { p.Limits.FirstPerDestination = p.Limits.DeliveriesPerDestination })},
		{"knows-no-pace", "ignores how many deliveries may begin in a minute", spec.FairAndBounded, "fair/pace",
			changed(func(p *spec.Policy) { p.Limits.PerMinute = 0 })},
		{"knows-no-jitter", "has what failed together tried together", spec.RetryOnTime, "fair/jitter",
			changed(func(p *spec.Policy) { p.Schedule.Jitter = 0 })},
		{"first-come-first-served", "serves what waits at a destination in the order of its time, whoever sent it", spec.FairAndBounded,
			"fair/senders-take-turns", cored(knowsNoSenders)},
		{"one-sender-per-address", "takes each address of a mailing list for a sender of its own", spec.FairAndBounded,
			"fair/senders-verp", cored(believesAddresses)},
	}
}

// knowsNoSenders has all mail wait in one lane.
func knowsNoSenders(step queue.StepFunc) queue.StepFunc {
	return renamed(step, func(string) string { return "everybody@example.org" })
}

// believesAddresses has mail wait in the lane of its sender's whole address.
func believesAddresses(step queue.StepFunc) queue.StepFunc {
	return renamed(step, func(sender string) string {
		return strings.NewReplacer("+", "_", "=", "_", "-", "_").Replace(sender)
	})
}

// renamed is a core that is told of other senders than those that there are; what it
// says of them is put right.
func renamed(step queue.StepFunc, name func(sender string) string) queue.StepFunc {
	senders := map[spec.QueueID]string{}
	return func(now spec.Instant, e queue.Event) []queue.Action {
		if s, ok := e.(queue.Submit); ok && s.Envelope.Sender != "" {
			senders[s.ID] = s.Envelope.Sender
			s.Envelope.Sender = name(s.Envelope.Sender)
			e = s
		}
		actions := slices.Clone(step(now, e))
		for i, a := range actions {
			switch a := a.(type) {
			case queue.Begin:
				a.Sender = cmp.Or(senders[a.ID], a.Sender)
				actions[i] = a
			case queue.Note:
				if a.Fact.Kind == spec.FactQueued {
					a.Fact.From = cmp.Or(senders[a.Fact.Queue], a.Fact.From)
					actions[i] = a
				}
			}
		}
		return actions
	}
}

// reaching is a core that is told of other results of an attempt that reached no
// server, or of one that did.
func reaching(change func(*queue.Result)) func(queue.StepFunc) queue.StepFunc {
	return settled(func(s *queue.Settle) {
		for i := range s.Results {
			change(&s.Results[i])
		}
	})
}

// unmoved takes every attempt for one that has reached a server.
var unmoved = reaching(func(r *queue.Result) { r.Unreached = false })

// insists takes a server that refuses the login for one that has taken something.
var insists = reaching(func(r *queue.Result) { r.Unreached = r.Unreached && r.Trouble.Stage != spec.StageAUTH })

// refusalIsSilence takes a refusal of all recipients for now for a server that was
// not there, as soon as it hears of it.
var refusalIsSilence = settled(func(s *queue.Settle) {
	other := func(r queue.Result) bool { return r.Verdict != spec.Defer }
	if len(s.Results) == 0 || slices.ContainsFunc(s.Results, other) {
		return
	}
	s.Last = true
	for i := range s.Results {
		s.Results[i].Unreached = true
	}
})

// puttingOff calls f with each destination for which mail is put off.
func puttingOff(step queue.StepFunc, f func(dest string)) queue.StepFunc {
	return func(now spec.Instant, e queue.Event) []queue.Action {
		actions := step(now, e)
		for _, a := range actions {
			if n, ok := a.(queue.Note); ok && n.Fact.Kind == spec.FactPutOff {
				f(n.Fact.Dest)
			}
		}
		return actions
	}
}

// leavesTheDead sets no timer any more when it has put off mail.
func leavesTheDead(step queue.StepFunc) queue.StepFunc {
	left := false
	watched := puttingOff(step, func(string) { left = true })
	return func(now spec.Instant, e queue.Event) []queue.Action {
		actions := slices.Clone(watched(now, e))
		return slices.DeleteFunc(actions, func(a queue.Action) bool {
			_, timer := a.(queue.WakeAt)
			return left && timer
		})
	}
}

// probeOpens takes an attempt that reaches nobody for one that did, once mail was
// put off.
func probeOpens(step queue.StepFunc) queue.StepFunc {
	dead := false
	return reaching(func(r *queue.Result) { r.Unreached = r.Unreached && !dead })(puttingOff(step, func(string) { dead = true }))
}
