package spec

import (
	"fmt"
	"slices"
	"time"
)

// A Checker judges a run from its facts alone, one by one. It does not know
// who made them: a simulation, a live relay, another MTA seen from outside, a
// log. What the relay says is a belief; everything else is true. A rule that
// needs facts which a run does not have is silent.
//
// A Checker is not safe for concurrent use. It never panics, whatever the
// facts, and keeps a bounded number of them per message.
type Checker struct {
	policy Policy
	// seq numbers the facts; now is the latest time that one had.
	seq int
	now Wall
	// found collects the violations of the call under way; told names all
	// that were ever found, so that each is told once.
	found []Violation
	told  map[tale]bool

	// What the run has shown so far: relay's beliefs, its spool, its peers.
	believes, disk, peers, submits bool
	// down is true between a crash and the next start: what the old process
	// says then does not count. halt is when the process that runs said that it halts.
	down bool
	halt *event
	// orphaned is true between the end of a process and the next start: what
	// the disk does then is what the old process left to it.
	orphaned bool
	// ended is true once FactEnd was seen, finished once Finish was called.
	ended, finished bool
	// stops are the ends of processes, the latest few; word numbers the last
	// fact of the relay.
	stops []stop
	word  int

	mail     []*mail
	byID     map[string]*mail
	rcpts    map[rcptKey]*rcpt
	pairs    map[pair][]*rcpt
	licences []Licence

	clock clockBook
	spool spoolBook
	wire  wireBook
	hops  hopBook
	fair  fairBook
	// alarms are the latest about logins.
	alarms map[alarmKey]*event
	reuse  reuseBook
}

// A tale names a violation, so that it is told once.
type tale struct {
	rule  Rule
	about string
}

// An event is a fact with its place in the history.
type event struct {
	Fact
	seq int
	// orphan is true when no process of the relay was there to speak of it.
	orphan bool
	// ahead is how far the relay's reckoning was before true time.
	ahead time.Duration
}

// NewChecker returns a Checker for a relay with policy p.
func NewChecker(p Policy) *Checker {
	c := &Checker{
		policy: p, told: map[tale]bool{}, byID: map[string]*mail{}, rcpts: map[rcptKey]*rcpt{}, pairs: map[pair][]*rcpt{},
	}
	c.spool.entries = map[QueueID]*entry{}
	c.wire.offers = map[string][]*offer{}
	c.wire.sessions, c.wire.tlsFailed = map[string]*session{}, map[string]int{}
	c.hops.init(p)
	c.reuse.kept, c.reuse.using = map[string]*event{}, map[string]*event{}
	c.fair.jobs, c.fair.dests = map[string]*job{}, map[string]*load{}
	c.alarms = map[alarmKey]*event{}
	return c
}

// A Violation is a rule broken, with the few facts that show it.
type Violation struct {
	Rule Rule
	// Sentence says what happened, for a mail operator.
	Sentence string
	Facts    []Fact
}

// String returns the rule and the sentence.
func (v Violation) String() string { return string(v.Rule) + ": " + v.Sentence }

// A Licence is a second acceptance that a doubt window covers.
type Licence struct {
	Message, Recipient string
	// Window says which doubt allowed it.
	Window        string
	First, Second Fact
}

// Observe takes the next fact and returns the violations that it completes.
func (c *Checker) Observe(f Fact) []Violation {
	c.seq++
	c.found = nil
	if f.At > c.now {
		c.settle(false)
		c.now = f.At
	}
	e := &event{f, c.seq, c.orphaned, c.clock.ahead}
	switch kindOf(f.Kind) {
	case kindRelay:
		if !c.down {
			c.believes = true
			c.word = e.seq
			c.belief(e)
		}
	case kindSubmitter:
		c.peers, c.submits = true, true
		c.submission(e)
	case kindServer:
		c.peers = true
		c.wire.lastPeer = e.seq
		c.server(e)
	case kindNetwork:
		c.peers = true
		c.wire.lastPeer = e.seq
		c.network(e)
	case kindDNS:
		c.dns(e)
	case kindDisk:
		c.disk = true
		c.stored(e)
	case kindWorld:
		c.world(e)
	}
	return c.found
}

// Finish ends the history and returns what can only be said at its end. It is
// called once, after the last Observe.
func (c *Checker) Finish() []Violation {
	c.found = nil
	if c.finished {
		return nil
	}
	c.finished = true
	c.settle(true)
	c.judgeKept()
	c.finishLost()
	c.finishSeen()
	c.finishNotices()
	c.finishSpool()
	return c.found
}

// Licences returns the doubt windows that were used, in order.
func (c *Checker) Licences() []Licence { return slices.Clone(c.licences) }

// violate records a violation, once per rule and about.
func (c *Checker) violate(rule Rule, about string, facts []*event, format string, args ...any) {
	t := tale{rule, about}
	if c.told[t] {
		return
	}
	c.told[t] = true
	v := Violation{Rule: rule, Sentence: fmt.Sprintf(format, args...)}
	facts = slices.Clone(facts)
	facts = slices.DeleteFunc(facts, func(e *event) bool { return e == nil })
	slices.SortStableFunc(facts, func(a, b *event) int { return a.seq - b.seq })
	for _, e := range slices.CompactFunc(facts, func(a, b *event) bool { return a.seq == b.seq }) {
		v.Facts = append(v.Facts, e.Fact)
	}
	c.found = append(c.found, v)
}

// world takes the facts about the run itself.
func (c *Checker) world(e *event) {
	switch e.Kind {
	case FactCrash:
		c.ends(e)
		c.down = true
		c.crashed(e)
	case FactStop:
		c.ends(e)
	case FactStart:
		c.ends(nil)
		c.countsGone()
		c.down, c.orphaned, c.halt = false, false, nil
		c.reckons(e)
	case FactFault:
		c.fault(e)
	case FactOperator:
		c.operator(e)
	case FactOperated:
		c.operated(e)
	case FactEnd:
		c.ended = true
		c.judgeProgress(e)
	}
}

// belief takes what the relay says.
func (c *Checker) belief(e *event) {
	switch e.Kind {
	case FactQueued:
		c.queued(e)
	case FactAttempt:
		c.attempt(e)
	case FactAttemptEnd:
		c.attemptEnd(e)
	case FactRoute, FactDial, FactReuse, FactTLS, FactLogin:
		c.hop(e)
	case FactTrouble:
		c.meets(e)
		c.hop(e)
	case FactPutOff:
		c.putOff(e)
	case FactAlarm:
		c.alarm(e)
	case FactIdle:
		c.idles(e)
	case FactIntent, FactDot, FactDoubt:
		c.meets(e)
		c.hop(e)
		c.intent(e)
		c.judgeConnected(e)
	case FactOutcome:
		c.outcome(e)
	case FactReport:
		c.report(e)
	case FactDamaged:
		if !c.disk {
			c.spool.entry(e.Queue).damaged = e
		}
		c.lose()
	case FactReady:
		c.fair.ready(e)
		c.judgeKept()
	case FactHalt:
		c.halt = e
	default: // FactRemoved: nothing to judge
		c.mailOf(e)
	}
}

// A factClass groups the kinds of facts by who makes them.
type factClass uint8

const (
	kindUnknown factClass = iota
	kindRelay
	kindSubmitter
	kindServer
	kindNetwork
	kindDNS
	kindDisk
	kindWorld
)

func kindOf(k FactKind) factClass {
	switch k {
	case FactQueued, FactAttempt, FactAttemptEnd, FactPutOff, FactRoute, FactDial, FactIdle, FactReuse, FactTrouble, FactTLS, FactLogin, FactAlarm,
		FactIntent, FactDot, FactOutcome, FactReport, FactRemoved, FactDoubt, FactDamaged, FactReady, FactHalt:
		return kindRelay
	case FactSubmit, FactSubmitted, FactRefused, FactSubmitUnknown:
		return kindSubmitter
	case FactCommand, FactReply, FactRefusedRecipient, FactAccepted, FactReplied, FactReportSeen, FactTLSSeen, FactUnlawful:
		return kindServer
	case FactConnect, FactConnectFailed, FactClosed:
		return kindNetwork
	case FactQuery, FactAnswer:
		return kindDNS
	case FactStored, FactErased, FactKept:
		return kindDisk
	case FactPlan, FactFault, FactCrash, FactStart, FactStop, FactOperator, FactOperated, FactHeal, FactEnd:
		return kindWorld
	}
	return kindUnknown
}
