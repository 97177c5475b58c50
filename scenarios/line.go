package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A line is a cursor in one line of a file. Its methods take what they expect
// and move on. The first failure sticks: after it every method returns a zero
// value and does nothing, so that a parser reads like the grammar and looks at
// err once, at the end.
type line struct {
	file string
	row  int
	text string
	pos  int
	err  *SyntaxError
}

// fail records an error at byte offset pos, unless there is one already.
func (l *line) fail(pos int, hint, format string, args ...any) {
	if l.err == nil {
		l.err = &SyntaxError{
			File: l.file, Line: l.row, Col: pos + 1, Text: l.text,
			Reason: fmt.Sprintf(format, args...), Hint: hint,
		}
	}
}

// space moves over blanks.
func (l *line) space() {
	for l.pos < len(l.text) && (l.text[l.pos] == ' ' || l.text[l.pos] == '\t') {
		l.pos++
	}
}

// done reports whether nothing is left, or an error stopped the line.
func (l *line) done() bool {
	l.space()
	return l.err != nil || l.pos >= len(l.text)
}

// end demands that nothing is left. What could still have come is suggested to
// who mistyped it.
func (l *line) end(could ...string) {
	if !l.done() {
		h := ""
		if n := nearest(l.peek(), could); n != "" {
			h = hint(l.peek(), could)
		}
		l.fail(l.pos, h, "%q is not expected here", l.rest())
	}
}

// rest returns what is left of the line, without blanks around it.
func (l *line) rest() string { return strings.TrimSpace(l.text[l.pos:]) }

// peek returns the next word, up to a blank or comma, without moving.
func (l *line) peek() string {
	if l.done() {
		return ""
	}
	rest := l.text[l.pos:]
	if i := strings.IndexAny(rest, " \t,"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// word takes the next word; what names it in the error when there is none.
func (l *line) word(what string) string {
	w := l.peek()
	if w == "" {
		l.fail(l.pos, "", "%s is missing", what)
		return ""
	}
	l.pos += len(w)
	return w
}

// accept takes the next word if it is w.
func (l *line) accept(w string) bool {
	if l.err != nil || l.peek() != w {
		return false
	}
	l.pos += len(w)
	return true
}

// expect demands the word w.
func (l *line) expect(w string) {
	if !l.accept(w) && l.err == nil {
		l.fail(l.pos, fmt.Sprintf("write %q", w), "expected %q", w)
	}
}

// comma takes a comma if one is next.
func (l *line) comma() bool {
	if l.done() || l.text[l.pos] != ',' {
		return false
	}
	l.pos++
	return true
}

// choose takes one of choices.
func (l *line) choose(what string, choices []string) string {
	l.space()
	at := l.pos
	if l.err != nil {
		return ""
	}
	w := l.word(what)
	if l.err != nil {
		l.err.Hint = hint("", choices)
		return ""
	}
	for _, c := range choices {
		if c == w {
			return w
		}
	}
	l.fail(at, hint(w, choices), "unknown %s %q", what, w)
	return ""
}

// The largest count that a file may say, small enough that nothing overflows.
const maxNumber = 1 << 40

// number takes a whole number of at least least.
func (l *line) number(what string, least int64) int64 {
	l.space()
	at := l.pos
	w := l.word(what)
	if l.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(w, 10, 64)
	if err != nil || n > maxNumber || w[0] == '+' {
		l.fail(at, "write a whole number", "%q is not %s", w, what)
		return 0
	}
	if n < least {
		l.fail(at, "", "%s is at least %d", what, least)
		return 0
	}
	return n
}

// duration takes a duration of at least least.
func (l *line) duration(what string, least time.Duration) time.Duration {
	l.space()
	at := l.pos
	w := l.word(what)
	if l.err != nil {
		return 0
	}
	d, err := parseDuration(w)
	if err != nil && strings.Trim(w, "0123456789") == "" {
		l.fail(at, fmt.Sprintf("write %ss, %sm or %sh", w, w, w), "%q has no unit", w)
	}
	if err != nil {
		l.fail(at, "durations look like 30s, 5m, 2h, 5d or 1h30m", "%q is not a duration", w)
		return 0
	}
	if d < least {
		l.fail(at, "", "%s is at least %s", what, formatDuration(least))
		return 0
	}
	return d
}

// quoted takes a string in double quotes, with Go's escapes.
func (l *line) quoted(what string) string {
	if l.done() {
		l.fail(l.pos, "", "%s is missing", what)
		return ""
	}
	q, err := strconv.QuotedPrefix(l.text[l.pos:])
	if err != nil || q[0] != '"' {
		l.fail(l.pos, `write it in double quotes, such as "text"`, "%s is not a string in double quotes", what)
		return ""
	}
	l.pos += len(q)
	s, err := strconv.Unquote(q)
	if err != nil {
		l.fail(l.pos, "", "%s: %v", what, err)
	}
	return s
}

// name takes the plan's name for a message.
func (l *line) name() string {
	l.space()
	at := l.pos
	w := l.word("the name of a message")
	if l.err == nil {
		if reason := badName(w); reason != "" {
			l.fail(at, "names are short words such as m1 or newsletter", "%q cannot name a message: %s", w, reason)
		}
	}
	return w
}

// host takes a host name without a final dot.
func (l *line) host(what string) string {
	l.space()
	at := l.pos
	w := l.word(what)
	if l.err == nil && !validHost(w) {
		l.fail(at, "a host is written mx1.example.net, without a final dot", "%q is not a host name", w)
	}
	return w
}
