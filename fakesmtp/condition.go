package fakesmtp

import (
	"fmt"
	"time"

	"github.com/postonce/postonce/spec"
)

// A condition is one kind of condition of the language: the parser and the
// formatter both go by this table, whose order is the canonical one.
type condition struct {
	word, form, meaning string
	// read takes what follows the word.
	read func(c *cursor, r *Rule)
	// show returns the canonical text, empty when r has no such condition.
	show func(r Rule) string
	// holds tells at which stages it makes sense; nil is all.
	holds func(spec.Stage) bool
}

// conditions lists them all. It is a table, never changed.
var conditions = [...]condition{
	{"connection", "connection N", "the N-th connection to this server",
		countInto(func(r *Rule) *int { return &r.Connection }),
		func(r Rule) string { return showCount("connection", r.Connection) }, nil},
	{"attempt", "attempt N", "the N-th time that this server sees this sender and recipient at this stage; " +
		"at mail the sender, at data, body and dot all recipients",
		countInto(func(r *Rule) *int { return &r.Attempt }),
		func(r Rule) string { return showCount("attempt", r.Attempt) }, hasEnvelope},
	{"over", "over N recipients|messages|connections", "more than N recipients taken in this transaction, transactions in this connection, connections open",
		readOver, showOver, nil},
	{"parameters", "parameters", "MAIL or RCPT has parameters",
		func(_ *cursor, r *Rule) { r.Parameters = true },
		func(r Rule) string { return showFlag("parameters", r.Parameters) }, hasParameters},
	{"pipelined", "pipelined", "more input is there already",
		func(_ *cursor, r *Rule) { r.Pipelined = true },
		func(r Rule) string { return showFlag("pipelined", r.Pipelined) }, canBePipelined},
	{"torn", "torn", "the command, or at dot the CRLF.CRLF of DATA, has come in more than one piece; not under TLS",
		func(_ *cursor, r *Rule) { r.Torn = true },
		func(r Rule) string { return showFlag("torn", r.Torn) }, canBeTorn},
	{"missized", "missized", "SIZE of MAIL has said another number of octets than the content has",
		func(_ *cursor, r *Rule) { r.Missized = true },
		func(r Rule) string { return showFlag("missized", r.Missized) }, isDot},
	{"after", "after TIME", "only from then on, since the start",
		waitInto(func(r *Rule) *time.Duration { return &r.After }),
		func(r Rule) string { return showWait("after", r.After) }, nil},
	{"until", "until TIME", "only up to then, since the start",
		waitInto(func(r *Rule) *time.Duration { return &r.Until }),
		func(r Rule) string { return showWait("until", r.Until) }, nil},
	{"first", "first N", "only the first N times that all else holds",
		countInto(func(r *Rule) *int { return &r.First }),
		func(r Rule) string { return showCount("first", r.First) }, nil},
	{"nth", "nth N", "only the N-th time that all else holds",
		countInto(func(r *Rule) *int { return &r.Nth }),
		func(r Rule) string { return showCount("nth", r.Nth) }, nil},
}

func countInto(field func(*Rule) *int) func(*cursor, *Rule) {
	return func(c *cursor, r *Rule) { *field(r) = c.number() }
}

func waitInto(field func(*Rule) *time.Duration) func(*cursor, *Rule) {
	return func(c *cursor, r *Rule) { *field(r) = c.duration() }
}

// readOver takes "N recipients", "N messages" or "N connections".
func readOver(c *cursor, r *Rule) {
	n := c.number()
	switch c.choose("thing to count", []string{"recipients", "messages", "connections"}) {
	case "recipients":
		r.OverRecipients = n
	case "messages":
		r.OverMessages = n
	case "connections":
		r.OverConnections = n
	}
}

// showOver shows the one limit that a rule may have.
func showOver(r Rule) string {
	switch {
	case r.OverRecipients > 0:
		return fmt.Sprintf("over %d recipients", r.OverRecipients)
	case r.OverMessages > 0:
		return fmt.Sprintf("over %d messages", r.OverMessages)
	case r.OverConnections > 0:
		return fmt.Sprintf("over %d connections", r.OverConnections)
	}
	return ""
}

func showCount(word string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d", word, n)
}

func showWait(word string, d time.Duration) string {
	if d == 0 {
		return ""
	}
	return word + " " + formatDuration(d)
}

func showFlag(word string, on bool) string {
	if !on {
		return ""
	}
	return word
}

// hasEnvelope reports whether a sender is known at a stage.
func hasEnvelope(s spec.Stage) bool { return s >= spec.StageMAIL && s <= spec.StageDot }

// hasRecipient reports whether recipients are known at a stage.
func hasRecipient(s spec.Stage) bool { return s >= spec.StageRCPT && s <= spec.StageDot }

// hasParameters reports whether the command of a stage can have parameters.
func hasParameters(s spec.Stage) bool { return s == spec.StageMAIL || s == spec.StageRCPT }

// canBePipelined reports whether the stage begins with a whole command, after
// which more input can be waiting.
func canBePipelined(s spec.Stage) bool {
	return s >= spec.StageEHLO && s <= spec.StageQUIT && s != spec.StageBody && s != spec.StageHandshake
}

// canBeTorn reports whether what is answered at a stage is a line, or the end of
// the content.
func canBeTorn(s spec.Stage) bool {
	return canBePipelined(s) && s != spec.StageAUTH && s != spec.StageBDAT
}

func isDot(s spec.Stage) bool { return s == spec.StageDot }
