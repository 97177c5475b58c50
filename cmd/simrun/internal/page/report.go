package page

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// A report is what the page of many runs is filled with.
type report struct {
	Worst   status
	Summary string
	Groups  []group
	Themes  []choice
	Classes []choice
	Relays  []string
}

// A group is a heading with runs below it.
type group struct {
	Name string
	Runs []entry
}

// A choice is one of a filter, with how many runs it leaves.
type choice struct {
	Value, Name string
	Count       int
}

// An entry is one run of a report.
type entry struct {
	*view
	ID, Theme, Class string
	// Open is true for the few that do not hold.
	Open bool
	// Ran is false for a run for which there was no time, and for one that
	// needs what the relay does not have yet: NotYet.
	Ran    bool
	NotYet string
	// File is the scenario as a file, FileName what to call it.
	File, FileName string
	// Issue is the bug report as text, for a run that does not hold.
	Issue string
	// Trace makes the page of the trace.
	Trace string
}

// The classes of runs, by which a report is filtered.
const (
	classFails    = "fails"
	classUnproved = "unproved"
	classHolds    = "holds"
	classWaits    = "waits"
)

// mostOpen is how many bug reports stand open when the page is opened.
const mostOpen = 3

// Report writes a page of many runs, which took real time together: those that
// do not hold first, as bug reports, then all others by theme, each with its
// story.
func Report(w io.Writer, runs []show.Run, real time.Duration) error {
	var summary bytes.Buffer
	show.Summary(&summary, show.Paint{}, runs, real)
	p := report{Worst: statusOf(show.Worst(runs)), Summary: strings.TrimSpace(summary.String())}
	for i, r := range runs {
		if !slices.Contains(p.Relays, r.Relay) {
			p.Relays = append(p.Relays, r.Relay)
		}
		p.add(newEntry(r, i))
	}
	for _, g := range p.Groups {
		for i := range g.Runs {
			g.Runs[i].Open = g.Name == "" && len(g.Runs) <= mostOpen
		}
	}
	slices.SortFunc(p.Themes, func(a, b choice) int { return cmp.Compare(a.Value, b.Value) })
	t, err := parse("report.html")
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// add puts an entry in its group, and counts it.
func (p *report) add(e entry) {
	name := e.Theme
	if e.Class == classFails {
		name = ""
	}
	at := slices.IndexFunc(p.Groups, func(g group) bool { return g.Name == name })
	if at < 0 {
		at = len(p.Groups)
		if name == "" {
			at = 0
		}
		p.Groups = slices.Insert(p.Groups, at, group{Name: name})
	}
	p.Groups[at].Runs = append(p.Groups[at].Runs, e)
	p.Themes = counted(p.Themes, e.Theme, e.Theme)
	names := map[string]string{classFails: "do not hold", classUnproved: "no verdict", classHolds: "hold", classWaits: "not in the relay yet"}
	p.Classes = counted(p.Classes, e.Class, names[e.Class])
}

func counted(all []choice, value, name string) []choice {
	for i := range all {
		if all[i].Value == value {
			all[i].Count++
			return all
		}
	}
	return append(all, choice{value, name, 1})
}

func newEntry(r show.Run, i int) entry {
	e := entry{
		ID: fmt.Sprintf("run%d", i), Theme: r.Theme(), Ran: r.Result != nil, Class: classOf(r.Status()),
		File: string(scenarios.Format(r.Scenario)), Trace: show.Command + " trace " + r.Replay,
	}
	if r.Waits() {
		e.Class, e.NotYet = classWaits, show.NotYet(r.Scenario)
	}
	if e.Theme == "" {
		e.Theme = "files"
	}
	_, name := show.Split(r.Scenario.Name)
	e.FileName = strings.TrimSuffix(name, scenarios.Ending) + scenarios.Ending
	if !e.Ran {
		r.Result = &sim.Result{Status: sim.NoVerdict}
	}
	e.view = newView(r, show.Command+" replay "+r.Replay+" -v")
	e.Story, e.Cut = story(r, reportBegins, reportEnds)
	e.Broken, e.Others, e.More, _ = violations(r)
	if e.Class == classFails {
		e.Issue = e.issue()
	}
	return e
}

func classOf(s sim.Status) string {
	switch s {
	case sim.OK:
		return classHolds
	case sim.NoVerdict:
		return classUnproved
	}
	return classFails
}

// Sentence says in one sentence what is wrong.
func (e entry) Sentence() string {
	switch {
	case len(e.Broken) > 0:
		return e.Broken[0].Rule + ": " + e.Broken[0].Sentence + "."
	case len(e.Mismatches) > 0:
		return "Expected otherwise: " + e.Mismatches[0] + "."
	}
	return e.Run.Scenario.Name + " " + e.Status.Text + "."
}

// issue is the bug report as text that can be pasted into a tracker.
func (e entry) issue() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nRelay %s in scenario %s, seed %d.\n", e.Sentence(), e.Run.Relay, e.Run.Scenario.Name, e.Run.Scenario.Seed)
	for i, v := range e.Broken {
		if i > 0 {
			fmt.Fprintf(&b, "\nAlso %s: %s.\n", v.Rule, v.Sentence)
		}
		fmt.Fprint(&b, "\n")
		for _, m := range v.Facts {
			fmt.Fprintf(&b, "    %-13s %s\n", m.When, m.What)
		}
		fmt.Fprintf(&b, "\nThe rule: %s (%s)\n", v.Text, v.Sources)
	}
	if n := len(e.Others) + e.More; n > 0 {
		fmt.Fprintf(&b, "\nThere are %s.\n", show.Number(n, "more violation"))
	}
	if len(e.Mismatches) > 0 {
		fmt.Fprint(&b, "\nExpected otherwise:\n\n")
		for _, m := range e.Mismatches {
			fmt.Fprintf(&b, "    %s\n", m)
		}
	}
	if e.Panic != "" {
		fmt.Fprintf(&b, "\nThe relay did not end well:\n\n```\n%s\n```\n", strings.TrimSpace(e.Panic))
	}
	fmt.Fprintf(&b, "\nReplay it:\n\n    %s\n\nThe scenario:\n\n```\n%s\n```\n\nTrace %s, %s.\n",
		e.Command, strings.TrimSpace(e.File), e.Run.Result.Hash, e.Facts)
	return b.String()
}
