package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// The states that a recipient can be expected in.
const (
	stateDelivered = "delivered"
	stateFailed    = "failed"
	stateUnknown   = "unknown"
	stateHeld      = "held"
	stateQueued    = "queued"
	stateParked    = "parked"
	stateDeleted   = "deleted"
	stateRefused   = "refused"
	stateAnything  = "anything"
)

// states are the words for what became of a recipient.
var states = []term{
	{stateDelivered, "a server took it, or an operator knew that one had"},
	{stateFailed, "refused for good, or its lifetime ended"},
	{stateUnknown, "the reply to the final dot was lost; it may or may not have arrived"},
	{stateHeld, "in doubt, waiting for an operator"},
	{stateQueued, "still to be attempted"},
	{stateParked, "still to be attempted, when an operator releases it"},
	{stateDeleted, "an operator dropped it, and nobody was told"},
	{stateRefused, "the relay did not take it at submission"},
	{stateAnything, "the story is not about this recipient"},
}

// How mail came to the server that took it.
const (
	Encrypted = "encrypted"
	InClear   = "in clear"
)

// A count is a number that an expectation can name.
type count struct {
	one, many, meaning string
	field              func(*Expectation) *int
}

var counts = []count{
	{"attempt", "attempts", "how many delivery attempts it took", func(e *Expectation) *int { return &e.Attempts }},
	{"acceptance", "acceptances", "how often servers took it", func(e *Expectation) *int { return &e.Acceptances }},
	{"report", "reports", "how many reports about it reached the sender", func(e *Expectation) *int { return &e.Reports }},
}

// news are what a sender can be told of besides failure; what is not expected
// must not come.
var news = []term{
	{"delay", "a report reached the sender that delivery is delayed"},
	{"relay", "a report reached the sender that a server took it which will say no more"},
}

// spools are the words for what the spool holds at the end.
var spools = []term{
	{"empty", "nothing"},
	{"held", "only messages with a recipient that waits for an operator: held in doubt, or parked"},
	{"damaged", "only entries that could not be read and were set aside, and contents whose entry was taken away"},
}

// expectForms are the lines of the expect section, for the reference.
var expectForms = []term{
	{"[MESSAGE] RECIPIENT STATE, CLAUSE, ...", "what became of a recipient; " +
		"MESSAGE when several messages go to it; user{1..150}@example.net for many alike"},
	{"spool empty|held|damaged", "what the spool holds at the end"},
	{"connections N at HOST", "how many connections a server got in all; 0 says that nobody called there"},
	{"rules hold", "no more is expected than that the rules hold: nothing of a recipient without a line, nor that every fault and step does something"},
	{"violates RULE", "this relay must break the rule (for stories about other relays)"},
	{`report "TEXT"`, "a report that contains TEXT reached a sender in the domain that every world has"},
	{`no report "TEXT"`, "no report that contains TEXT reached one there"},
	{`licence "TEXT"`, "a second acceptance was licensed by a doubt window whose description contains TEXT"},
}

// expectSection reads the expectations.
func (p *parser) expectSection(_ string, first int, data string) {
	p.each(first, data, func(l *line) {
		blank := Expectation{Attempts: -1, Acceptances: -1, Reports: -1, Line: l.row}
		for _, e := range l.expectation(blank) {
			if l.err == nil {
				p.s.Expect = append(p.s.Expect, e)
			}
		}
	})
}

// expectation reads one line, which may stand for several recipients.
func (l *line) expectation(e Expectation) []Expectation {
	switch {
	case l.accept("spool"):
		e.Spool = l.choose("content of the spool", wordsOf(spools))
		return []Expectation{e}
	case l.accept("rules"):
		l.expect("hold")
		e.Rules = true
		return []Expectation{e}
	case l.accept("connections"):
		e.Connections = int(l.number("the number of connections", 0))
		l.expect("at")
		e.By = l.host("the host")
		return []Expectation{e}
	case l.accept("violates"):
		e.Violates = l.choose("rule", wordsOf(ruleTerms()))
		return []Expectation{e}
	case l.accept("report"):
		l.space()
		at := l.pos
		if e.Report = l.quoted("the text"); e.Report == "" {
			l.fail(at, "", "the text is empty")
		}
		return []Expectation{e}
	case l.accept("no"):
		l.expect("report")
		l.space()
		at := l.pos
		if e.NoReport = l.quoted("the text"); e.NoReport == "" {
			l.fail(at, "", "the text is empty")
		}
		return []Expectation{e}
	case l.accept("licence"):
		l.space()
		at := l.pos
		if e.Licence = l.quoted("the text"); e.Licence == "" {
			l.fail(at, "", "the text is empty")
		}
		return []Expectation{e}
	}
	if w := l.peek(); badName(w) == "" {
		if n := nearest(w, []string{"spool", "connections", "rules", "violates", "report", "licence"}); n != "" {
			l.fail(l.pos, hint(w, []string{n}), "%q is neither a message with its recipient nor a known word", w)
			return nil
		}
		e.Message = l.name()
	}
	recipients := l.mailboxes("a recipient")
	e.State = l.choose("state", wordsOf(states))
	for l.comma() {
		l.clause(&e)
	}
	all := make([]Expectation, 0, len(recipients))
	for _, r := range recipients {
		e.Recipient = r
		all = append(all, e)
	}
	return all
}

// clause reads "N attempts", "by HOST", "encrypted" or "in clear".
func (l *line) clause(e *Expectation) {
	l.space()
	at := l.pos
	if l.accept("by") {
		if e.By != "" {
			l.fail(at, "", "by stands here twice")
		}
		e.By = l.host("the host")
		return
	}
	if in := l.accept("in"); in || l.accept(Encrypted) {
		if e.TLS != "" {
			l.fail(at, "", "how it came stands here twice")
		}
		if e.TLS = Encrypted; in {
			l.expect("clear")
			e.TLS = InClear
		}
		return
	}
	if l.accept("told") {
		l.expect("of")
		told := &e.Delay
		if l.choose("news", wordsOf(news)) == "relay" {
			told = &e.Relay
		}
		if *told {
			l.fail(at, "", "this stands here twice")
		}
		*told = true
		return
	}
	if _, err := strconv.Atoi(l.peek()); err != nil {
		l.fail(at,
			"write by HOST, encrypted, in clear, told of delay, told of relay, or a number with "+strings.Join(countWords(), ", "), "unknown clause %q", l.rest())
		return
	}
	n := l.number("a count", 0)
	l.space()
	wordAt := l.pos
	word := l.choose("count", countWords())
	for _, c := range counts {
		if word != c.one && word != c.many || l.err != nil {
			continue
		}
		if field := c.field(e); *field >= 0 {
			l.fail(wordAt, "", "the number of %s stands here twice", c.many)
		} else {
			*field = int(n)
		}
	}
}

// countWords returns the words that follow a number.
func countWords() []string {
	var words []string
	for _, c := range counts {
		words = append(words, c.one, c.many)
	}
	return words
}

// subject writes the left column of an expectation.
func (e Expectation) subject() string {
	switch {
	case e.Spool != "":
		return "spool"
	case e.Counts():
		return "connections"
	case e.Rules:
		return "rules"
	case e.Violates != "":
		return "violates"
	case e.Licence != "":
		return "licence"
	case e.Report != "":
		return "report"
	case e.NoReport != "":
		return "no report"
	case e.Message != "":
		return e.Message + " " + e.Recipient
	}
	return e.Recipient
}

// outcome writes the right column.
func (e Expectation) outcome() string {
	switch {
	case e.Spool != "":
		return e.Spool
	case e.Counts():
		return fmt.Sprintf("%d at %s", e.Connections, e.By)
	case e.Rules:
		return "hold"
	case e.Violates != "":
		return e.Violates
	case e.Licence != "":
		return strconv.Quote(e.Licence)
	case e.Report != "":
		return strconv.Quote(e.Report)
	case e.NoReport != "":
		return strconv.Quote(e.NoReport)
	}
	out := e.State
	for _, c := range counts {
		switch n := *c.field(&e); {
		case n == 1:
			out += ", 1 " + c.one
		case n >= 0:
			out += fmt.Sprintf(", %d %s", n, c.many)
		}
	}
	if e.Delay {
		out += ", told of delay"
	}
	if e.Relay {
		out += ", told of relay"
	}
	if e.By != "" {
		out += ", by " + e.By
	}
	if e.TLS != "" {
		out += ", " + e.TLS
	}
	return out
}
