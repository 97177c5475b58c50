package search

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// scheduleStream is the stream from which schedules of destinations are drawn.
const scheduleStream = 0x7363686564

// schedules draws, for a sixth of the worlds, a schedule and a delay warning for one
// destination. It has a stream of its own, so that the other worlds are what they
// were.
func (g *generator) schedules(n Number) {
	of := &generator{rand: rand.New(rand.NewPCG(uint64(n), scheduleStream))}
	if g.on[plain] || !of.odds(1./6) {
		return
	}
	p := &g.sc.Policy
	at := p.Schedule
	at.First = pick(of, time.Minute, 7*time.Minute, 20*time.Minute)
	at.Max = pick(of, at.First, at.First, 30*time.Minute, time.Hour)
	at.Lifetime = pick(of, 10*time.Minute, 50*time.Minute, 4*time.Hour, 12*time.Hour)
	at.Jitter = pick(of, 0, 0, 20)
	dest := p.Destination("", pick(of, g.to...))
	if strings.HasPrefix(dest, "via:") || strings.HasPrefix(dest, "[") {
		return // it has no name in the language
	}
	p.ScheduleAt = map[string]spec.Schedule{dest: at}
	if of.odds(0.5) {
		p.DelayWarningAt = map[string]time.Duration{dest: pick(of, 0, 5*time.Minute, time.Hour)}
	}
}

// backoffStream is the stream from which back-offs after causes are drawn.
const backoffStream = 0x6261636b6f6666

// backoffs draws, for an eighth of the worlds, intervals after some causes; from a
// stream of its own, too.
func (g *generator) backoffs(n Number) {
	of := &generator{rand: rand.New(rand.NewPCG(uint64(n), backoffStream))}
	if g.on[plain] || !of.odds(1./8) {
		return
	}
	for _, c := range spec.Causes() {
		if of.odds(0.6) {
			first := pick(of, time.Minute, 5*time.Minute, 50*time.Minute)
			g.sc.Policy.Backoffs[c] = spec.Backoff{
				First: first, Max: first * pick[time.Duration](of, 1, 3, 10), Numerator: pick[int64](of, 1, 2, 3), Denominator: 1,
			}
		}
	}
}

// oneSchedule has all mail go by the global schedule.
func oneSchedule(sc *scenarios.Scenario) bool {
	schedules, warnings := emptied(&sc.Policy.ScheduleAt), emptied(&sc.Policy.DelayWarningAt)
	return reset(&sc.Policy.Backoffs, spec.Backoffs{}) || schedules || warnings
}
