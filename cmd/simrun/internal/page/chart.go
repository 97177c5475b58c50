package page

import (
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A Chart is a trace laid out in lanes: what the page's script draws. Places
// are in pixels at zoom 1, from the left. Indexes count from 0; where a field
// may have none, it is -1.
type Chart struct {
	Width    int       `json:"width"`
	Facts    []Mark    `json:"facts"`
	Instants []Instant `json:"instants"`
	Folds    []Fold    `json:"folds"`
	Lanes    []*Lane   `json:"lanes"`
	Sessions []Session `json:"sessions"`
	// Down are the times between two processes of the relay.
	Down []Down `json:"down"`
	// Broken are the facts of each violation.
	Broken [][]int `json:"broken"`
}

// A Mark is one fact in its place.
type Mark struct {
	X       int    `json:"x"`
	Instant int    `json:"at"`
	Lane    int    `json:"lane"`
	Row     int    `json:"row,omitempty"`
	Session int    `json:"session"`
	Kind    string `json:"kind"`
	State   string `json:"state,omitempty"`
	Words   string `json:"words"`
	Raw     string `json:"raw"`
	// Say is a line of a dialogue; empty for facts that are none.
	Say string `json:"say,omitempty"`
}

// A Lane is one row of the chart, or several when sessions overlap.
type Lane struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	// Note says more than fits in the name.
	Note string `json:"note,omitempty"`
	Rows int    `json:"rows"`
	Bars []Bar  `json:"bars,omitempty"`
	// Shown are facts of other lanes that matter here too.
	Shown []int `json:"shown,omitempty"`
	// Under is the lane that this one is folded under.
	Under int `json:"under"`
	// Count is how many lanes this one stands for, itself included.
	Count int `json:"count"`
}

// The groups of lanes, in the order in which they are drawn.
const (
	groupWorld     = "world"
	groupSubmitter = "submitter"
	groupQueue     = "queue"
	groupRecipient = "recipient"
	groupServer    = "server"
	groupDNS       = "dns"
	groupDisk      = "disk"
)

// A Bar is a time in which a recipient was in one state.
type Bar struct {
	From  int    `json:"from"`
	Until int    `json:"until"`
	State string `json:"state"`
	Label string `json:"label"`
	// Fact began it.
	Fact int `json:"fact"`
}

// A Down is a time without a process: from a crash or stop until a start. The
// end of the world is none.
type Down struct {
	From  int `json:"from"`
	Until int `json:"until"`
}

// A chartist lays out one trace.
type chartist struct {
	facts  []spec.Fact
	xs     []int
	chart  *Chart
	server map[string]int // lanes of servers by name
	lane   map[string]int // lanes of the other groups
	people *recipients
	calls  *sessions
}

// newChart lays out facts that began at start, and marks what broken names.
func newChart(start spec.Wall, facts []spec.Fact, broken []spec.Violation) *Chart {
	c := &chartist{facts: facts, chart: &Chart{}, server: map[string]int{}, lane: map[string]int{}}
	c.xs = c.chart.scale(start, facts)
	c.people = newRecipients(c.xs)
	c.calls = newSessions(facts)
	for i := range facts {
		c.people.observe(i, &facts[i])
	}
	c.people.finish(c.chart.Width)
	c.people.wrong(broken)
	c.addLanes()
	c.chart.Sessions = c.calls.placed(c)
	c.chart.Facts = make([]Mark, len(facts))
	instant := 0
	for i := range facts {
		for instant+1 < len(c.chart.Instants) && c.chart.Instants[instant+1].X <= c.xs[i] {
			instant++
		}
		c.chart.Facts[i] = c.mark(start, i, instant)
	}
	c.chart.Down = down(facts, c.xs)
	c.chart.Broken = locate(facts, broken)
	return c.chart
}

// addLanes makes the lanes in the order in which they are drawn.
func (c *chartist) addLanes() {
	single := func(group, name string) {
		c.lane[group] = c.add(&Lane{Group: group, Name: name, Rows: 1})
	}
	single(groupWorld, "world")
	single(groupSubmitter, "submitter")
	single(groupQueue, "queue")
	first := len(c.chart.Lanes)
	people := c.people.sort()
	for _, r := range people {
		c.add(r.lane)
	}
	fold(people, first)
	for _, name := range c.calls.hosts {
		c.server[name] = c.add(&Lane{Group: groupServer, Name: name, Rows: 1})
	}
	single(groupDNS, "DNS")
	single(groupDisk, "disk")
}

func (c *chartist) add(l *Lane) int {
	l.Under, l.Count = -1, 1
	c.chart.Lanes = append(c.chart.Lanes, l)
	return len(c.chart.Lanes) - 1
}

// mark places one fact.
func (c *chartist) mark(start spec.Wall, i, instant int) Mark {
	f := &c.facts[i]
	m := Mark{X: c.xs[i], Instant: instant, Session: -1, Kind: string(f.Kind), Words: words(start, *f), Raw: f.String()}
	if f.Kind == spec.FactOutcome || f.Kind == spec.FactReportSeen {
		m.State = f.State.String()
	}
	m.Lane, m.Row = c.place(i)
	if s := c.calls.of[i]; s >= 0 {
		m.Session, m.Say = s, say(f)
	}
	return m
}

// place returns the lane of a fact, and the row in it.
func (c *chartist) place(i int) (lane, row int) {
	f := &c.facts[i]
	if s := c.calls.of[i]; s >= 0 {
		return c.chart.Sessions[s].Lane, c.chart.Sessions[s].Row
	}
	switch f.Actor {
	case spec.ActorRelay:
		return c.lane[groupQueue], 0
	case spec.ActorSubmitter:
		return c.lane[groupSubmitter], 0
	case spec.ActorDNS:
		return c.lane[groupDNS], 0
	case spec.ActorDisk:
		return c.lane[groupDisk], 0
	}
	if lane, ok := c.server[c.calls.hostOf(f)]; ok && f.Actor != spec.ActorWorld {
		return lane, 0
	}
	return c.lane[groupWorld], 0
}

// say is the line of a dialogue that a fact is.
func say(f *spec.Fact) string {
	switch f.Kind {
	case spec.FactCommand, spec.FactFault, spec.FactUnlawful, spec.FactClosed:
		return f.Text
	case spec.FactReply:
		return f.Reply
	}
	return ""
}

// words tells a fact as a story does, without the time before it.
func words(start spec.Wall, f spec.Fact) string {
	_, text := told(start, f)
	return text
}

// mostNamed is how many recipients are named in words; the raw line has all.
const mostNamed = 5

// told tells a fact as a story does: when, and what.
func told(start spec.Wall, f spec.Fact) (when, what string) {
	if more := len(f.To) - mostNamed; more > 1 {
		f.To = append(slices.Clone(f.To[:mostNamed]), "and "+itoa(more)+" more")
	}
	line := strings.TrimSpace(spec.Timeline(start, []spec.Fact{f}))
	when, what, _ = strings.Cut(line, "  ")
	return when, what
}

// down finds the times without a process.
func down(facts []spec.Fact, xs []int) []Down {
	all := []Down{}
	since := -1
	for i := range facts {
		switch facts[i].Kind {
		case spec.FactCrash, spec.FactStop:
			if since < 0 {
				since = xs[i]
			}
		case spec.FactStart:
			if since >= 0 {
				all = append(all, Down{since, xs[i]})
			}
			since = -1
		}
	}
	return all
}

// locate finds the facts of violations in the trace. A fact that is not there,
// because the trace is a part of what was judged, is left out.
func locate(facts []spec.Fact, broken []spec.Violation) [][]int {
	all := [][]int{}
	if len(broken) == 0 {
		return all
	}
	places := make(map[string]int, len(facts))
	for i := range facts {
		if line := facts[i].String(); places[line] == 0 {
			places[line] = i + 1
		}
	}
	for _, v := range broken {
		found := []int{}
		for _, f := range v.Facts {
			if at := places[f.String()]; at > 0 {
				found = append(found, at-1)
			}
		}
		all = append(all, found)
	}
	return all
}
