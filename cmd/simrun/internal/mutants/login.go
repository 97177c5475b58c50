package mutants

import (
	"maps"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Relays that are wrong about logins.

// ofLogins are wrong about how they make themselves known.
func ofLogins() []Mutant {
	return []Mutant{
		{"bounces-on-535", "takes a login that is refused for mail that is refused", spec.RetryOnTime, "auth/password-changed", cored(refusedLoginFails(535))},
		{"bounces-on-530", "takes 530 for a refusal of the mail", spec.RetryOnTime, "auth/530-without-credentials", cored(refusedLoginFails(530))},
		{"sends-without-a-login", "sends mail where it has credentials, and does not say them", spec.WireLawful, "auth/plain",
			changed(func(p *spec.Policy) { p.Logins = nil })},
		{"logs-in-in-clear", "says credentials in clear, though nobody allows it", spec.WireLawful, "auth/not-in-clear",
			changed(logins(func(l *spec.Login) { l.Clear = true }))},
		{"logs-in-as-it-likes", "takes the strongest mechanism, whatever is allowed", spec.WireLawful, "auth/only-what-is-allowed",
			changed(logins(func(l *spec.Login) { l.Mechanisms = nil }))},
		{"raises-no-alarm", "tells nobody that a login is refused", spec.NothingLost, "auth/password-changed",
			seamed(alarmed(func(f spec.Fact, note func(spec.Fact)) {}))},
		{"cries-wolf", "tells of a login that is refused with every mail", spec.FairAndBounded, "auth/password-changed",
			seamed(alarmed(func(f spec.Fact, note func(spec.Fact)) { note(f); note(f) }))},
	}
}

// refusedLoginFails fails those whose login met a code.
func refusedLoginFails(code int) func(queue.StepFunc) queue.StepFunc {
	return settled(func(s *queue.Settle) {
		for i := range s.Results {
			if t := s.Results[i].Trouble; t.Stage == spec.StageAUTH && t.Reply.Code == code {
				s.Results[i].Verdict = spec.FailMessage
			}
		}
	})
}

// logins changes all logins of a policy.
func logins(change func(*spec.Login)) func(*spec.Policy) {
	return func(p *spec.Policy) {
		p.Logins = maps.Clone(p.Logins)
		for host, l := range p.Logins {
			change(&l)
			p.Logins[host] = l
		}
	}
}

// alarmed does something else with alarms than to raise them.
func alarmed(raise func(f spec.Fact, note func(spec.Fact))) func(*seam.Host) {
	return func(h *seam.Host) {
		note := h.Note
		h.Note = func(f spec.Fact) {
			if f.Kind == spec.FactAlarm {
				raise(f, note)
				return
			}
			note(f)
		}
	}
}
