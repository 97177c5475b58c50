package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// scheduleClauses are the clauses of a schedule line, in canonical order.
var scheduleClauses = []string{"first", "factor", "max", "jitter", "lifetime"}

// readSchedule reads the clauses of a schedule line, in any order.
func readSchedule(l *line, p *spec.Policy) {
	for first := true; first || l.comma(); first = false {
		l.scheduleClause(l.choose("clause", scheduleClauses), &p.Schedule)
	}
}

// scheduleClause reads what follows the word of a clause.
func (l *line) scheduleClause(word string, s *spec.Schedule) {
	switch word {
	case "first":
		s.First = l.duration("the first interval", 1)
	case "factor":
		s.Numerator, s.Denominator = l.ratio()
	case "max":
		s.Max = l.duration("the longest interval", 1)
	case "jitter":
		s.Jitter = l.percent("the jitter")
	case "lifetime":
		s.Lifetime = l.duration("the lifetime", 1)
	}
}

func showSchedule(p, d spec.Policy) []string {
	out := scheduleText(p.Schedule, d.Schedule)
	return oneIf(len(out) > 0, strings.Join(out, ", "))
}

// scheduleText returns the clauses by which s differs from t.
func scheduleText(s, t spec.Schedule) []string {
	var out []string
	if s.First != t.First {
		out = append(out, "first "+formatDuration(s.First))
	}
	if s.Numerator != t.Numerator || s.Denominator != t.Denominator {
		out = append(out, fmt.Sprintf("factor %d/%d", s.Numerator, s.Denominator))
	}
	if s.Max != t.Max {
		out = append(out, "max "+formatDuration(s.Max))
	}
	if s.Jitter != t.Jitter {
		out = append(out, fmt.Sprintf("jitter %d%%", s.Jitter))
	}
	if s.Lifetime != t.Lifetime {
		out = append(out, "lifetime "+formatDuration(s.Lifetime))
	}
	return out
}

// readScheduleAt reads the schedule of one destination. A line about all that
// comes later does not change it.
func readScheduleAt(l *line, p *spec.Policy) {
	domain := strings.ToLower(l.host("the domain"))
	s, said := p.Schedule, false
	for first := true; first || l.comma(); first = false {
		word := l.choose("clause", append(slices.Clone(scheduleClauses), "delay_warning"))
		if word != "delay_warning" {
			l.scheduleClause(word, &s)
			said = true
			continue
		}
		if p.DelayWarningAt == nil {
			p.DelayWarningAt = make(map[string]time.Duration)
		}
		p.DelayWarningAt[domain] = l.duration("the time", 0)
	}
	if !said {
		return
	}
	if p.ScheduleAt == nil {
		p.ScheduleAt = make(map[string]spec.Schedule)
	}
	p.ScheduleAt[domain] = s
}

func showSchedulesAt(p, _ spec.Policy) []string {
	var out []string
	domains := slices.AppendSeq(slices.Collect(maps.Keys(p.ScheduleAt)), maps.Keys(p.DelayWarningAt))
	slices.Sort(domains)
	for _, domain := range slices.Compact(domains) {
		s, own := p.ScheduleAt[domain]
		var clauses []string
		if own {
			clauses = scheduleText(s, p.Schedule)
		}
		if own && len(clauses) == 0 {
			clauses = append(clauses, "first "+formatDuration(s.First)) // it is as everywhere, and says so
		}
		if after, ok := p.DelayWarningAt[domain]; ok {
			clauses = append(clauses, "delay_warning "+formatDuration(after))
		}
		out = append(out, domain+" "+strings.Join(clauses, ", "))
	}
	return out
}

// readBackoff reads the back-off after one cause.
func readBackoff(l *line, p *spec.Policy) {
	var words []string
	for _, c := range spec.Causes() {
		words = append(words, c.String())
	}
	cause, err := spec.ParseCause(l.choose("cause", words))
	if l.err != nil || err != nil {
		return // there are no other words
	}
	s := p.Schedule
	for first := true; first || l.comma(); first = false {
		l.scheduleClause(l.choose("clause", []string{"first", "factor", "max"}), &s)
	}
	p.Backoffs[cause] = spec.Backoff{First: s.First, Max: s.Max, Numerator: s.Numerator, Denominator: s.Denominator}
}

func showBackoffs(p, _ spec.Policy) []string {
	var out []string
	for _, c := range spec.Causes() {
		if b := p.Backoffs[c]; b != (spec.Backoff{}) {
			out = append(out, fmt.Sprintf("%s first %s, factor %d/%d, max %s", c, formatDuration(b.First), b.Numerator, b.Denominator, formatDuration(b.Max)))
		}
	}
	return out
}
