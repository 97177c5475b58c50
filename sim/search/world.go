package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A class is one kind of thing that a random world may have. Swarm testing:
// each world switches most classes off, so that the others come to play
// without being drowned ("Swarm Testing", Groce et al., ISSTA 2012).
type class int

// The classes. Their order is part of what a number means.
const (
	plain    class = iota // nothing goes wrong
	dnsShape              // several MX, equal MX, none, CNAME, null MX, IPv6
	dnsFault              // SERVFAIL, time-outs, NXDOMAIN for a while
	refusals              // 4yz and 5yz at any stage
	cuts                  // connections that break at any stage
	slow                  // delays, silence, drips
	odd                   // malformed, torn, early, extra replies
	doubts                // accepted and not said
	netDown               // hosts that refuse, are silent, or break connections
	crashes               // the relay dies
	stops                 // the relay is told to stop
	machine               // disk, resolver and sockets fail
	many                  // many recipients, many messages
	shapes                // sizes, 8-bit content, the null sender
	policies              // relay mode, fallback, limits, schedule, in_doubt
	operator              // doubts are held and decided, and what waits is parked, tried, bounced, deleted
	senders               // the senders' own server, to which reports go, is like any other
	personas              // servers of a known bad character
	clock                 // the wall clock is set, while the relay runs or is down
	tls                   // STARTTLS, at every level, well and badly
	classes
)

var classNames = [classes]string{
	"plain", "dns-shape", "dns-fault", "refusals", "cuts", "slow", "odd", "doubts", "net-down", "crashes", "stops", "machine", "many", "shapes",
	"policies", "operator", "senders", "personas", "clock", "tls",
}

// A Number names a random world. The world is a function of the number alone:
// number/Focuses is its seed, number%Focuses the class that it always has.
type Number uint64

// Focuses is how many classes there are.
const Focuses = int(classes)

// Focus names the class that the world always has.
func (n Number) Focus() string { return classNames[n%Number(classes)] }

// NumberOf returns the world of a seed with a focus.
func NumberOf(seed uint64, focus int) Number { return Number(seed*uint64(classes) + uint64(focus)) }

// Name is the name of the world's scenario.
func (n Number) Name() string { return fmt.Sprintf("world/%d", uint64(n)) }

// World makes a world from its number.
func World(n Number) *scenarios.Scenario {
	g := &generator{rand: rand.New(rand.NewPCG(uint64(n), 0x706f73746f6e6365))}
	focus := class(n % Number(classes))
	g.on[focus] = true
	if focus != plain {
		for c := range classes {
			g.on[c] = g.on[c] || g.odds(0.25)
		}
	}
	g.sc = &scenarios.Scenario{
		Name: n.Name(), Seed: uint64(n), Policy: scenarios.DefaultPolicy(),
		Title: "A random world keeps all rules", Prose: "A random world keeps all rules.\n" + n.Focus() + ", and what else came.",
	}
	g.policy()
	g.domains()
	g.way(n)
	g.sendersWay(n)
	g.logins(n)
	g.source(n)
	g.plan()
	g.chunks(n)
	g.trouble()
	g.pauses(n)
	g.reroutes(n)
	g.reuse(n)
	g.load(n)
	g.schedules(n)
	g.backoffs(n)
	g.needs(n)
	g.reports(n)
	g.turns(n)
	g.sc.Expect = []scenarios.Expectation{{Attempts: -1, Acceptances: -1, Reports: -1, Rules: true}}
	return g.sc
}

// A generator makes one world.
type generator struct {
	rand *rand.Rand
	on   [classes]bool
	sc   *scenarios.Scenario
	// to are the addresses that mail may go to.
	to []string
	// ips counts the addresses given out.
	ips int
}

func (g *generator) odds(p float64) bool { return g.rand.Float64() < p }

func (g *generator) between(a, b int) int { return a + g.rand.IntN(b-a+1) }

func pick[T any](g *generator, from ...T) T { return from[g.rand.IntN(len(from))] }

// policy draws how the relay is told to behave. A short lifetime keeps worlds
// short: what counts is what happens, not how long nothing does.
func (g *generator) policy() {
	p := &g.sc.Policy
	p.Schedule = spec.Schedule{First: 5 * time.Minute, Max: 40 * time.Minute, Numerator: 2, Denominator: 1, Lifetime: 6 * time.Hour}
	if g.on[doubts] || g.on[operator] || g.on[crashes] {
		p.InDoubt = pick(g, spec.DoubtReport, spec.DoubtReport, spec.DoubtHold, spec.DoubtRetry)
	}
	if g.on[operator] {
		p.InDoubt = pick(g, spec.DoubtHold, spec.DoubtHold, spec.DoubtHold, spec.DoubtRetry, spec.DoubtReport)
	}
	if g.on[tls] {
		g.levels()
	}
	if !g.on[policies] {
		return
	}
	p.Schedule.First = pick(g, time.Minute, 5*time.Minute, 30*time.Minute)
	p.Schedule.Max = max(p.Schedule.First, pick(g, 10*time.Minute, 2*time.Hour))
	p.Schedule.Lifetime = pick(g, 20*time.Minute, 3*time.Hour, 20*time.Hour)
	if g.odds(0.5) {
		p.Limits.Deliveries = g.between(1, 4)
	}
	if g.odds(0.5) {
		p.Limits.DeliveriesPerDestination = g.between(1, 3)
	}
	if g.odds(0.3) {
		p.Limits.RecipientsPerTransaction = g.between(1, 3)
	}
	if g.odds(0.3) {
		p.Limits.WindowGroups = g.between(1, 6)
	}
	if g.odds(0.3) {
		p.Limits.NextHops = g.between(1, 3)
	}
	if g.odds(0.2) {
		p.Relays = []string{"smart1.example.com", "smart2.example.com"}[:g.between(1, 2)]
	} else if g.odds(0.2) {
		p.Fallback = []string{"smart1.example.com"}
	}
	if g.odds(0.2) {
		p.Limits.MessageBytes = pick[int64](g, 65_536, 100_000)
	}
	if g.odds(0.1) {
		p.Port = 2525
	}
	g.timeouts()
	if g.odds(0.2) {
		p.InDoubtAt = map[string]spec.InDoubtPolicy{"example.net": pick(g, spec.DoubtReport, spec.DoubtHold, spec.DoubtRetry)}
	}
}

// timeouts draws how long the relay waits. That for the dot is at least ten
// minutes by the RFC, so it stays.
func (g *generator) timeouts() {
	t := &g.sc.Policy.Timeouts
	for _, stage := range []*time.Duration{&t.Resolve, &t.Connect, &t.Greeting, &t.EHLO, &t.MAIL, &t.RCPT, &t.DATA, &t.Block, &t.QUIT} {
		if g.odds(0.1) {
			*stage = pick(g, 5*time.Second, 45*time.Second, 3*time.Minute)
		}
	}
}

// plan draws what is submitted.
func (g *generator) plan() {
	messages := pick(g, 1, 1, 1, 2)
	if g.on[many] {
		messages = g.between(2, 6)
	}
	for i := range messages {
		s := scenarios.Step{
			Kind: scenarios.StepSubmit, Message: fmt.Sprintf("m%d", i+1), Sender: "alice@example.org",
			At: pick(g, 0, 0, time.Duration(g.between(1, 3000))*time.Second),
		}
		for range pick(g, 1, 1, 2, 3) {
			if to := pick(g, g.to...); !slices.Contains(s.Recipients, to) {
				s.Recipients = append(s.Recipients, to)
			}
		}
		if g.on[many] && g.odds(0.2) {
			for k := range g.between(10, 40) {
				s.Recipients = append(s.Recipients, fmt.Sprintf("user%d@example.net", k+1))
			}
		}
		if g.on[shapes] {
			g.shape(&s)
		}
		g.sc.Plan = append(g.sc.Plan, s)
	}
	slices.SortStableFunc(g.sc.Plan, func(a, b scenarios.Step) int { return int(a.At - b.At) })
}

// shape draws what a message is like.
func (g *generator) shape(s *scenarios.Step) {
	switch g.rand.IntN(7) {
	case 0:
		s.Sender = ""
	case 1:
		s.Size = pick[int64](g, 1000, 65_536, 70_000, 140_000)
	case 2:
		s.EightBit = true
	case 3:
		s.Sender = pick(g, "alice@nowhere.example", "nobody@example.net")
	case 4:
		s.Recipients = append(s.Recipients, s.Recipients[0])
	default:
		g.wishes(s)
	}
}

// wishes draws what a sender asks to be told (RFC 3461).
func (g *generator) wishes(s *scenarios.Step) {
	for range s.Recipients {
		s.Asked = append(s.Asked, spec.Asked{
			Notify: pick(g, spec.NotifyNever, spec.NotifySuccess, spec.NotifyFailure, spec.NotifyDelay,
				spec.NotifySuccess|spec.NotifyFailure|spec.NotifyDelay),
			Original: pick(g, "", "", "rfc822;b+c=d e@example.com"),
		})
	}
	s.Tracking = spec.Tracking{Return: pick(g, 0, spec.ReturnHeaders, spec.ReturnFull), EnvelopeID: pick(g, "", "QQ 314+15=9")}
	g.sc.Policy.DelayWarning = pick(g, g.sc.Policy.DelayWarning, 20*time.Minute)
}

// FocusNames names the classes, in order.
func FocusNames() []string { return append([]string(nil), classNames[:]...) }
