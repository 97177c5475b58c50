package show

import "github.com/postonce/postonce/sim"

// A Paint colours text for a terminal; the zero Paint leaves it as it is.
type Paint struct{ On bool }

func (p Paint) in(code, text string) string {
	if !p.On || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p Paint) good(text string) string  { return p.in("32", text) }
func (p Paint) bad(text string) string   { return p.in("31;1", text) }
func (p Paint) doubt(text string) string { return p.in("33", text) }
func (p Paint) faint(text string) string { return p.in("2", text) }
func (p Paint) bold(text string) string  { return p.in("1", text) }

// mark is the sign that a line about a run begins with.
func (p Paint) mark(s sim.Status) string { return p.by(s, sign(s)) }

// by colours text by a status.
func (p Paint) by(s sim.Status, text string) string {
	switch s {
	case sim.OK:
		return p.good(text)
	case sim.NoVerdict:
		return p.doubt(text)
	}
	return p.bad(text)
}

func sign(s sim.Status) string {
	switch s {
	case sim.OK:
		return "✓"
	case sim.NoVerdict:
		return "?"
	}
	return "✗"
}

// Cross is the mark of what is wrong.
func (p Paint) Cross() string { return p.bad("✗") }

// Ratio writes how many of total are as they should be, coloured by that.
func Ratio(p Paint, n, total int) string {
	if n == total {
		return p.good(thousands(n))
	}
	return p.bad(thousands(n))
}
