package fakesmtp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A cursor moves over one line of a script. Its methods take what they expect.
// The first failure sticks: after it every method returns a zero value and
// does nothing, so that a parser reads like the grammar and looks at err once,
// at the end.
type cursor struct {
	file string
	line int
	text string
	pos  int
	err  *SyntaxError
}

// fail records an error at byte offset pos, unless there is one already.
func (c *cursor) fail(pos int, hint, format string, args ...any) {
	if c.err == nil {
		c.err = &SyntaxError{File: c.file, Line: c.line, Col: pos + 1, Text: c.text, Reason: fmt.Sprintf(format, args...), Hint: hint}
	}
}

// done moves over blanks and reports whether nothing is left, or an error
// stopped the line.
func (c *cursor) done() bool {
	for c.pos < len(c.text) && (c.text[c.pos] == ' ' || c.text[c.pos] == '\t') {
		c.pos++
	}
	return c.err != nil || c.pos >= len(c.text)
}

// peek returns the next word, up to a blank or separator, without moving.
func (c *cursor) peek() string {
	if c.done() {
		return ""
	}
	rest := c.text[c.pos:]
	if i := strings.IndexAny(rest, " \t,:;<"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// accept takes the next word if it is w.
func (c *cursor) accept(w string) bool {
	if c.err != nil || c.peek() != w {
		return false
	}
	c.pos += len(w)
	return true
}

// symbol takes the byte b if it is next.
func (c *cursor) symbol(b byte) bool {
	if c.done() || c.text[c.pos] != b {
		return false
	}
	c.pos++
	return true
}

// choose takes one of choices.
func (c *cursor) choose(what string, choices []string) string {
	w := c.peek()
	for _, choice := range choices {
		if w == choice {
			c.pos += len(w)
			return w
		}
	}
	if w == "" {
		c.fail(c.pos, hint("", choices), "the %s is missing", what)
	} else {
		c.fail(c.pos, hint(w, choices), "unknown %s %q", what, w)
	}
	return ""
}

// The largest count that a script may say.
const maxCount = 1 << 30

// number takes a whole number of at least 1.
func (c *cursor) number() int {
	w := c.peek()
	n, err := strconv.Atoi(w)
	if err != nil || n < 1 || n > maxCount || w[0] == '+' {
		c.fail(c.pos, "write a whole number from 1 on", "%q is not a count", w)
		return 0
	}
	c.pos += len(w)
	return n
}

// duration takes a duration longer than nothing.
func (c *cursor) duration() time.Duration {
	w := c.peek()
	d, err := parseDuration(w)
	if err != nil && w != "" && strings.Trim(w, "0123456789") == "" && strings.Trim(w, "0") != "" {
		c.fail(c.pos, fmt.Sprintf("write %ss, %sm or %sh", w, w, w), "%q has no unit", w)
	}
	if err != nil {
		c.fail(c.pos, "durations look like 30s, 5m, 2h, 5d or 1h30m", "%q is not a duration", w)
		return 0
	}
	c.pos += len(w)
	return d
}

// quoted takes a string in double quotes, with Go's escapes.
func (c *cursor) quoted() string {
	c.done()
	if c.err != nil {
		return ""
	}
	q, err := strconv.QuotedPrefix(c.text[c.pos:])
	if err != nil || q[0] != '"' {
		c.fail(c.pos, `write the bytes as a Go string, such as raw "250 o\r\n"`, "there is no complete string in double quotes here")
		return ""
	}
	c.pos += len(q)
	s, err := strconv.Unquote(q)
	if err != nil {
		c.fail(c.pos, "", "the string: %v", err)
	}
	return s
}

// path takes an address in angle brackets and returns it without them.
func (c *cursor) path() string {
	if c.done() {
		c.fail(c.pos, "write an address such as <bob@example.net>", "the address is missing")
		return ""
	}
	start := c.pos
	end := closing(c.text[start:])
	if end < 0 {
		c.fail(start, "write an address such as <bob@example.net>", "an address stands between angle brackets")
		return ""
	}
	c.pos += end + 1
	inner := c.text[start+1 : start+end]
	for i := range len(inner) {
		if inner[i] < ' ' || inner[i] == 0x7f {
			c.fail(start, "", "the address has a control character")
		}
	}
	if inner != strings.Trim(inner, "<>") {
		c.fail(start, "", "the address has too many angle brackets")
	}
	return inner
}

// closing returns where the bracket that begins s is closed, outside quoted
// strings; -1 when s begins with none or it is not closed.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case i == 0 && s[i] != '<':
			return -1
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return -1
}
