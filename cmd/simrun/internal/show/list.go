package show

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

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
	for i, r := range runs {
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
		numbers := fmt.Sprintf("%*s  %*s", time, "", facts+len(" facts"), "not run")
		if r.Result != nil {
			numbers = fmt.Sprintf("%*s  %*s facts", time, span(r.Lasted()), facts, thousands(r.Result.Lines))
		}
		fmt.Fprintf(w, "  %s %s  %s  %s\n", p.mark(r.Status()), pad(rest, name), p.faint(numbers), r.Scenario.Title)
	}
}

// pad fills text up with blanks to so many characters.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-utf8.RuneCountInString(text), 0))
}
