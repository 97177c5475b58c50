// Package coverpage writes coverage as one page of HTML that needs nothing
// else: the verdict table, transitions, and faults by where recipients stood.
package coverpage

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math/bits"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/reach"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

//go:embed page.html
var pageText string

// Write writes the page. Equal coverages are equal bytes.
func Write(w io.Writer, c *coverage.Coverage) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(w, newPage(c))
}

// A page is what the template shows.
type page struct {
	Runs    string
	Groups  []group
	Strange string
	Shades  []shade
	Grids   []grid
	Nevers  []never
}

type group struct {
	Name         string
	Reached, All int
	Rest         string
}

// A shade is how strongly a field is coloured whose count has N bits.
type shade struct {
	N     int
	Alpha string
}

type grid struct {
	Title, Text string
	Columns     []string
	Rows        []row
}

type row struct {
	Name   string
	Fields []field
}

type field struct{ Class, Text, Title string }

type never struct{ Points, Why string }

// shades is how many there are: each count of twice as much is darker.
const shades = 12

func newPage(c *coverage.Coverage) page {
	p := page{Runs: plural(c.Runs(), "run")}
	if n := c.Strange(); n > 0 {
		p.Strange = plural(n, "fault")
	}
	for n := 1; n <= shades; n++ {
		p.Shades = append(p.Shades, shade{n, fmt.Sprintf("%.2f", 0.10+0.06*float64(n-1))})
	}
	for _, g := range reach.Gaps(c) {
		p.Groups = append(p.Groups, group{g.Group.String(), g.Reached, g.All, rest(g)})
	}
	v := view{c: c, why: map[coverage.Point]string{}}
	for _, n := range reach.Nevers() {
		v.why[n.Point] = n.Why
		if last := len(p.Nevers) - 1; last >= 0 && p.Nevers[last].Why == n.Why {
			p.Nevers[last].Points += "; " + n.Point.Title()
			continue
		}
		p.Nevers = append(p.Nevers, never{n.Point.Title(), n.Why})
	}
	p.Grids = []grid{v.cells(), v.transitions(false), v.transitions(true), v.faults()}
	return p
}

func rest(g reach.Gap) string {
	var parts []string
	if n := len(g.Missing); n > 0 {
		parts = append(parts, fmt.Sprintf("%d missing", n))
	}
	if n := len(g.Nevers); n > 0 {
		parts = append(parts, fmt.Sprintf("%d cannot be reached", n))
	}
	if n := len(g.Wrong); n > 0 {
		parts = append(parts, fmt.Sprintf("%d reached, though it is said that they cannot be", n))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// A view makes grids of a coverage.
type view struct {
	c   *coverage.Coverage
	why map[coverage.Point]string
}

// field shows one point; about says more of it.
func (v view) field(p coverage.Point, ok bool, about string) field {
	if !ok {
		return field{Class: "none"}
	}
	title := p.Title()
	if about != "" {
		title += ": " + about
	}
	switch n := v.c.Count(p); {
	case n > 0:
		return field{fmt.Sprintf("h%d", min(bits.Len(uint(n)), shades)), fmt.Sprint(n), title}
	case v.why[p] != "":
		return field{"never", "×", title + ". " + v.why[p]}
	}
	return field{"miss", "–", title}
}

// cells shows the verdict table.
func (v view) cells() grid {
	g := grid{Title: "The verdict table", Text: "Stage of the conversation by what was met there, and how often the relay met it."}
	for _, e := range spec.Events() {
		g.Columns = append(g.Columns, e.String())
	}
	for _, s := range spec.Stages() {
		r := row{Name: s.String()}
		for _, e := range spec.Events() {
			p, ok := coverage.CellPoint(s, e)
			about := ""
			if ok {
				cell := spec.Decide(s, e)
				about = fmt.Sprintf("%v (%s). %s", cell.Verdict, cell.Source, cell.Why)
			}
			r.Fields = append(r.Fields, v.field(p, ok, about))
		}
		g.Rows = append(g.Rows, r)
	}
	return g
}

// transitions shows from which state recipients went to which.
func (v view) transitions(restarted bool) grid {
	g := grid{Title: "State transitions in one process", Text: "From the state of the row to that of the column."}
	if restarted {
		g.Title, g.Text = "State transitions across a restart", "The state was left in another process than the one in which it was entered."
	}
	for to := spec.Queued; to <= spec.Deleted; to++ {
		g.Columns = append(g.Columns, to.String())
	}
	for from := spec.RecipientState(0); from <= spec.Deleted; from++ {
		if from.Final() {
			continue
		}
		r := row{Name: coverage.StateName(from)}
		for to := spec.Queued; to <= spec.Deleted; to++ {
			p, ok := coverage.TransitionPoint(from, to, restarted)
			r.Fields = append(r.Fields, v.field(p, ok, ""))
		}
		g.Rows = append(g.Rows, r)
	}
	return g
}

// faults shows kinds of faults by where those stood whom they concerned.
func (v view) faults() grid {
	g := grid{
		Title: "Faults, and where recipients stood", Columns: []string{"fired"},
		Text: "How often a fault of the kind fired, and how often while a recipient that it concerned stood there.",
	}
	for _, at := range coverage.Places() {
		g.Columns = append(g.Columns, at.String())
	}
	for _, f := range spec.Faults() {
		p, ok := coverage.FaultPoint(f)
		r := row{Name: string(f), Fields: []field{v.field(p, ok, "")}}
		for _, at := range coverage.Places() {
			p, ok := coverage.PairPoint(f, at)
			r.Fields = append(r.Fields, v.field(p, ok, ""))
		}
		g.Rows = append(g.Rows, r)
	}
	return g
}
