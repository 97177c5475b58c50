package show

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postonce/postonce/impl/queue/exhaust"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Search is a world of the core with what its search came to.
type Search struct {
	World exhaust.World
	// Result is nil when there was no time to search it.
	Result *exhaust.Result
	// Took is how long that took in real time.
	Took time.Duration
}

// Status is Safety or Progress for a rule that is broken, and NoVerdict when
// not everything was looked at.
func (s Search) Status() sim.Status {
	switch {
	case s.Result == nil:
		return sim.NoVerdict
	case s.Result.Violation != nil && s.Result.Violation.Rule == spec.Progress:
		return sim.Progress
	case s.Result.Violation != nil:
		return sim.Safety
	case !s.Result.Complete:
		return sim.NoVerdict
	}
	return sim.OK
}

// WorstSearch is the gravest status of all.
func WorstSearch(all []Search) sim.Status {
	worst := sim.OK
	for _, s := range all {
		worst = Worse(worst, s.Status())
	}
	return worst
}

// Searches writes a line per world, the story of each rule that is broken, and
// a line about all.
func Searches(w io.Writer, p Paint, all []Search) {
	rows := [][]string{{"world", "in doubt", "states", "transitions", "depth", "time"}}
	for _, s := range all {
		row := []string{s.World.String(), s.World.InDoubt.String(), "", "", "", ""}
		if r := s.Result; r != nil {
			row = append(row[:2], thousands(r.States), thousands(r.Transitions), fmt.Sprint(r.Depth), span(s.Took))
		}
		rows = append(rows, row)
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	for n, row := range rows {
		var b strings.Builder
		for i, text := range row {
			if i < 2 {
				text = pad(text, width[i])
			} else {
				text = strings.Repeat(" ", width[i]-utf8.RuneCountInString(text)) + text
			}
			b.WriteString("  " + text)
		}
		if n == 0 {
			fmt.Fprintf(w, " %s\n", p.faint(b.String()))
			continue
		}
		s := all[n-1]
		fmt.Fprintf(w, "%s%s  %s\n", p.mark(s.Status()), b.String(), p.by(s.Status(), s.verdict()))
	}
	for _, s := range all {
		if s.Result != nil && s.Result.Violation != nil {
			searchStory(w, p, s)
		}
	}
	fmt.Fprintf(w, "\n%s\n", p.by(WorstSearch(all), searchSummary(all)))
}

// verdict says in a word what the search came to.
func (s Search) verdict() string {
	switch {
	case s.Result == nil:
		return "not begun"
	case s.Result.Violation != nil:
		return string(s.Result.Violation.Rule)
	case !s.Result.Complete:
		return "not complete"
	}
	return "complete"
}

// searchStory tells how a rule came to be broken.
func searchStory(w io.Writer, p Paint, s Search) {
	v := s.Result.Violation
	fmt.Fprintf(w, "\n%s %s\n", p.Cross(), p.bold(fmt.Sprintf("%s, in doubt: %s", s.World, s.World.InDoubt)))
	fmt.Fprintf(w, "  %s: %s\n  %s\n\n", p.bad(string(v.Rule)), sentence(v.Sentence), p.faint(v.Rule.Text()))
	for i, c := range v.Story {
		fmt.Fprintf(w, "  %3d  %s\n", i, c.Event)
		for _, a := range c.Actions {
			fmt.Fprintf(w, "         %s\n", p.faint(a))
		}
	}
}

// searchSummary is one sentence about all searches.
func searchSummary(all []Search) string {
	states, complete, broken := 0, 0, 0
	for _, s := range all {
		if s.Result == nil {
			continue
		}
		states += s.Result.States
		if s.Result.Complete {
			complete++
		}
		if s.Result.Violation != nil {
			broken++
		}
	}
	parts := []string{number(states, "state")}
	if complete == len(all) {
		parts = append(parts, "complete, and every rule holds in every order")
	} else {
		parts = append(parts, fmt.Sprintf("%d of %s complete", complete, number(len(all), "world")))
	}
	if broken > 0 {
		parts = append(parts, fmt.Sprintf("%d broke a rule", broken))
	}
	return strings.Join(parts, " · ")
}

// Counting says how far searches are whose end nobody knows.
func Counting(done, worlds, states int, since time.Duration) string {
	rate := int(float64(states) / max(since.Seconds(), 0.001))
	return fmt.Sprintf("%d of %s · %s · %s states/s", done, number(worlds, "world"), number(states, "state"), thousands(rate))
}
