package fakesmtp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// MaxScript is the size in bytes of the largest script that ParseScript reads.
const MaxScript = 1 << 20

// The most errors that ParseScript reports of one script.
const maxErrors = 20

// ParseScript reads a script whose first line is line number line of file. The
// error is a *SyntaxError, or joins one for every line that is wrong.
func ParseScript(file string, line int, text string) (*Script, error) {
	if len(text) > MaxScript {
		return nil, &SyntaxError{File: file, Line: line, Col: 1, Reason: fmt.Sprintf("the script has more than %d bytes", MaxScript)}
	}
	p := parser{script: &Script{}}
	var errs []error
	for i, l := range strings.Split(text, "\n") {
		c := &cursor{file: file, line: line + i, text: strings.TrimSuffix(l, "\r")}
		if c.done() || c.text[c.pos] == '#' {
			continue
		}
		p.statement(c)
		if c.err != nil && len(errs) < maxErrors {
			errs = append(errs, c.err)
		}
	}
	switch len(errs) {
	case 0:
	case 1:
		return nil, errs[0]
	default:
		return nil, errors.Join(errs...)
	}
	if !p.offered {
		p.script.Offer = DefaultOffer()
	}
	return p.script, nil
}

// A parser reads the statements of one script.
type parser struct {
	script  *Script
	offered bool
}

// statements are the words with which a statement begins.
var statements = []string{"at", "offer", "auth", "persona", "hostname"}

// statement reads one line.
func (p *parser) statement(c *cursor) {
	start := c.pos
	switch c.choose("statement", statements) {
	case "at":
		p.script.Rules = append(p.script.Rules, c.rule())
		return
	case "offer":
		if p.offered {
			c.fail(start, "put all extensions into one line, with commas between", "offer stands here twice")
		}
		p.offered = true
		p.script.Offer = c.offer()
	case "auth":
		if p.script.Auth.asked() {
			c.fail(start, "one login is enough for everybody", "auth stands here twice")
		}
		p.script.Auth = c.auth()
	case "persona":
		name := c.choose("persona", personaNames())
		if slices.Contains(p.script.Personas, name) {
			c.fail(start, "", "persona %s stands here twice", name)
		}
		p.script.Personas = append(p.script.Personas, name)
	case "hostname":
		if p.script.Hostname != "" {
			c.fail(start, "", "hostname stands here twice")
		}
		p.script.Hostname = c.hostname()
	}
	if !c.done() {
		c.fail(c.pos, "one statement a line; a comment has a line of its own", "%q is not expected here", c.text[c.pos:])
	}
}

// hostname takes a name that can stand in a reply.
func (c *cursor) hostname() string {
	w := c.peek()
	if w == "" || w[0] == '-' || w[len(w)-1] == '-' || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.[]") != "" {
		c.fail(c.pos, "a host is written mx1.example.net", "%q is not a host name", w)
		return ""
	}
	c.pos += len(w)
	return w
}

// offer takes "none" or a list of extensions.
func (c *cursor) offer() []Extension {
	if c.accept("none") {
		return nil
	}
	var all []Extension
	for c.err == nil {
		e := c.extension()
		if slices.ContainsFunc(all, func(f Extension) bool { return strings.EqualFold(e.Keyword, f.Keyword) }) {
			c.fail(c.pos-len(e.String()), "", "%s stands here twice", e.Keyword)
		}
		all = append(all, e)
		if !c.symbol(',') {
			break
		}
	}
	return all
}

// extension takes what stands up to the next comma.
func (c *cursor) extension() Extension {
	c.done()
	if c.err != nil {
		return Extension{}
	}
	start := c.pos
	escaped := start < len(c.text) && c.text[start] == '"'
	var text string
	if escaped {
		text = c.quoted()
	} else {
		text, _, _ = strings.Cut(c.text[start:], ",")
		c.pos += len(strings.TrimRight(text, " \t"))
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		c.fail(start, "write offer PIPELINING, SIZE 10485760, or offer none", "the extension is missing")
		return Extension{}
	}
	e := Extension{Keyword: fields[0], Params: strings.Join(fields[1:], " ")}
	switch keyword := strings.ToUpper(e.Keyword); {
	case strings.Trim(keyword, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" || keyword[0] == '-':
		c.fail(start, "a keyword has letters, digits and hyphens (RFC 5321 section 4.1.1.1)", "%q is no extension keyword", e.Keyword)
	case !printable(e.Params):
		c.fail(start, "", "the parameters of %s have bytes that are no printable text", e.Keyword)
	case !escaped && !known(keyword):
		h := fmt.Sprintf("if it is meant, write it in quotes: offer %q", e)
		if near := hint(keyword, extensions[:]); strings.HasPrefix(near, "did") {
			h = near + " " + h
		}
		c.fail(start, h, "there is no extension %s", e.Keyword)
	case keyword == "BINARYMIME":
		c.fail(start, "leave it out", "this server does not know BODY=BINARYMIME, so it cannot offer %s", e.Keyword)
	case keyword == "LIMITS" && !escaped && e.oddLimits():
		c.fail(start, fmt.Sprintf("write LIMITS MAILMAX=1 RCPTMAX=100 RCPTDOMAINMAX=1, or some of it; if it is meant, write it in quotes: offer %q", e),
			"LIMITS has a limit that is unknown, or no number from 1 to 999999")
	case keyword == "SIZE" && e.Params != "":
		if _, err := strconv.ParseInt(e.Params, 10, 64); err != nil || e.Params[0] == '-' || e.Params[0] == '+' {
			c.fail(start, `write SIZE 10485760; for a wrong reply write at ehlo: 250-mx|250 SIZE huge`, "%q is not a size in bytes", e.Params)
		}
	}
	return e
}

// printable reports whether s has nothing but visible ASCII and blanks.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Stages at which a rule can stand, in the order of a session.
var ruleStages = [...]spec.Stage{
	spec.StageConnect, spec.StageGreeting, spec.StageEHLO, spec.StageHELO, spec.StageSTARTTLS, spec.StageHandshake, spec.StageAUTH, spec.StageMAIL,
	spec.StageRCPT, spec.StageDATA, spec.StageBDAT, spec.StageBody, spec.StageDot, spec.StageRSET, spec.StageQUIT, spec.StageIdle,
}

// rule takes what stands after "at".
func (c *cursor) rule() Rule {
	r := Rule{Line: c.line}
	var names []string
	for _, s := range ruleStages {
		names = append(names, s.String())
	}
	if name := c.choose("stage", names); c.err == nil {
		r.Stage, _ = spec.ParseStage(name) // it is one of names
	}
	c.addresses(&r)
	for c.symbol(',') {
		c.condition(&r)
	}
	switch {
	case r.First > 0 && r.Nth > 0:
		c.fail(c.pos, "first 3 is the first three times, nth 3 only the third", "a rule has first or nth, not both")
	case r.Until > 0 && r.Until <= r.After:
		c.fail(c.pos, "both count from the start", "until %s is not later than after %s", formatDuration(r.Until), formatDuration(r.After))
	case !c.symbol(':'):
		h := `write ":" before the actions`
		if w := c.peek(); w != "" && c.err == nil {
			h = `conditions follow a comma, actions a colon: at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted`
		}
		c.fail(c.pos, h, "a colon is missing")
	}
	c.done()
	at := c.pos
	r.Actions = c.actions(r.Stage)
	if says := func(a Action) bool { return a.speaks() || a.ends(r.Stage) }; r.Stage == spec.StageIdle && !slices.ContainsFunc(r.Actions, says) {
		c.fail(at, "a delay alone is no more than waiting: say what comes after it, such as delay 30s; 421 4.4.2 Idle too long; fin", "nothing is done")
	}
	return r
}

// addresses takes the addresses that a rule matches.
func (c *cursor) addresses(r *Rule) {
	if !c.done() && c.text[c.pos] == '<' {
		at := c.pos
		if r.To = c.path(); r.To == "" {
			c.fail(at, "write a recipient such as <bob@example.net>, or from <> for the null sender", "no recipient is empty")
		}
		if !hasRecipient(r.Stage) {
			c.fail(at, "only rcpt, data, bdat, body and dot match a recipient", "no recipient is known at %s", r.Stage)
		}
	}
	c.done()
	at := c.pos
	if c.accept("from") {
		if r.From = c.path(); r.From == "" {
			r.From = nullSender
		}
		if !hasEnvelope(r.Stage) {
			c.fail(at, "only mail, rcpt, data, bdat, body and dot match a sender", "no sender is known at %s", r.Stage)
		}
	}
}

// nullSender stands for the null reverse-path of RFC 5321 section 4.5.5.
const nullSender = "<>"

// condition takes one condition.
func (c *cursor) condition(r *Rule) {
	c.done()
	start := c.pos
	words := make([]string, len(conditions))
	for i, k := range conditions {
		words[i] = k.word
	}
	word := c.choose("condition", words)
	for _, k := range conditions {
		if c.err != nil || k.word != word {
			continue
		}
		if k.show(*r) != "" {
			c.fail(start, "", "%s stands here twice", k.word)
		}
		if k.holds != nil && !k.holds(r.Stage) {
			c.fail(start, "", "%s means nothing at %s", k.word, r.Stage)
		}
		k.read(c, r)
		if r.OverRecipients > 0 && !hasRecipient(r.Stage) || r.OverMessages > 0 && !hasEnvelope(r.Stage) {
			c.fail(start, "", "what it counts is not known at %s", r.Stage)
		}
	}
}
