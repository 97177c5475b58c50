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

// oneSchedule has all destinations go by the global schedule.
func oneSchedule(sc *scenarios.Scenario) bool {
	schedules, warnings := emptied(&sc.Policy.ScheduleAt), emptied(&sc.Policy.DelayWarningAt)
	return schedules || warnings
}
