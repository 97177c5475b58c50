package draft

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// mostMails bounds how many messages a story has.
const mostMails = 50

// The greatest size that a story gives a message, and the least that it speaks of.
const (
	greatest = 16 << 20
	least    = 10_000
)

// The credentials that stand for the real ones.
const (
	loginUser   = "relay"
	loginSecret = "left-out"
)

// Build makes a scenario of what was seen. It expects nothing yet but that the
// rules hold: see Expecting.
func (d *Draft) Build() (*scenarios.Scenario, error) {
	if len(d.Mails) == 0 || len(d.Hosts)+len(d.Faults) == 0 {
		return nil, fmt.Errorf("no message, or nothing of where it went, was seen: there is no story")
	}
	sc := &scenarios.Scenario{
		Name: "draft", Title: d.Title, Seed: scenarios.DefaultSeed, Policy: scenarios.DefaultPolicy(),
		Rules:  []string{string(spec.NeverTwice), string(spec.NothingLost)},
		Expect: []scenarios.Expectation{{Rules: true, Attempts: -1, Acceptances: -1, Reports: -1}},
	}
	n := new(Names)
	d.mails(sc, n)
	hosts := d.hosts(sc, n)
	d.zones(sc, n, hosts)
	sc.Prose = d.prose(n)
	sc.Needs = Needs(sc)
	return Checked(sc)
}

// Checked returns what is read of a scenario that is written out, or why it cannot
// be read.
func Checked(sc *scenarios.Scenario) (*scenarios.Scenario, error) {
	back, err := scenarios.Parse(sc.Name+scenarios.Ending, scenarios.Format(sc))
	if err != nil {
		return nil, fmt.Errorf("the draft is no scenario: %w\n%s", err, scenarios.Format(sc))
	}
	return back, nil
}

// prose is the text at the top.
func (d *Draft) prose(n *Names) string {
	lines := []string{strings.TrimSuffix(d.Title, ".") + "."}
	for _, note := range d.Notes {
		lines = append(lines, n.Text(strings.Join(strings.Fields(note), " ")))
	}
	return strings.Join(lines, "\n")
}

// mails writes the plan.
func (d *Draft) mails(sc *scenarios.Scenario, n *Names) {
	all := slices.Clone(d.Mails)
	slices.SortStableFunc(all, func(a, b Mail) int { return int(a.At - b.At) })
	if len(all) > mostMails {
		d.Notes = append(d.Notes, fmt.Sprintf("Of %d messages only the first %d are here.", len(all), mostMails))
		all = all[:mostMails]
	}
	for i, m := range all {
		step := scenarios.Step{
			Kind: scenarios.StepSubmit, At: (m.At - all[0].At).Round(time.Second), Message: fmt.Sprintf("m%d", i+1),
			Sender: n.Sender(m.From),
		}
		for _, to := range m.To {
			if named := n.Recipient(to); !slices.Contains(step.Recipients, named) {
				step.Recipients = append(step.Recipients, named)
			}
		}
		if m.Size >= least {
			step.Size = min(m.Size, greatest)
		}
		if m.EightBit {
			step.EightBit = true
		}
		sc.Plan = append(sc.Plan, step)
	}
}

// hosts writes the servers, and returns their names.
func (d *Draft) hosts(sc *scenarios.Scenario, n *Names) []string {
	var names []string
	for _, h := range d.Hosts {
		names = append(names, n.Host(h.Name)) // before anybody speaks of another one
	}
	for i, h := range d.Hosts {
		script := &fakesmtp.Script{Offer: fakesmtp.DefaultOffer()}
		if h.Offer != nil {
			script.Offer = slices.DeleteFunc(slices.Clone(h.Offer), unplayable)
		}
		if d.Login {
			secure := slices.ContainsFunc(script.Offer, func(e fakesmtp.Extension) bool { return strings.EqualFold(e.Keyword, "STARTTLS") })
			clear := h.Clear || !secure
			script.Auth = fakesmtp.Auth{User: loginUser, Secret: loginSecret, Clear: clear && secure}
			sc.Policy.Relays = append(sc.Policy.Relays, names[i])
			if sc.Policy.Logins == nil {
				sc.Policy.Logins = map[string]spec.Login{}
			}
			sc.Policy.Logins[names[i]] = spec.Login{User: loginUser, Secret: spec.NewSecret(loginSecret), Clear: clear}
		}
		script.Rules = h.rules(n)
		sc.Servers = append(sc.Servers, scenarios.Server{Name: names[i], Network: h.Network, NetworkUntil: h.NetworkUntil, Script: script})
	}
	return names
}

// unplayable are extensions that a script says otherwise, or not at all.
func unplayable(e fakesmtp.Extension) bool {
	switch strings.ToUpper(e.Keyword) {
	case "AUTH", "BINARYMIME":
		return true
	}
	return strings.HasPrefix(strings.ToUpper(e.Keyword), "AUTH=")
}

// zones writes the DNS: hosts serve domains in their order.
func (d *Draft) zones(sc *scenarios.Scenario, n *Names, hosts []string) {
	var domains []string
	for _, s := range sc.Plan {
		for _, to := range s.Recipients {
			if _, domain, _ := cutAddress(to); !slices.Contains(domains, domain) {
				domains = append(domains, domain)
			}
		}
	}
	if !d.Login {
		for _, domain := range domains {
			preference := uint16(0)
			for i, host := range hosts {
				serves := func(real string) bool { return n.Domain(real) == domain }
				if d.Hosts[i].Domains == nil || slices.ContainsFunc(d.Hosts[i].Domains, serves) {
					preference += 10
					sc.DNS = append(sc.DNS, scenarios.Record{Name: domain + ".", Type: "MX", Preference: preference, Value: host + "."})
				}
			}
		}
	}
	for i, host := range hosts {
		sc.DNS = append(sc.DNS, scenarios.Record{Name: host + ".", Type: "A", Value: fmt.Sprintf("192.0.2.%d", 10+i)})
	}
	for _, f := range d.Faults {
		name := n.hosts[strings.ToLower(f.Name)]
		if name == "" {
			name = n.Domain(f.Name)
		}
		sc.DNS = append(sc.DNS, scenarios.Record{Name: name + ".", Type: f.Type, Fault: f.Fault, First: f.First})
	}
}

// Needs are the words of a scenario's header that can be seen from what it has.
func Needs(sc *scenarios.Scenario) []string {
	var all []string
	add := func(word string, there bool) {
		if there && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	for _, s := range sc.Servers {
		if s.Script == nil {
			continue
		}
		for _, e := range s.Script.Offer {
			add("tls", strings.EqualFold(e.Keyword, "STARTTLS"))
			add("chunking", strings.EqualFold(e.Keyword, "CHUNKING"))
			add("limits", strings.EqualFold(e.Keyword, "LIMITS"))
		}
	}
	add("dns", slices.ContainsFunc(sc.DNS, func(r scenarios.Record) bool { return r.Fault != "" }))
	add("auth", len(sc.Policy.Logins) > 0)
	add("config", len(sc.Policy.Relays) > 0)
	for _, s := range sc.Plan {
		add("time", s.At >= time.Hour)
	}
	return all
}

// Expecting is the scenario that expects what a run of it has come to, as the
// checker sums it up; less, where that is no expectation that can be written.
func Expecting(sc *scenarios.Scenario, came []spec.MessageSummary) *scenarios.Scenario {
	out := *sc
	out.Expect = nil
	held := false
	for _, step := range sc.Plan {
		for _, to := range step.Recipients {
			e := scenarios.Expectation{Recipient: to, State: "anything", Attempts: -1, Acceptances: -1, Reports: -1}
			if mails(sc, to) > 1 {
				e.Message = step.Message
			}
			for _, m := range came {
				if name, _, _ := strings.Cut(m.ID, "@"); name != step.Message {
					continue
				}
				for _, r := range m.Recipients {
					if scenarios.SameMailbox(r.Address, to) && !r.Refused {
						e.State, e.Attempts = r.State.String(), r.Attempts
						held = held || !r.State.Final()
					}
				}
			}
			out.Expect = append(out.Expect, e)
		}
	}
	if !held {
		out.Expect = append(out.Expect, scenarios.Expectation{Spool: "empty", Attempts: -1, Acceptances: -1, Reports: -1})
	}
	return withWords(&out)
}

// mails counts the messages that go to a recipient.
func mails(sc *scenarios.Scenario, to string) int {
	n := 0
	for _, step := range sc.Plan {
		if slices.ContainsFunc(step.Recipients, func(r string) bool { return scenarios.SameMailbox(r, to) }) {
			n++
		}
	}
	return n
}

// withWords adds what the expectations show to be needed.
func withWords(sc *scenarios.Scenario) *scenarios.Scenario {
	var more []string
	for _, e := range sc.Expect {
		if e.State == "unknown" && !slices.Contains(more, "doubt") {
			more = append(more, "doubt")
		}
		if e.Attempts > 1 && !slices.Contains(more, "time") {
			more = append(more, "time")
		}
	}
	for _, word := range more {
		if !slices.Contains(sc.Needs, word) {
			sc.Needs = append(slices.Clip(sc.Needs), word)
		}
	}
	return sc
}
