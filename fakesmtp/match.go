package fakesmtp

import (
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// An occasion is a moment at which a rule can match.
type occasion struct {
	stage spec.Stage
	// number is which connection it is, connections how many are open.
	number, connections int
	since               time.Duration
	// from is the sender as in Rule.From; to are the recipients.
	from string
	to   []string
	// recipients and messages count as Rule.OverRecipients and OverMessages.
	recipients, messages  int
	parameters, pipelined bool
	torn, missized        bool
}

// A matcher finds rules and counts. It is not safe for concurrent use.
type matcher struct {
	rules []*counted
	// attempts counts envelopes at the stages where a rule asks for it.
	attempts map[envelope]int
	counts   map[spec.Stage]bool
	healed   bool
	// torn is true when a rule asks for it.
	torn bool
}

// A counted is a rule with its counters.
type counted struct {
	Rule
	// persona is the one that it belongs to, empty for none.
	persona string
	// met counts how often all but First and Nth held; matched, how often it
	// was carried out.
	met, matched int
}

// An envelope is what an attempt is counted by.
type envelope struct {
	stage    spec.Stage
	from, to string
}

func newMatcher(s *Script) (matcher, error) {
	m := matcher{attempts: make(map[envelope]int), counts: make(map[spec.Stage]bool)}
	for _, r := range s.Rules {
		m.rules = append(m.rules, &counted{Rule: r})
	}
	for _, p := range s.Personas {
		rules, err := personaRules(p)
		if err != nil {
			return matcher{}, err
		}
		for _, r := range rules {
			m.rules = append(m.rules, &counted{Rule: r, persona: p})
		}
	}
	for _, r := range m.rules {
		if r.Attempt > 0 {
			m.counts[r.Stage] = true
		}
		m.torn = m.torn || r.Torn
	}
	return m, nil
}

// match returns the first rule that matches. Its counters advance now, not
// when what it does is done.
func (m *matcher) match(o occasion) (Rule, bool) {
	attempt := 0
	if m.counts[o.stage] {
		e := envelope{o.stage, o.from, strings.Join(slices.Sorted(slices.Values(o.to)), "\n")}
		m.attempts[e]++
		attempt = m.attempts[e]
	}
	for _, r := range m.rules {
		if m.healed && r.IsFault() || !r.holds(o) || r.Attempt > 0 && r.Attempt != attempt {
			continue
		}
		r.met++
		if r.First > 0 && r.met > r.First || r.Nth > 0 && r.met != r.Nth {
			continue
		}
		r.matched++
		return r.Rule, true
	}
	return Rule{}, false
}

// holds reports whether all conditions hold that need no counter.
func (r Rule) holds(o occasion) bool {
	switch {
	case r.Stage != o.stage,
		r.Connection > 0 && r.Connection != o.number,
		r.OverRecipients > 0 && o.recipients <= r.OverRecipients,
		r.OverMessages > 0 && o.messages <= r.OverMessages,
		r.OverConnections > 0 && o.connections <= r.OverConnections,
		r.Parameters && !o.parameters,
		r.Pipelined && !o.pipelined,
		r.Torn && !o.torn,
		r.Missized && !o.missized,
		o.since < r.After,
		r.Until > 0 && o.since >= r.Until,
		r.From != "" && !glob(r.From, o.from):
		return false
	}
	return r.To == "" || slices.ContainsFunc(o.to, func(to string) bool { return glob(r.To, to) })
}

// unused returns the rules that never matched.
func (m *matcher) unused() []Rule {
	used := make(map[string]bool)
	for _, r := range m.rules {
		used[r.persona] = used[r.persona] || r.matched > 0
	}
	var all []Rule
	for _, r := range m.rules {
		if r.matched == 0 && (r.persona == "" || !used[r.persona]) {
			all = append(all, r.Rule)
		}
	}
	return all
}

// glob reports whether pattern matches text, without regard to case; "*"
// stands for any text. It takes time in the product of the lengths at most.
func glob(pattern, text string) bool {
	pattern, text = strings.ToLower(pattern), strings.ToLower(text)
	p, t := 0, 0
	star, retry := -1, 0 // the last star, and where its text may end next
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
