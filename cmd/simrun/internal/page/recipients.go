package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

func itoa(n int) string { return strconv.Itoa(n) }

// What a recipient's bar can say, besides the states of spec.
const (
	stateQueued  = "queued"
	stateAttempt = "attempt"
	stateIntent  = "intent"
	stateDoubt   = "doubt"
	stateRefused = "refused"
)

// A recipient is one recipient of one message, on its way.
type recipient struct {
	lane     *Lane
	message  string
	address  string
	state    string
	began    int // the fact that began the state; -1 before the first
	label    string
	attempts int
	// wronged is true when a violation is about it alone, or nearly so.
	wronged bool
}

// recipients follows every recipient of every message through a trace.
type recipients struct {
	xs      []int
	all     []*recipient
	by      map[string]*recipient
	message map[spec.QueueID]string
	report  map[string]string // reports: which message each is about
	ordered []string          // messages, in the order in which they come
	seen    map[string]bool
}

func newRecipients(xs []int) *recipients {
	return &recipients{
		xs: xs, by: map[string]*recipient{}, message: map[spec.QueueID]string{}, report: map[string]string{}, seen: map[string]bool{},
	}
}

// observe takes the next fact.
func (rs *recipients) observe(i int, f *spec.Fact) {
	message := f.Message
	if message == "" {
		message = rs.message[f.Queue]
	}
	each := func(do func(*recipient)) {
		for _, to := range f.To {
			do(rs.of(message, to))
		}
	}
	switch f.Kind {
	case spec.FactSubmit:
		each(func(*recipient) {})
	case spec.FactRefused:
		each(func(r *recipient) { rs.set(r, i, stateRefused, "refused at submission") })
	case spec.FactQueued:
		rs.message[f.Queue] = f.Message
		each(func(r *recipient) { rs.set(r, i, stateQueued, "queued") })
	case spec.FactAttempt:
		each(func(r *recipient) { rs.set(r, i, stateAttempt, fmt.Sprintf("attempt %d", f.Attempt)) })
	case spec.FactIntent:
		each(func(r *recipient) { rs.set(r, i, stateIntent, "intent") })
	case spec.FactDoubt:
		each(func(r *recipient) { rs.set(r, i, stateDoubt, "in doubt") })
	case spec.FactOutcome:
		each(func(r *recipient) { rs.outcome(r, i, f) })
	case spec.FactAccepted, spec.FactPutOff, spec.FactHeldBack:
		each(func(r *recipient) { r.lane.Shown = append(r.lane.Shown, i) })
	case spec.FactReport:
		about := rs.message[spec.QueueID(f.Text)]
		rs.report[f.Message] = about
		for _, to := range f.To {
			rs.show(about, to, i)
		}
	case spec.FactReportSeen:
		for _, to := range f.To {
			rs.show(f.Text, to, i)
		}
	case spec.FactCrash, spec.FactStop:
		rs.interrupted(i)
	}
}

func key(message, address string) string { return message + "\x00" + strings.ToLower(address) }

// of returns a recipient, and makes its lane when it is new.
func (rs *recipients) of(message, address string) *recipient {
	k := key(message, address)
	r := rs.by[k]
	if r == nil {
		r = &recipient{lane: &Lane{Group: groupRecipient, Rows: 1}, message: message, address: address, began: -1}
		rs.by[k] = r
		rs.all = append(rs.all, r)
		if !rs.seen[message] {
			rs.seen[message] = true
			rs.ordered = append(rs.ordered, message)
		}
	}
	return r
}

// show notes a fact about a recipient that has a lane.
func (rs *recipients) show(message, address string, i int) {
	if r := rs.by[key(message, address)]; r != nil {
		r.lane.Shown = append(r.lane.Shown, i)
	}
}

func (rs *recipients) outcome(r *recipient, i int, f *spec.Fact) {
	label := f.State.String()
	if f.State == spec.Queued {
		r.attempts = max(r.attempts+1, f.Attempt)
		label = fmt.Sprintf("deferred after %d", r.attempts)
	}
	rs.set(r, i, f.State.String(), label)
}

// interrupted ends what a process was doing: an attempt is void, an intent
// leaves doubt.
func (rs *recipients) interrupted(i int) {
	for _, r := range rs.all {
		switch r.state {
		case stateAttempt:
			rs.set(r, i, stateQueued, "queued")
		case stateIntent:
			rs.set(r, i, stateDoubt, "in doubt")
		}
	}
}

// set has a recipient enter a state, unless it is in it.
func (rs *recipients) set(r *recipient, i int, state, label string) {
	if r.state == state && r.label == label {
		return
	}
	rs.end(r, rs.xs[i])
	r.state, r.label, r.began = state, label, i
}

// end closes the bar of the state that a recipient is in.
func (rs *recipients) end(r *recipient, x int) {
	if r.began >= 0 {
		r.lane.Bars = append(r.lane.Bars, Bar{From: rs.xs[r.began], Until: x, State: r.state, Label: r.label, Fact: r.began})
	}
}

// finish closes all bars at the end of the chart, and names the lanes.
func (rs *recipients) finish(width int) {
	names := rs.names()
	for _, r := range rs.all {
		rs.end(r, width)
		r.lane.Name = names[r.message] + " → " + r.address
		r.lane.Note = r.message
	}
}

// names finds short names for messages: what stands before the @ where that is
// enough, and for a report what it is about.
func (rs *recipients) names() map[string]string {
	taken := map[string]int{}
	names := map[string]string{}
	for _, m := range rs.ordered {
		local, _, _ := strings.Cut(m, "@")
		taken[local]++
		names[m] = local
	}
	reports := map[string]int{}
	for _, m := range rs.ordered {
		local, _, _ := strings.Cut(m, "@")
		if taken[local] > 1 {
			names[m] = m
		}
		about, ok := rs.report[m]
		if !ok {
			continue
		}
		reports[about]++
		names[m] = "report on " + names[about]
		if n := reports[about]; n > 1 {
			names[m] = fmt.Sprintf("report %d on %s", n, names[about])
		}
	}
	return names
}

// sort puts those of a message together.
func (rs *recipients) sort() []*recipient {
	of := map[string][]*recipient{}
	for _, r := range rs.all {
		of[r.message] = append(of[r.message], r)
	}
	var all []*recipient
	for _, m := range rs.ordered {
		all = append(all, of[m]...)
	}
	return all
}

// wrong notes whom violations are about: they keep a lane of their own.
func (rs *recipients) wrong(broken []spec.Violation) {
	for _, v := range broken {
		for _, f := range v.Facts {
			if len(f.To) >= fewest {
				continue
			}
			for _, to := range f.To {
				if r := rs.by[key(f.Message, to)]; r != nil {
					r.wronged = true
				}
			}
		}
	}
}

const (
	// fewest alike lanes that are folded into one.
	fewest = 3
	// roomy is how many recipients are drawn with all differences; of more,
	// those that went through the same states are alike, at whatever time.
	roomy = 60
)

// fold puts lanes that look alike under the first of them. The lanes stand at
// first in the chart.
func fold(all []*recipient, first int) {
	alike := map[string][]int{}
	for i, r := range all {
		k := r.likeness(len(all) > roomy)
		alike[k] = append(alike[k], i)
	}
	for _, group := range alike { // any order: groups share no lane
		leader := all[group[0]]
		if len(group) < fewest || leader.wronged {
			continue
		}
		leader.lane.Count = len(group)
		for _, i := range group[1:] {
			all[i].lane.Under = first + group[0]
		}
	}
}

// likeness is equal for recipients that are folded together: of one message,
// with the same bars, at whatever place; or roughly, with the same states.
func (r *recipient) likeness(roughly bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", r.wronged)
	if !roughly {
		b.WriteString(" " + r.message)
	}
	for _, bar := range r.lane.Bars {
		b.WriteString("|" + bar.State)
		if !roughly {
			b.WriteString(" " + bar.Label)
		}
	}
	return b.String()
}
