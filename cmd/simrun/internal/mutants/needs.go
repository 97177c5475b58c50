package mutants

import (
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// ofNeeds are wrong about what a message needs of a server.
func ofNeeds() []Mutant {
	return []Mutant{
		{"demands-utf8-for-nothing", "asks for SMTPUTF8 for a message that is all ASCII", spec.WireLawful, "utf8/ascii-after-all",
			needing(func(n spec.Needs) spec.Needs { return n | spec.NeedUTF8 })},
		{"forgets-utf8-headers", "does not store that a header has UTF-8", spec.WireLawful, "utf8/header",
			needing(func(n spec.Needs) spec.Needs { return n &^ spec.NeedUTF8 })},
		{"sends-utf8-anyway", "names an address beyond ASCII to a server without SMTPUTF8", spec.WireLawful, "utf8/not-offered",
			seamed(reads("250 8BITMIME\r\n", "250-SMTPUTF8\r\n250 8BITMIME\r\n"))},
		{"sends-8-bit-anyway", "sends 8-bit content to a server without 8BITMIME", spec.WireLawful, "eightbit/nowhere",
			seamed(reads("250 PIPELINING\r\n", "250-8BITMIME\r\n250 PIPELINING\r\n"))},
		{"forgets-requiretls", "does not store that the sender requires TLS", spec.WireLawful, "requiretls/never-in-clear",
			needing(func(n spec.Needs) spec.Needs { return n &^ spec.NeedTLS })},
		{"one-host-speaks-for-all", "gives up what one host has no room for, though another could not be asked", spec.RetryOnTime, "size/one-is-down",
			cored(settled(deferredIsTooLarge))},
	}
}

// needing is the relay with a core that is told of other needs.
func needing(change func(spec.Needs) spec.Needs) sim.Factory {
	return cored(told(func(e queue.Event) queue.Event {
		if s, ok := e.(queue.Submit); ok {
			s.Envelope.Needs = change(s.Envelope.Needs)
			return s
		}
		return e
	}))
}

// deferredIsTooLarge takes every deferral for what a host without room makes of it.
func deferredIsTooLarge(s *queue.Settle) {
	for i := range s.Results {
		if r := &s.Results[i]; r.Verdict == spec.Defer {
			r.Verdict, r.Trouble.Text = spec.FailRecipient, "5.3.4 message is too large"
		}
	}
}
