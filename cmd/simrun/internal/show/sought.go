package show

import (
	"fmt"
	"io"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Sought is what became of searching for one mutant.
type Sought struct {
	Name, Wrong string
	Rule        spec.Rule
	// By is the search that found it, empty when none did, after so many
	// worlds; Where is the world or scenario.
	By, Where string
	Worlds    int
	// Shrunk is the scenario that is left of it, and how many lines that has.
	Shrunk string
	Lines  int
}

// mostLines is how long a shrunk scenario may be, to be read at a glance.
const mostLines = 25

// SoughtTable writes a line per mutant, and one about all.
func SoughtTable(w io.Writer, p Paint, all []Sought, budget int) {
	name, rule, where := 0, 0, 0
	for _, s := range all {
		name, rule, where = max(name, len(s.Name)), max(rule, len(s.Rule)), max(where, len(s.place()))
	}
	found, small := 0, 0
	for _, s := range all {
		status := sim.Safety
		if s.By != "" {
			found++
			status = sim.OK
		}
		if s.Lines > 0 && s.Lines <= mostLines {
			small++
		}
		fmt.Fprintf(w, "%s %s  %s  %s  %s\n", p.mark(status), p.bold(pad(s.Name, name)), pad(string(s.Rule), rule), pad(s.place(), where), s.after())
	}
	fmt.Fprintf(w, "\n%d of %s found within %s and the sweeps of the library, %d of them shrunk to at most %d lines\n",
		found, number(len(all), "mutant"), number(budget, "random world"), small, mostLines)
}

func (s Sought) place() string {
	if s.By == "" {
		return "NOT FOUND"
	}
	return s.By + " " + s.Where
}

func (s Sought) after() string {
	text := "after " + number(s.Worlds, "world")
	if s.Lines > 0 {
		text += ", shrunk to " + number(s.Lines, "line")
	}
	return text
}
