package fakesmtp

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// A Script says how a server behaves, as plain data that can be compared,
// stored and shrunk. ParseScript reads one; the zero Script offers nothing and
// otherwise behaves well.
type Script struct {
	// Hostname is the name that the server calls itself in its replies;
	// empty is the name that was given to NewServer.
	Hostname string
	// Offer lists the extensions of the reply to EHLO, in order.
	Offer []Extension
	// Auth says who may send mail.
	Auth Auth
	// Personas are names of Personas, whose rules come after Rules.
	Personas []string
	// Rules are tried in order; the first that matches is carried out.
	Rules []Rule
}

// An Extension is one that the server offers in its reply to EHLO.
type Extension struct {
	// Keyword is the name, such as "SIZE", in the case in which it is sent.
	Keyword string
	// Params follow it, separated by single blanks, such as "10485760".
	Params string
}

// String returns the extension as it stands in the reply to EHLO.
func (e Extension) String() string { return strings.TrimSpace(e.Keyword + " " + e.Params) }

// DefaultOffer returns what a server offers that was told nothing else.
func DefaultOffer() []Extension {
	return []Extension{{Keyword: "PIPELINING"}, {Keyword: "8BITMIME"}, {Keyword: "SIZE", Params: "67108864"}, {Keyword: "ENHANCEDSTATUSCODES"}}
}

// A Rule says what the server does at one stage when all of its conditions
// hold. A condition that has its zero value always holds.
type Rule struct {
	Stage spec.Stage
	// To and From match the recipient and the sender, without brackets and
	// without regard to case; "*" stands for any text. At the stages data,
	// body and dot any recipient taken will do. A From of "<>" is the null
	// sender.
	To, From string
	// Connection matches the n-th connection to the server, from 1.
	Connection int
	// Attempt matches the n-th time that the server sees this sender and
	// recipient (at data, body and dot: all recipients taken) at the stage.
	Attempt int
	// OverRecipients matches when more than that many recipients are taken in
	// the transaction, OverMessages when more than that many transactions
	// were begun in the connection, OverConnections when more than that many
	// connections are open. Each counts the one in hand.
	OverRecipients, OverMessages, OverConnections int
	// Parameters matches a MAIL or RCPT that has parameters.
	Parameters bool
	// Pipelined matches when the client has sent more than the command.
	Pipelined bool
	// Torn matches when the command, or at the dot the CRLF.CRLF, has come in
	// more than one piece, which under TLS nobody can tell. Missized matches when
	// the content has another number of octets than SIZE of MAIL said.
	Torn, Missized bool
	// After and Until bound the time since the server's Epoch: from After on,
	// and before Until; an Until of 0 is for ever.
	After, Until time.Duration
	// First lets the rule match only the first n times that all else holds,
	// Nth only the n-th time.
	First, Nth int
	// Actions are carried out in order. Unless one of them replies or ends
	// the connection, the normal reply follows.
	Actions []Action
	// Line is where the rule stands in its file; 0 for a persona's.
	Line int
}

// A Verb names what an action does.
type Verb string

// The verbs.
const (
	// Reply sends the reply Text.
	Reply Verb = "reply"
	// Raw sends the bytes of Text as they are.
	Raw Verb = "raw"
	// Delay waits for the time Wait.
	Delay Verb = "delay"
	// Drip makes the next reply go out one byte per Wait.
	Drip Verb = "drip"
	// Repeat sends the next reply Count times.
	Repeat Verb = "repeat"
	// Cut ends the connection abruptly (RST).
	Cut Verb = "cut"
	// CutAfter lets Count bytes of the next reply out, then cuts. At the
	// stage body it cuts when Count bytes of the body were read, at handshake
	// when so many were sent.
	CutAfter Verb = "cut after"
	// Fin ends the connection in an orderly way.
	Fin Verb = "fin"
	// Silence answers no more and waits until the client goes. At the stage
	// body it also reads nothing for an hour.
	Silence Verb = "silence"
	// Accept takes the message, whatever is or is not replied.
	Accept Verb = "accept"
	// Present shows the certificate Text in the handshake, such as "expired" or
	// "trusted for example.net".
	Present Verb = "present"
	// Demand asks the client for a certificate, and breaks off without one: under
	// TLS 1.3 with an alert after the client's handshake is over.
	Demand Verb = "demand"
	// Lose takes the message and cuts: the reply is lost.
	Lose Verb = "lose"
)

// An Action is one thing that a rule does.
type Action struct {
	Do Verb
	// Text is, for Reply, the lines as they are sent, joined by "|", such as
	// "250-first|250 last"; for Raw the bytes.
	Text string
	// Wait is for Delay and Drip.
	Wait time.Duration
	// Count is for CutAfter and Repeat.
	Count int
}

// bytes returns what a Reply or Raw sends.
func (a Action) bytes() string {
	if a.Do == Reply {
		return strings.ReplaceAll(a.Text, "|", "\r\n") + "\r\n"
	}
	return a.Text
}

// speaks reports whether the action sends something.
func (a Action) speaks() bool { return a.Do == Reply || a.Do == Raw }

// modifies reports whether the action only says how the next reply is sent.
func (a Action) modifies(stage spec.Stage) bool {
	return a.Do == Drip || a.Do == Repeat || a.Do == CutAfter && stage != spec.StageBody && stage != spec.StageHandshake
}

// ends reports whether nothing can come after the action.
func (a Action) ends(stage spec.Stage) bool {
	switch a.Do {
	case Cut, Fin, Silence, Lose:
		return true
	case CutAfter:
		return stage == spec.StageBody || stage == spec.StageHandshake
	}
	return false
}

// String returns the action as it stands in a script.
func (a Action) String() string {
	switch a.Do {
	case Reply:
		return a.Text
	case Raw:
		return fmt.Sprintf("raw %q", a.Text)
	case Delay, Drip:
		return fmt.Sprintf("%s %s", a.Do, formatDuration(a.Wait))
	case Present:
		return "present " + a.Text
	case CutAfter, Repeat:
		return fmt.Sprintf("%s %d", a.Do, a.Count)
	}
	return string(a.Do)
}

// IsFault reports whether the rule is a fault: anything but one reply of the
// class that a well-behaved server gives when all is well.
func (r Rule) IsFault() bool {
	if r.Stage == spec.StageBody || r.Stage == spec.StageIdle {
		return true
	}
	replies := slices.DeleteFunc(slices.Clone(r.Actions), func(a Action) bool {
		return a.Do == Accept || a.Do == Present && a.certificate("").kind == Trusted
	})
	if len(replies) == 0 {
		return false // accept, then the normal reply; or a handshake in which all is well
	}
	class := byte('2')
	if r.Stage == spec.StageDATA {
		class = '3'
	}
	return len(replies) > 1 || replies[0].Do != Reply || replies[0].Text[:1] != string(class)
}

// String returns the rule's canonical text, one line.
func (r Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %s", r.Stage)
	if r.To != "" {
		fmt.Fprintf(&b, " <%s>", r.To)
	}
	if r.From != "" {
		fmt.Fprintf(&b, " from <%s>", strings.Trim(r.From, "<>"))
	}
	for _, c := range conditions {
		if text := c.show(r); text != "" {
			b.WriteString(", " + text)
		}
	}
	b.WriteString(":")
	for i, a := range r.Actions {
		if i > 0 {
			b.WriteString(";")
		}
		b.WriteString(" " + a.String())
	}
	return b.String()
}

// String returns the script's canonical text: a statement a line. ParseScript
// reads it back as an equal Script, but for the numbers of the lines. What is
// the default is not written, so that the text of a script without statements
// is empty.
func (s *Script) String() string {
	var b strings.Builder
	if s.Hostname != "" {
		fmt.Fprintf(&b, "hostname %s\n", s.Hostname)
	}
	if !slices.Equal(s.Offer, DefaultOffer()) {
		names := make([]string, len(s.Offer))
		for i, e := range s.Offer {
			names[i] = e.inScript()
		}
		if len(names) == 0 {
			names = []string{"none"}
		}
		fmt.Fprintf(&b, "offer %s\n", strings.Join(names, ", "))
	}
	if s.Auth.asked() {
		fmt.Fprintf(&b, "auth %s\n", s.Auth)
	}
	for _, p := range s.Personas {
		fmt.Fprintf(&b, "persona %s\n", p)
	}
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "%s\n", r)
	}
	return b.String()
}
