package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/reach"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// Coverage writes what runs reached: a line per group, the verdict table with
// how often each cell was met, what is missing, and what cannot be reached.
func Coverage(w io.Writer, p Paint, c *coverage.Coverage) {
	gaps := reach.Gaps(c)
	coverageSummary(w, p, gaps)
	fmt.Fprintln(w)
	cells(w, p, c)
	for _, g := range gaps {
		if len(g.Missing) > 0 {
			fmt.Fprintf(w, "\n%s\n", p.bold(missingTitle(g)))
			missing(w, g)
		}
	}
	for _, g := range gaps {
		if len(g.Nevers) > 0 {
			fmt.Fprintf(w, "\n%s\n", p.bold(g.Group.String()+" that cannot be reached"))
			nevers(w, p, g.Nevers)
		}
	}
	wrongs(w, p, gaps)
	if n := c.Strange(); n > 0 {
		fmt.Fprintf(w, "\n%s\n", p.bad(number(n, "fault")+" of a kind that nobody knows"))
	}
}

// Missing writes only what could be reached and was not, a point a line.
func Missing(w io.Writer, c *coverage.Coverage) {
	for _, g := range reach.Gaps(c) {
		for _, p := range g.Missing {
			fmt.Fprintln(w, p)
		}
	}
}

func missingTitle(g reach.Gap) string {
	return fmt.Sprintf("%s missing: %s of %s", g.Group, thousands(len(g.Missing)), thousands(g.All))
}

// coverageSummary writes a line per group.
func coverageSummary(w io.Writer, p Paint, gaps []reach.Gap) {
	name, reached, all := 0, 0, 0
	for _, g := range gaps {
		name, reached, all = max(name, len(g.Group.String())), max(reached, len(thousands(g.Reached))), max(all, len(thousands(g.All)))
	}
	for _, g := range gaps {
		mark := p.good("✓")
		var rest []string
		if n := len(g.Missing); n > 0 {
			mark = p.doubt("?")
			rest = append(rest, p.doubt(thousands(n)+" missing"))
		}
		if n := len(g.Nevers); n > 0 {
			rest = append(rest, p.faint(thousands(n)+" cannot be reached"))
		}
		if n := len(g.Wrong); n > 0 {
			mark = p.Cross()
			rest = append(rest, p.bad(thousands(n)+" said to be out of reach"))
		}
		line := fmt.Sprintf("%s %s  %*s of %*s", mark, p.bold(pad(g.Group.String(), name)), reached, thousands(g.Reached), all, thousands(g.All))
		fmt.Fprintln(w, strings.TrimRight(line+"  "+strings.Join(rest, ", "), " "))
	}
}

// cells writes the verdict table: how often each cell was met, "-" for one
// that was not, blank for what cannot occur.
func cells(w io.Writer, p Paint, c *coverage.Coverage) {
	events := spec.Events()
	width := make([]int, len(events))
	stage := 0
	for i, e := range events {
		width[i] = len(e.String())
		for _, s := range spec.Stages() {
			stage = max(stage, len(s.String()))
			width[i] = max(width[i], len(cellText(c, s, e)))
		}
	}
	var head strings.Builder
	for i, e := range events {
		fmt.Fprintf(&head, "  %*s", width[i], e)
	}
	fmt.Fprintln(w, p.faint("  "+pad("", stage)+head.String()))
	for _, s := range spec.Stages() {
		var b strings.Builder
		for i, e := range events {
			text := cellText(c, s, e)
			padded := fmt.Sprintf("  %*s", width[i], text)
			if text == unmet {
				padded = p.doubt(padded)
			}
			b.WriteString(padded)
		}
		fmt.Fprintf(w, "  %s%s\n", pad(s.String(), stage), strings.TrimRight(b.String(), " "))
	}
}

const unmet = "-"

func cellText(c *coverage.Coverage, s spec.Stage, e spec.Event) string {
	point, ok := coverage.CellPoint(s, e)
	switch {
	case !ok:
		return ""
	case !c.Reached(point):
		return unmet
	}
	return thousands(c.Count(point))
}

// missing writes points; those of a grid by row.
func missing(w io.Writer, g reach.Gap) {
	row, columns := "", []string(nil)
	flush := func() {
		if row != "" {
			fmt.Fprintf(w, "  %s: %s\n", row, strings.Join(columns, ", "))
		}
		columns = nil
	}
	for _, p := range g.Missing {
		first, second, grid := strings.Cut(p.Title(), " × ")
		if !grid {
			fmt.Fprintf(w, "  %s\n", first)
			continue
		}
		if first != row {
			flush()
			row = first
		}
		columns = append(columns, second)
	}
	flush()
}

// wrongs writes what was reached against what is said of it.
func wrongs(w io.Writer, p Paint, gaps []reach.Gap) {
	for _, g := range gaps {
		if len(g.Wrong) > 0 {
			fmt.Fprintf(w, "\n%s\n", p.bad(g.Group.String()+" that were reached, though it is said that they cannot be"))
			nevers(w, p, g.Wrong)
		}
	}
}

// nevers writes points with the reason, those that share one together.
func nevers(w io.Writer, p Paint, all []reach.Never) {
	for i := 0; i < len(all); {
		var titles []string
		why := all[i].Why
		for ; i < len(all) && all[i].Why == why; i++ {
			titles = append(titles, all[i].Point.Title())
		}
		fmt.Fprintf(w, "  %s\n    %s\n", strings.Join(titles, "; "), p.faint(why))
	}
}
