package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// later are the words of "needs:" for what the relay does not have yet. A story
// that needs one is read, checked and listed, and waits: nobody runs it, so it
// cannot be said to hold.
var later = []term{
	{"mta-sts", "a domain says over HTTPS which MX hosts are its own, and that mail comes there by verified TLS or not at all (RFC 8461)"},
	{"dane", "a domain says in signed DNS which certificates its MX hosts have (RFC 7672)"},
	{"shared-spool", "relays on several machines work on one spool"},
}

// NotYet returns those of s.Needs that the relay does not have yet; a scenario
// with any is not to be run.
func (s *Scenario) NotYet() []string {
	var words []string
	for _, need := range s.Needs {
		if slices.Contains(wordsOf(later), need) {
			words = append(words, need)
		}
	}
	return words
}

// The names at which RFC 8461 (sections 3.1 and 3.2) has a domain say that it has
// a policy, and tell it.
const (
	stsRecord = "_mta-sts."
	stsHost   = "mta-sts."
)

// policyLines are the lines of a policy section: what the file at the host holds,
// or, alone, how fetching it goes wrong.
var policyLines = []term{
	{"version:", "version: STSv1"},
	{"mode:", "mode: enforce|testing|none"},
	{"mx:", "mx: HOST, or *.DOMAIN; one line for each"},
	{"max_age:", "max_age: SECONDS"},
	{fetchWord, "fetch not-found|redirect|refused|silent|untrusted: instead of a policy, how fetching it goes wrong"},
}

const fetchWord = "fetch"

// fetchWays are the ways in which fetching a policy goes wrong.
var fetchWays = []string{"not-found", "redirect", "refused", "silent", "untrusted"}

// policySection reads the policy that a host tells.
func (p *parser) policySection(host string, first int, data string) {
	if !validHost(host) || !strings.HasPrefix(strings.ToLower(host), stsHost) {
		p.fail(first-1, host, "the policy of example.net is told by mta-sts.example.net (RFC 8461 section 3.2)", "%q is no host of a policy", host)
		return
	}
	t := TLSPolicy{Host: host, Line: first - 1}
	p.each(first, data, func(l *line) {
		l.space()
		word := l.choose("line of a policy", wordsOf(policyLines))
		if (word == fetchWord || t.Fetch != "") && (t.Fetch != "" || len(t.Lines) > 0) {
			l.fail(0, "leave out all other lines", "%s stands alone: there is no policy then", fetchWord)
		}
		if word == fetchWord {
			t.Fetch = l.choose("way", fetchWays)
		} else if value := l.policyValue(word); l.err == nil {
			t.Lines = append(t.Lines, word+" "+value)
		}
	})
	if t.Fetch == "" && len(t.Lines) == 0 {
		p.fail(first-1, host, "write version: STSv1, mode: enforce, mx: mx1.example.net and max_age: 86400, a line each", "the policy is empty")
		return
	}
	p.s.TLSPolicies = append(p.s.TLSPolicies, t)
}

// policyValue takes what stands behind a key of a policy.
func (l *line) policyValue(key string) string {
	l.space()
	switch key {
	case "version:":
		return l.choose("version", []string{"STSv1"})
	case "mode:":
		return l.choose("mode", []string{"enforce", "testing", "none"})
	case "max_age:":
		at, most := l.pos, int64(31557600) // RFC 8461 section 3.2
		n := l.number("how many seconds", 0)
		if n > most {
			l.fail(at, "", "a policy is for %d seconds at most", most)
		}
		return fmt.Sprint(n)
	}
	at := l.pos
	mx := l.word("a host")
	if l.err == nil && !validHost(strings.TrimPrefix(mx, "*.")) {
		l.fail(at, "write mx1.example.net or *.example.net", "%q is no host of an MX record", mx)
	}
	return mx
}

// policyText writes a policy's section.
func policyText(t TLSPolicy) string {
	if t.Fetch != "" {
		return fetchWord + " " + t.Fetch + "\n"
	}
	return strings.Join(t.Lines, "\n") + "\n"
}

// policies checks that the host of every policy can be found.
func (c *checker) policies() {
	for _, t := range c.s.TLSPolicies {
		if !slices.ContainsFunc(c.s.DNS, func(r Record) bool { return strings.EqualFold(r.Name, t.Host+".") }) {
			c.fail(t.Line, t.Host, "add a line such as: "+t.Host+". A 192.0.2.80", "the host %s is not in the dns section", t.Host)
		}
	}
}

// waiting says whether what a word of later stands for is in the story, and else
// what is missing.
func (c *checker) waiting(need string) (there bool, missing string) {
	switch need {
	case "mta-sts":
		said := slices.ContainsFunc(c.s.DNS, func(r Record) bool {
			return (r.Type == "TXT" || r.Fault != "" && r.Type == anyType) && strings.HasPrefix(strings.ToLower(r.Name), stsRecord)
		})
		return said && len(c.s.TLSPolicies) > 0, "it takes a TXT record, or a fault, at _mta-sts.DOMAIN, and a section -- policy mta-sts.DOMAIN --"
	case "dane":
		return slices.ContainsFunc(c.s.DNS, func(r Record) bool { return r.Type == "TLSA" }), "no TLSA record, and no fault of one, is in the dns section"
	case "shared-spool":
		return c.has(func(s Step) bool { return s.Kind == StepJoin }), "no step is a join of another relay"
	}
	return true, ""
}

// announced checks that a story of what the relay does not have yet says so: it
// would be run, and mean nothing.
func (c *checker) announced() {
	say := func(number int, word, need string) {
		if !slices.Contains(c.s.Needs, need) {
			c.fail(number, word, "add a header line, or a word to it: needs: "+need, "the story needs %q and does not say so", need)
		}
	}
	for _, r := range c.s.DNS {
		if r.Type == "TLSA" || r.Type == signed {
			say(r.Line, r.Type, "dane")
		}
	}
	for _, t := range c.s.TLSPolicies {
		say(t.Line, t.Host, "mta-sts")
	}
	for _, s := range c.s.Plan {
		if s.Kind == StepJoin {
			say(s.Line, string(StepJoin), "shared-spool")
		}
	}
}
