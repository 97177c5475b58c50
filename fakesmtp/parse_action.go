package fakesmtp

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postonce/postonce/spec"
)

// actionForms are the actions that are no reply: the word with which each
// begins, and its forms.
var actionForms = [...]struct{ word, form, meaning string }{
	{"raw", `raw "BYTES"`, `send these bytes, a Go string such as "25\r\n"; they count by the code that they begin with`},
	{"delay", "delay TIME", "wait; the session ends if the client goes, but not at dot"},
	{"drip", "drip TIME; REPLY", "send the reply one byte per TIME"},
	{"repeat", "repeat N; REPLY", "send the reply N times"},
	{"cut", "cut", "end the connection abruptly, with RST"},
	{"cut", "cut after N; REPLY", "send N bytes of the reply, then cut; at body and handshake, without a reply: " +
		"cut when N bytes of content were read, or of the handshake sent, or all"},
	{"fin", "fin", "end the connection in an orderly way"},
	{"silence", "silence", "say nothing more, until the client goes"},
	{"accept", "accept", "at dot: take the message, whatever is said then"},
	{"present", "present CERTIFICATE [for NAME]", "at handshake: show this certificate; trusted, for the server's own name, unless said"},
	{"demand", "demand", "at handshake: ask for a certificate of the client, and break off without one"},
	{"lose", "lose", "at dot: take the message and cut"},
}

// actionWords returns the words with which an action begins that is no reply.
func actionWords() []string {
	var words []string
	for _, a := range actionForms {
		if !slices.Contains(words, a.word) {
			words = append(words, a.word)
		}
	}
	return words
}

const replyHint = "a reply is written 451 4.7.1 Try again, or with several lines 250-first|250 last"

// actions takes the actions of a rule, up to the end of the line.
func (c *cursor) actions(stage spec.Stage) []Action {
	var all []Action
	for c.err == nil {
		c.done()
		start := c.pos
		a := c.action(stage)
		if n := len(all); n > 0 && all[n-1].modifies(stage) && !a.speaks() && !a.modifies(stage) {
			c.fail(start, "put it right before the reply that it changes", "%s is not followed by a reply", all[n-1].Do)
		}
		all = append(all, a)
		if c.done() {
			break
		}
		switch {
		case !c.symbol(';'):
			c.fail(c.pos, "actions are separated by semicolons", "%q is not expected here", c.text[c.pos:])
		case a.ends(stage):
			c.fail(c.pos-1, "leave out what follows", "nothing can happen after %s", a.Do)
		}
	}
	if n := len(all); n > 0 && all[n-1].modifies(stage) {
		c.fail(c.pos, "write the reply after it, such as cut after 4; 250 ok", "%s is not followed by a reply", all[n-1].Do)
	}
	return all
}

// maxRepeat bounds what a server sends: no client reads so much of a reply.
const maxRepeat = 1_000_000

// action takes one action and checks that it makes sense at the stage.
func (c *cursor) action(stage spec.Stage) Action {
	c.done()
	start := c.pos
	var a Action
	if rest := c.text[c.pos:]; rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		a = c.reply()
	} else {
		a = c.word()
	}
	switch {
	case stage == spec.StageConnect && (a.speaks() || a.modifies(stage)):
		c.fail(start, "write it at greeting", "nothing is said at connect")
	case stage == spec.StageHandshake && (a.Do == Reply || a.Do == Drip || a.Do == Repeat):
		c.fail(start, `write what is no TLS as bytes: raw "what?\r\n"`, "there are no replies in a handshake")
	case (a.Do == Present || a.Do == Demand) && stage != spec.StageHandshake:
		c.fail(start, "write it at handshake", "certificates are shown only at handshake")
	case (a.Do == Accept || a.Do == Lose) && stage != spec.StageDot:
		c.fail(start, "write it at dot", "a message can be accepted only at dot")
	}
	return a
}

// word takes an action that is no reply.
func (c *cursor) word() Action {
	w := c.peek()
	if !slices.Contains(actionWords(), w) {
		h := "write a reply such as 451 4.7.1 Try again, or one of: " + strings.Join(actionWords(), ", ")
		if near := hint(w, actionWords()); strings.HasPrefix(near, "did") {
			h = near
		}
		switch {
		case w == "":
			c.fail(c.pos, h, "the action is missing")
		case strings.Contains(c.text[:c.pos], ";"):
			h += `; to send a semicolon write raw "250 a;b\r\n"`
		}
		c.fail(c.pos, h, "unknown action %q", w)
		return Action{}
	}
	c.pos += len(w)
	a := Action{Do: Verb(w)}
	switch a.Do {
	case Raw:
		if a.Text = c.quoted(); a.Text == "" {
			c.fail(c.pos, "", "raw sends nothing")
		}
	case Delay, Drip:
		a.Wait = c.duration()
	case Repeat:
		c.done()
		at := c.pos
		if a.Count = c.number(); a.Count > maxRepeat {
			c.fail(at, "far fewer fill every buffer", "a reply is sent at most %d times", maxRepeat)
		}
	case Present:
		a.Text = c.choose("certificate", certificateWords())
		c.done()
		if at := c.pos; c.accept("for") {
			name := c.hostname()
			if a.Text == string(WrongName) {
				c.fail(at, "write trusted for "+name, "%s is for wrong.example", WrongName)
			}
			a.Text += " for " + name
		}
	case Cut:
		if c.accept("after") {
			a.Do, a.Count = CutAfter, c.number()
		}
	}
	return a
}

// reply takes a reply, up to a semicolon or the end of the line.
func (c *cursor) reply() Action {
	start := c.pos
	text, _, _ := strings.Cut(c.text[start:], ";")
	c.pos += len(text)
	if r, bad := badRune(text); bad {
		c.fail(start+strings.IndexRune(text, r), `write raw "250 \x01\r\n"`, "a reply cannot have the character %U", r)
		return Action{}
	}
	parts := strings.Split(text, "|")
	code, at := "", start
	for i, part := range parts {
		line, last := strings.TrimSpace(part), i == len(parts)-1
		digits := line[:min(len(line), 3)]
		coded := len(digits) == 3 && isCode(digits) && (len(line) == 3 || line[3] == ' ' || line[3] == '-')
		switch {
		case i == 0 && !coded:
			c.fail(at, replyHint, "%q does not begin with a code from 200 to 599", line)
		case i == 0:
			code = digits
		case !coded:
			line, coded = code+" "+line, true
		case digits != code:
			c.fail(at, `for codes that differ write raw "250-a\r\n550 b\r\n"`, "the lines of one reply have one code, not %s and %s", code, digits)
		}
		if c.err != nil {
			return Action{}
		}
		if last && len(line) > 3 && line[3] == '-' {
			c.fail(at, `write a blank for the hyphen; for a reply that has no end write raw "250-a\r\n"`, "the last line of a reply has no hyphen")
		}
		parts[i] = replyLine(code, strings.TrimSpace(line[min(len(line), 4):]), last)
		at += len(part) + 1
	}
	return Action{Do: Reply, Text: strings.Join(parts, "|")}
}

// replyLine writes one line of a reply.
func replyLine(code, text string, last bool) string {
	switch {
	case !last:
		return code + "-" + text
	case text == "":
		return code
	}
	return code + " " + text
}

// isCode reports whether digits is a reply code (RFC 5321 section 4.2).
func isCode(digits string) bool {
	return digits[0] >= '2' && digits[0] <= '5' && digits[1] >= '0' && digits[1] <= '9' && digits[2] >= '0' && digits[2] <= '9'
}

// badRune finds a character that a reply cannot show in a script.
func badRune(text string) (rune, bool) {
	for _, r := range text {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' {
			return r, true
		}
	}
	return 0, false
}
