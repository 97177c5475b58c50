package show

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// waitSign marks what is not to be run yet.
const waitSign = "·"

// List writes a line per run, by theme in the order of the runs: mark, name,
// how long the story lasts in virtual time, facts, and what it shows.
func List(w io.Writer, p Paint, runs []Run) {
	name, time, facts := 0, 0, 0
	for _, r := range runs {
		_, rest := Split(r.Scenario.Name)
		name = max(name, utf8.RuneCountInString(rest))
		if r.Result != nil {
			time = max(time, len(span(r.Lasted())))
			facts = max(facts, len(thousands(r.Result.Lines)))
		}
	}
	theme := ""
	for i := 0; i < len(runs); i++ {
		r := runs[i]
		if n := notRun(runs[i:]); n > 1 {
			fmt.Fprintf(w, "\n  %s %s not run\n", p.mark(r.Status()), number(n, "scenario"))
			i += n - 1
			continue
		}
		here, rest := Split(r.Scenario.Name)
		if i == 0 || here != theme {
			theme = here
			if i > 0 {
				fmt.Fprintln(w)
			}
			if theme != "" {
				fmt.Fprintln(w, p.bold(theme))
			}
		}
		mark, title := p.mark(r.Status()), r.Scenario.Title
		numbers := fmt.Sprintf("%*s  %*s", time, "", facts+len(" facts"), "not run")
		switch {
		case r.Broken != nil:
			numbers = fmt.Sprintf("%*s  %*s", time, "", facts+len(" facts"), "broken")
		case r.Waits():
			mark, numbers = p.faint(waitSign), fmt.Sprintf("%*s  %*s", time, "", facts+len(" facts"), "not yet")
			title += p.faint(" (needs " + NotYet(r.Scenario) + ")")
		case r.Result != nil:
			numbers = fmt.Sprintf("%*s  %*s facts", time, span(r.Lasted()), facts, thousands(r.Result.Lines))
		}
		line := fmt.Sprintf("  %s %s  %s  %s", mark, pad(rest, name), p.faint(numbers), title)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// notRun counts the runs, from the first on, for which there was no time.
func notRun(runs []Run) int {
	for i, r := range runs {
		if !r.missing() {
			return i
		}
	}
	return len(runs)
}

// pad fills text up with blanks to so many characters.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-utf8.RuneCountInString(text), 0))
}
