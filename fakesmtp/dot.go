package fakesmtp

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// dot answers the final dot. The message is accepted when a rule says so, or
// when the reply is positive: before its first byte leaves, because from then
// on the client may hold it for delivered.
func (c *session) dot(t *transaction, b *body) error {
	d := &delivery{c: c, t: t, b: b}
	if t.early != "" {
		// The reply was given before the dot, and there is no other. A
		// positive one binds the server all the same.
		if codeOf(t.early)/100 == 2 {
			d.accept()
			d.replied()
		}
		return nil
	}
	normal := c.worded("250 2.0.0 Accepted")
	switch {
	case len(t.to) == 0:
		normal = c.worded("554 5.5.1 No valid recipients") // RFC 2920 section 3.1
	case b.size > c.limit():
		normal = c.worded("552 5.3.4 Message too big")
	}
	decide := func(said string) {
		if codeOf(said)/100 == 2 {
			d.accept()
		}
	}
	missized := t.size != "" && t.size != strconv.FormatInt(b.size, 10)
	o := occasion{stage: spec.StageDot, recipients: len(t.to), missized: missized}
	_, err := c.answer(o, normal, &deed{decide, d.accept, d.replied})
	return err
}

// A delivery is a message that may be accepted, once.
type delivery struct {
	c        *session
	t        *transaction
	b        *body
	accepted bool
	id       string
}

// accept takes the message. Without recipients there is nothing to take.
func (d *delivery) accept() {
	if d.accepted || len(d.t.to) == 0 {
		return
	}
	d.accepted = true
	d.id = messageID(d.b.kept)
	a := Acceptance{
		Session: d.c.id, From: d.t.from, To: d.t.to, Message: d.id, Hash: d.b.hash.Sum(), Size: d.b.size,
	}
	whole := d.b.size == int64(len(d.b.kept))
	if whole && d.c.server.KeepContent {
		a.Content = d.b.kept
	}
	d.c.server.take(a)
	d.c.note(spec.Fact{Kind: spec.FactAccepted, Stage: spec.StageDot, Message: a.Message, From: bracket(a.From), To: a.To, Hash: a.Hash})
	if !whole {
		return // a report that big is none
	}
	for _, r := range readReport(d.b.kept) {
		d.c.note(spec.Fact{
			Kind: spec.FactReportSeen, Stage: spec.StageDot, Message: a.Message, To: []string{r.recipient},
			Reply: r.action, Text: r.about, State: r.state,
		})
	}
}

// replied says that the reply to an accepted message was written whole.
func (d *delivery) replied() {
	if d.accepted {
		d.c.note(spec.Fact{Kind: spec.FactReplied, Stage: spec.StageDot, Message: d.id, To: d.t.to})
	}
}

// messageID returns the Message-ID of a content without its angle brackets,
// empty when the header has none.
func messageID(content []byte) string {
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, maxKept+1)
	value, found := "", false
	for lines.Scan() && lines.Text() != "" {
		line := lines.Text()
		if line[0] == ' ' || line[0] == '\t' {
			if found {
				value += line
			}
			continue
		}
		if found {
			break
		}
		name, rest, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimRight(name, " \t"), "Message-ID") {
			value, found = rest, true
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(value), "<"), ">")
}
