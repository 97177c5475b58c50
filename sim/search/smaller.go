package search

import (
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// dropSteps leaves out steps of the plan, and recipients.
func dropSteps(sc *scenarios.Scenario) []change {
	var all []change
	for i, s := range sc.Plan {
		for j := range s.Recipients {
			all = append(all, func(sc *scenarios.Scenario) bool {
				if i >= len(sc.Plan) || j >= len(sc.Plan[i].Recipients) || len(sc.Plan[i].Recipients) < 2 {
					return false
				}
				gone := sc.Plan[i].Recipients[j]
				sc.Plan[i].DropRecipient(j)
				still := slices.ContainsFunc(sc.Plan[i].Recipients, func(to string) bool { return scenarios.SameMailbox(to, gone) })
				if sc.Plan[i].Kind == scenarios.StepSubmit && !still {
					dropOrders(sc, sc.Plan[i].Message, gone)
				}
				return true
			})
		}
		all = append(all, func(sc *scenarios.Scenario) bool {
			if i >= len(sc.Plan) {
				return false
			}
			name := sc.Plan[i].Message
			gone := sc.Plan[i].Kind == scenarios.StepSubmit
			sc.Plan = slices.Delete(sc.Plan, i, i+1)
			if gone { // with all that is said of the message
				sc.Plan = slices.DeleteFunc(sc.Plan, func(s scenarios.Step) bool { return s.Message == name || s.When.Message == name })
				sc.Messages = slices.DeleteFunc(sc.Messages, func(m scenarios.Message) bool { return m.Name == name })
			}
			return true
		})
	}
	return all
}

// dropOrders leaves out what an operator says of a recipient who is none any
// more.
func dropOrders(sc *scenarios.Scenario, message, recipient string) {
	sc.Plan = slices.DeleteFunc(sc.Plan, func(s scenarios.Step) bool {
		return s.Order() != "" && s.Message == message && len(s.Recipients) == 1 && s.Recipients[0] == recipient
	})
	for i := range sc.Plan {
		if s := &sc.Plan[i]; s.Order() != "" && s.Message == message {
			s.Recipients = slices.DeleteFunc(s.Recipients, func(to string) bool { return to == recipient })
		}
	}
}

// dropPlaces leaves out servers with all that is said of them, and domains.
func dropPlaces(sc *scenarios.Scenario) []change {
	var all []change
	for _, s := range sc.Servers {
		all = append(all, func(sc *scenarios.Scenario) bool {
			before := len(sc.Servers)
			sc.Servers = slices.DeleteFunc(sc.Servers, func(x scenarios.Server) bool { return x.Name == s.Name })
			sc.DNS = slices.DeleteFunc(sc.DNS, func(r scenarios.Record) bool { return r.Name == s.Name+"." || r.Value == s.Name+"." })
			sc.Plan = slices.DeleteFunc(sc.Plan, func(x scenarios.Step) bool { return x.Host == s.Name || x.When.Host == s.Name })
			return len(sc.Servers) < before
		})
	}
	return all
}

// dropRules leaves out what servers are told, and parts of it.
func dropRules(sc *scenarios.Scenario) []change {
	var all []change
	for i, s := range sc.Servers {
		at := func(change func(s *scenarios.Server) bool) {
			all = append(all, func(sc *scenarios.Scenario) bool { return i < len(sc.Servers) && change(&sc.Servers[i]) })
		}
		at(func(s *scenarios.Server) bool { had := s.Network != ""; s.Network, s.NetworkUntil = "", 0; return had })
		at(func(s *scenarios.Server) bool { return reset(&s.NetworkUntil, 0) })
		at(func(s *scenarios.Server) bool { return reset(&s.SplitReads, false) })
		at(func(s *scenarios.Server) bool {
			had := s.Peer
			s.Peer, s.Script = false, &fakesmtp.Script{Offer: fakesmtp.DefaultOffer()}
			return had
		})
		if s.Script == nil {
			continue
		}
		at(offersUsual)
		at(offersNo("CHUNKING"))
		at(offersNo("LIMITS"))
		at(func(s *scenarios.Server) bool { return s.Script != nil && dropAuth(s.Script) })
		at(func(s *scenarios.Server) bool {
			had := s.Script != nil && len(s.Script.Personas) > 0
			if had {
				s.Script.Personas = nil
			}
			return had
		})
		for k := range s.Script.Rules {
			rule := func(change func(s *fakesmtp.Script, r *fakesmtp.Rule) bool) {
				at(func(s *scenarios.Server) bool {
					return s.Script != nil && k < len(s.Script.Rules) && change(s.Script, &s.Script.Rules[k])
				})
			}
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.To, "") })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.From, "") })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool {
				had := r.Connection + r.Attempt + r.OverRecipients + r.OverMessages + r.OverConnections
				r.Connection, r.Attempt, r.OverRecipients, r.OverMessages, r.OverConnections = 0, 0, 0, 0, 0
				return had > 0
			})
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.Parameters, false) })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.Pipelined, false) })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.First, 0) })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return r.First > 1 && reset(&r.First, 1) })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool { return reset(&r.Nth, 0) })
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool {
				had := r.After > 0 || r.Until > 0
				r.After, r.Until = 0, 0
				return had
			})
			rule(func(_ *fakesmtp.Script, r *fakesmtp.Rule) bool {
				if len(r.Actions) < 2 {
					return false
				}
				if r.Stage == spec.StageIdle { // its delay alone would be nothing
					r.Actions = r.Actions[1:]
					return true
				}
				r.Actions = r.Actions[:len(r.Actions)-1]
				return true
			})
			rule(func(s *fakesmtp.Script, _ *fakesmtp.Rule) bool { s.Rules = slices.Delete(s.Rules, k, k+1); return true })
		}
	}
	return all
}

// offersUsual has a server offer what it offers unless told.
func offersUsual(s *scenarios.Server) bool {
	if s.Script == nil || slices.Equal(s.Script.Offer, fakesmtp.DefaultOffer()) {
		return false
	}
	s.Script.Offer = fakesmtp.DefaultOffer()
	return true
}

// dropRecords leaves out lines of the DNS.
func dropRecords(sc *scenarios.Scenario) []change {
	var all []change
	for i := range sc.DNS {
		at := func(change func(r *scenarios.Record) bool) {
			all = append(all, func(sc *scenarios.Scenario) bool { return i < len(sc.DNS) && change(&sc.DNS[i]) })
		}
		at(func(r *scenarios.Record) bool {
			had := r.First > 0 || r.From > 0 || r.Until > 0
			r.First, r.From, r.Until = 0, 0, 0
			return had
		})
		all = append(all, func(sc *scenarios.Scenario) bool {
			if i >= len(sc.DNS) {
				return false
			}
			sc.DNS = slices.Delete(sc.DNS, i, i+1)
			return true
		})
	}
	return all
}

// reset sets a value, and reports whether it was another.
func reset[T comparable](p *T, to T) bool {
	had := *p != to
	*p = to
	return had
}

// unrouted removes one of the settings that name hosts, of which there are n, and
// the logins at those to which no mail goes then.
func unrouted[T any](p *spec.Policy, hosts *T, n int) bool {
	var none T
	*hosts = none
	dropStrangers(p)
	return n > 0
}

// plainPolicy makes settings the default.
func plainPolicy(*scenarios.Scenario) []change {
	d := scenarios.DefaultPolicy()
	return []change{
		func(sc *scenarios.Scenario) bool { return reset(&sc.Seed, scenarios.DefaultSeed) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.InDoubt, d.InDoubt) },
		func(sc *scenarios.Scenario) bool { return emptied(&sc.Policy.InDoubtAt) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.TLS, d.TLS) },
		func(sc *scenarios.Scenario) bool { return emptied(&sc.Policy.TLSAt) },
		func(sc *scenarios.Scenario) bool { return emptied(&sc.Policy.Source) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Chunking, d.Chunking) },
		func(sc *scenarios.Scenario) bool {
			had := len(sc.Policy.ChunkingAt) > 0
			sc.Policy.ChunkingAt = nil
			return had
		},
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits.ChunkBytes, d.Limits.ChunkBytes) },
		func(sc *scenarios.Scenario) bool {
			return unrouted(&sc.Policy, &sc.Policy.Relays, len(sc.Policy.Relays))
		},
		func(sc *scenarios.Scenario) bool {
			return unrouted(&sc.Policy, &sc.Policy.Fallback, len(sc.Policy.Fallback))
		},
		func(sc *scenarios.Scenario) bool {
			return unrouted(&sc.Policy, &sc.Policy.Routes, len(sc.Policy.Routes))
		},
		func(sc *scenarios.Scenario) bool {
			had := len(sc.Policy.Logins) > 0
			sc.Policy.Logins = nil
			return had
		},
		func(sc *scenarios.Scenario) bool {
			return unrouted(&sc.Policy, &sc.Policy.SenderRoutes, len(sc.Policy.SenderRoutes))
		},
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.PreferIPv6, false) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.PrivateIntake, false) },
		func(sc *scenarios.Scenario) bool {
			had := len(sc.Messages) > 0
			sc.Messages = nil
			return had
		},
		func(sc *scenarios.Scenario) bool {
			had := false
			for i := range sc.DNS {
				had = reset(&sc.DNS[i].TTL, 0) || had
			}
			return had
		},
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Port, d.Port) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.DelayWarning, d.DelayWarning) },
		oneSchedule,
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Postmaster, d.Postmaster) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Schedule, d.Schedule) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Schedule.Lifetime, d.Schedule.Lifetime) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Timeouts, d.Timeouts) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Reuse, d.Reuse) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits, d.Limits) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits.Deliveries, d.Limits.Deliveries) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits.WindowGroups, d.Limits.WindowGroups) },
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits.DeadAfter, d.Limits.DeadAfter) },
		func(sc *scenarios.Scenario) bool {
			return reset(&sc.Policy.Limits.FirstPerDestination, d.Limits.FirstPerDestination)
		},
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Limits.PerMinute, d.Limits.PerMinute) },
		func(sc *scenarios.Scenario) bool {
			return reset(&sc.Policy.Limits.ReportsPerHour, d.Limits.ReportsPerHour)
		},
		func(sc *scenarios.Scenario) bool { return reset(&sc.Policy.Schedule.Jitter, d.Schedule.Jitter) },
	}
}

// plainSteps makes steps of the plan simple, and their times round.
func plainSteps(sc *scenarios.Scenario) []change {
	var all []change
	for i := range sc.Plan {
		at := func(change func(s *scenarios.Step) bool) {
			all = append(all, func(sc *scenarios.Scenario) bool { return i < len(sc.Plan) && change(&sc.Plan[i]) })
		}
		at(func(s *scenarios.Step) bool { return reset(&s.At, 0) })
		at(func(s *scenarios.Step) bool {
			return s.At%time.Hour != 0 && reset(&s.At, s.At.Truncate(time.Hour)+time.Hour)
		})
		at(func(s *scenarios.Step) bool { return reset(&s.At, s.At.Truncate(time.Minute)) })
		at(func(s *scenarios.Step) bool {
			return s.Jump.Abs() > 24*time.Hour && reset(&s.Jump, s.Jump/s.Jump.Abs()*24*time.Hour)
		})
		at(func(s *scenarios.Step) bool {
			return s.Jump.Abs() > time.Hour && reset(&s.Jump, s.Jump/s.Jump.Abs()*time.Hour)
		})
		at(func(s *scenarios.Step) bool {
			had := s.Order() != "" && len(s.Recipients) > 0
			if had {
				s.Recipients = nil // all
			}
			return had
		})
		at(func(s *scenarios.Step) bool { return reset(&s.Refused, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.Size, 0) })
		at(func(s *scenarios.Step) bool { return reset(&s.EightBit, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.UTF8, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.RequireTLS, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.Tracking, spec.Tracking{}) })
		at(func(s *scenarios.Step) bool {
			had := s.Asked != nil
			s.Asked = nil
			return had
		})
		at(func(s *scenarios.Step) bool { return reset(&s.Silent, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.Keep, "") })
		at(func(s *scenarios.Step) bool { return s.Keep == "some" && reset(&s.Keep, "all") })
		at(func(s *scenarios.Step) bool { return reset(&s.Forever, false) })
		at(func(s *scenarios.Step) bool { return reset(&s.When.Nth, 0) })
		at(func(s *scenarios.Step) bool { return reset(&s.Harm, "") })
		at(func(s *scenarios.Step) bool { return s.Nth > 1 && reset(&s.Nth, s.Nth-1) })
		at(func(s *scenarios.Step) bool { return s.Restart > 0 && reset(&s.Restart, restartTime) })
		at(func(s *scenarios.Step) bool {
			return s.Kind == scenarios.StepSubmit && reset(&s.Sender, "alice@example.org")
		})
	}
	return all
}

// nameMoments has crashes wait for a fact instead of a line of the trace or an
// operation of a seam, which the next change of the relay would move.
func (w *shrinker) nameMoments(sc *scenarios.Scenario) []change {
	facts := w.result.Facts
	var all []change
	for i, s := range sc.Plan {
		if s.Kind != scenarios.StepCrash || s.StepNumber == 0 && s.Seam == 0 {
			continue
		}
		for ci, f := range facts {
			if f.Kind != spec.FactCrash || ci == 0 {
				continue
			}
			for back := 1; back <= 3 && back <= ci; back++ {
				when := matchOf(sc, facts, ci-back)
				all = append(all, func(sc *scenarios.Scenario) bool {
					if i >= len(sc.Plan) || sc.Plan[i].StepNumber == 0 && sc.Plan[i].Seam == 0 {
						return false
					}
					sc.Plan[i].StepNumber, sc.Plan[i].Seam, sc.Plan[i].When = 0, 0, when
					return true
				})
			}
		}
	}
	return all
}

// matchOf names the fact at an index, for a crash right after it.
func matchOf(sc *scenarios.Scenario, facts []spec.Fact, at int) scenarios.FactMatch {
	f := facts[at]
	m := scenarios.FactMatch{After: true, Kind: f.Kind}
	name, _, _ := strings.Cut(f.Message, "@")
	if slices.ContainsFunc(sc.Plan, func(s scenarios.Step) bool { return s.Message == name && s.Kind == scenarios.StepSubmit }) {
		m.Message = name
	}
	for _, g := range facts[:at+1] {
		if g.Kind == f.Kind && (m.Message == "" || g.Message == f.Message) {
			m.Nth++
		}
	}
	if m.Nth == 1 {
		m.Nth = 0
	}
	return m
}

// emptied empties a map, and reports whether there was anything in it.
func emptied[V any](m *map[string]V) bool {
	had := len(*m) > 0
	*m = nil
	return had
}
