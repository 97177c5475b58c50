package mutants

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// unshaken are the stories that nothing here makes fail but another expectation,
// each with the reason. The list can only become shorter: a story that is not on it
// and has nothing stronger fails the test, and so does one that is and has.
var unshaken = map[string]string{}

// How a story was made to fail, the strongest way first.
const (
	byRule    = "without one of its rules, faults or steps"
	byServers = "with other servers"
	byMail    = "with mail that asks for nothing"
	byMutant  = "by a relay that is wrong on purpose"
	byNothing = "by another expectation alone"
)

// TestEveryStoryIsAbleToFail: one that holds whatever the servers and the relay do
// proves nothing. Each is run in a world that is changed until it does not hold.
func TestEveryStoryIsAbleToFail(t *testing.T) {
	library, err := scenarios.Ready()
	if err != nil {
		t.Fatal(err)
	}
	telling := telling(t)
	var mu sync.Mutex
	ways := map[string][]string{}
	t.Run("library", func(t *testing.T) {
		const lanes = 4
		for lane := range lanes {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := lane; i < len(library); i += lanes {
					way := shaken(t, library[i], telling)
					mu.Lock()
					ways[way] = append(ways[way], library[i].Name)
					mu.Unlock()
				}
			})
		}
	})
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		t.Logf("%d stories fail %s", len(ways[way]), way)
	}
	for _, name := range ways[byNothing] {
		if unshaken[name] == "" {
			t.Errorf("%s holds whatever the servers and the relay do: let it expect more, or say in unshaken why not", name)
		}
	}
	for name := range unshaken { // any order
		if !slices.Contains(ways[byNothing], name) {
			t.Errorf("%s can fail for a better reason now: take it off the list", name)
		}
	}
}

// shaken says in which way a story was made to fail.
func shaken(t *testing.T, sc *scenarios.Scenario, telling []Mutant) string {
	o := sim.Options{AllowUnused: true, Brief: true, Unhashed: true}
	for way, changed := range changes(sc) {
		if s := sim.Run(t, changed, Honest, o).Status; s == sim.Safety || s == sim.Progress {
			return way
		}
	}
	for _, m := range nearest(sc.Name, telling) {
		if r := sim.Run(t, bare(sc), m.Factory, o); len(r.Violations) > 0 {
			return byMutant
		}
	}
	if s := sim.Run(t, otherwise(sc), Honest, o).Status; s != sim.Safety {
		t.Errorf("%s holds with another expectation, too: %v", sc.Name, s)
	}
	return byNothing
}

// otherwise is the story that expects of its first recipient what does not come.
func otherwise(sc *scenarios.Scenario) *scenarios.Scenario {
	c := bare(sc)
	c.Expect = slices.Clone(c.Expect)
	for i := range c.Expect {
		if e := &c.Expect[i]; e.Recipient != "" {
			if e.State == "failed" {
				e.State = "delivered"
			} else {
				e.State = "failed"
			}
			break
		}
	}
	return c
}

// telling returns the mutants that not any mail catches: those that break a rule
// while one message goes to one recipient, and nothing happens, say nothing of a
// story.
func telling(t *testing.T) []Mutant {
	sc, err := scenarios.Load("plain/one-recipient")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(All(), func(m Mutant) bool {
		return len(sim.Run(t, sc, m.Factory, sim.Options{AllowUnused: true, Brief: true, Unhashed: true}).Violations) > 0
	})
}

// nearest returns mutants, those first that are caught by the story, then those by
// its theme.
func nearest(name string, all []Mutant) []Mutant {
	theme, _, _ := strings.Cut(name, "/")
	all = slices.Clone(all)
	far := func(m Mutant) int {
		switch {
		case m.Scenario == name:
			return 0
		case strings.HasPrefix(m.Scenario, theme+"/"):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b Mutant) int { return far(a) - far(b) })
	return all
}

// bare is a copy without a golden trace, which any change breaks.
func bare(sc *scenarios.Scenario) *scenarios.Scenario {
	c := *sc
	c.Trace = nil
	c.Servers = slices.Clone(c.Servers)
	c.DNS, c.Plan = slices.Clone(c.DNS), slices.Clone(c.Plan)
	return &c
}

// changes are the worlds that differ from a story's: first in one thing, then in
// all servers, then in all mail.
func changes(sc *scenarios.Scenario) iter.Seq2[string, *scenarios.Scenario] {
	return func(yield func(string, *scenarios.Scenario) bool) {
		for c := range withoutOne(sc) {
			if !yield(byRule, c) {
				return
			}
		}
		for _, rule := range []string{"", "at rcpt: 550 5.1.1 No such user", "at dot: 451 4.3.0 Not now", "at greeting: cut"} {
			c := bare(sc)
			for i := range c.Servers {
				c.Servers[i] = doing(c.Servers[i], rule)
			}
			if !yield(byServers, c) {
				return
			}
		}
		yield(byMail, plainMail(sc))
	}
}

// plainMail is the world of a story in which mail has the standard content, and
// asks for nothing.
func plainMail(sc *scenarios.Scenario) *scenarios.Scenario {
	c := bare(sc)
	c.Messages = nil
	for i := range c.Plan {
		if s := &c.Plan[i]; s.Kind == scenarios.StepSubmit {
			s.EightBit, s.UTF8, s.RequireTLS, s.Tracking, s.Asked = false, false, false, spec.Tracking{}, nil
		}
	}
	return c
}

// doing is a server that does nothing but one thing.
func doing(s scenarios.Server, rule string) scenarios.Server {
	script, err := fakesmtp.ParseScript(s.Name, 1, rule)
	if err != nil {
		panic(err) // one of four that are written above
	}
	if s.Script != nil {
		script.Offer = s.Script.Offer
	}
	return scenarios.Server{Name: s.Name, Script: script, Line: s.Line}
}

// withoutOne are the worlds of a story without one rule, persona, trouble of the
// network or the DNS, or step after the first mail.
func withoutOne(sc *scenarios.Scenario) iter.Seq[*scenarios.Scenario] {
	return func(yield func(*scenarios.Scenario) bool) {
		for c := range withoutRule(sc) {
			if !yield(c) {
				return
			}
		}
		for i, r := range sc.DNS {
			c := bare(sc)
			if c.DNS = slices.Delete(c.DNS, i, i+1); r.Fault != "" && !yield(c) {
				return
			}
		}
		for i, s := range sc.Plan {
			c := bare(sc)
			if c.Plan = slices.Delete(c.Plan, i, i+1); s.Kind != scenarios.StepSubmit && s.Kind != scenarios.StepDamage && !yield(c) {
				return
			}
		}
	}
}

// withoutRule are the worlds without one thing that a server does.
func withoutRule(sc *scenarios.Scenario) iter.Seq[*scenarios.Scenario] {
	return func(yield func(*scenarios.Scenario) bool) {
		for i, s := range sc.Servers {
			with := func(s scenarios.Server) bool {
				c := bare(sc)
				c.Servers[i] = s
				return yield(c)
			}
			if reached := s; s.Network != "" {
				if reached.Network = ""; !with(reached) {
					return
				}
			}
			if s.Script == nil {
				continue
			}
			for k := range s.Script.Rules {
				script, less := *s.Script, s
				script.Rules = slices.Delete(slices.Clone(script.Rules), k, k+1)
				if less.Script = &script; !with(less) {
					return
				}
			}
			for k := range s.Script.Personas {
				script, less := *s.Script, s
				script.Personas = slices.Delete(slices.Clone(script.Personas), k, k+1)
				if less.Script = &script; !with(less) {
					return
				}
			}
		}
	}
}
