package spec

import (
	"maps"
	"slices"
	"time"
)

// Connections that are kept and taken up again: the relay's word for it, held
// against what servers and the network saw.

// A reuseBook holds the connections that the relay says it has.
type reuseBook struct {
	// kept are those that it keeps, by session: the facts that say so.
	kept map[string]*event
	// using are those that attempts hold, by job.
	using map[string]*event
}

// clear forgets all, as the end of the process ends all.
func (b *reuseBook) clear() {
	clear(b.kept)
	clear(b.using)
}

const (
	// surely is how long what a server did has reached the relay.
	surely = time.Second
	// atLeisure is how much longer than it may a connection is kept until that
	// is wrong: QUIT takes its time to be heard.
	atLeisure = time.Minute
)

// idles takes the relay's word that it keeps a connection.
func (c *Checker) idles(e *event) {
	c.mailOf(e)
	delete(c.reuse.using, e.Job)
	if e.Session != "" && len(c.reuse.kept) < 10_000 {
		c.reuse.kept[e.Session] = e
	}
}

// uses notes that an attempt holds a connection.
func (c *Checker) uses(e *event) {
	if e.Session != "" && c.fair.jobs[e.Job] != nil {
		c.reuse.using[e.Job] = e
	}
}

// judgeReuse judges a connection that is taken up. That its host has its turn is
// judged as for one that is dialled.
func (c *Checker) judgeReuse(j *job, e *event, host string) {
	kept, s := c.reuse.kept[e.Session], c.wire.sessions[e.Session]
	delete(c.reuse.kept, e.Session)
	tell := func(rule Rule, because *event, format string, args ...any) {
		args = append([]any{e.Host, j.dest}, args...)
		c.violate(rule, "reuse "+e.Session+e.At.String(), []*event{kept, because, e}, "the relay took up a connection with %s for %s "+format, args...)
	}
	r := c.policy.Reuse
	if last := len(j.hops.dials) - 1; last >= 0 && j.hops.dials[last].Kind == FactReuse && j.hops.dials[last].Addr == e.Addr {
		tell(FairAndBounded, j.hops.dials[last], "after another one that it had kept: that may go on for as many as it keeps")
	}
	if kept != nil {
		switch idle := e.At.Sub(kept.At); {
		case hostName(kept.Host) != host || kept.Addr != e.Addr:
			tell(NextHopOrder, nil, "which is one with %s at %s", kept.Host, kept.Addr)
		case idle > r.Idle+surely:
			tell(FairAndBounded, nil, "that nobody had used for %s; it may be kept for %s", ago(idle), ago(r.Idle))
		}
	}
	if s == nil || s.made == nil {
		return
	}
	c.hints(s, e)
	c.offeredAgain(s, e)
	switch age := e.At.Sub(s.made.At); {
	case kept == nil:
		tell(NextHopOrder, s.made, "that it has not said to be free")
	case s.addr != e.Addr:
		tell(NextHopOrder, s.made, "which leads to %s", s.addr)
	case age > r.Age+surely:
		tell(FairAndBounded, s.made, "that was made %s before; it may be %s old", ago(age), ago(r.Age))
	case s.rsetNo != nil && !s.muddled:
		tell(WireLawful, s.rsetNo, "though RSET was refused: a transaction may be open")
	}
	if f := s.over(e.At); f != nil {
		tell(WireLawful, f, "on which the server had spoken, or which it had ended, %s before", ago(e.At.Sub(f.At)))
	}
	c.judgeDuty(j, s, e, tell)
}

// judgeDuty judges whether a connection that is taken up is as safe as one would
// be that the attempt makes.
func (c *Checker) judgeDuty(j *job, s *session, e *event, tell func(Rule, *event, string, ...any)) {
	level, t := c.policy.TLSFor(j.dest, e.Host), s.tls
	switch {
	case s.muddled || s.mails == 0: // nothing is known of it
	case level >= TLSRequired && t.secured == nil:
		tell(WireLawful, s.made, "in clear, though policy says %s", level)
	case level == TLSVerified && !certified(t.secured.Names, c.policy.TLSNames(j.dest, e.Host)):
		tell(WireLawful, t.secured, "whose certificate is valid for no name that is wanted")
	case level == TLSOpportunistic && t.offered && t.secured == nil:
		tell(WireLawful, s.made, "in clear, though STARTTLS is offered and has not failed in this attempt")
	}
}

// over returns what a server, or the network, did to a connection after a mail
// that is over, and that the relay must have noticed at a time; nil for nothing.
func (s *session) over(at Wall) *event {
	for _, f := range s.faults {
		if at.Sub(f.At) < surely || f.Stage != 0 && f.Stage < StageDot || has(f.Faults, FaultDelay) || has(f.Faults, FaultDrip) {
			continue
		}
		if slices.ContainsFunc(f.Faults, func(kind Fault) bool {
			return kind == FaultFin || kind == FaultCut || kind == FaultLineCut || kind == FaultExtraReply || kind == FaultReply421
		}) {
			return f
		}
	}
	return nil
}

// judgeParted judges, when a server hears QUIT, or a connection ends, how long it
// was kept.
func (c *Checker) judgeParted(e *event) {
	kept, s := c.reuse.kept[e.Session], c.wire.sessions[e.Session]
	if kept == nil || c.down {
		return
	}
	delete(c.reuse.kept, e.Session)
	c.judgeLinger(kept, s, e)
}

func (c *Checker) judgeLinger(kept *event, s *session, e *event) {
	if idle := e.At.Sub(kept.At); c.live(s, kept) && idle > c.policy.Reuse.Idle+atLeisure {
		c.violate(FairAndBounded, "lingers "+kept.Session+kept.At.String(), []*event{kept, e},
			"the relay kept a connection with %s open for %s that nobody used; it may for %s", kept.Host, ago(idle), ago(c.policy.Reuse.Idle))
	}
}

// lingering judges, when a process ends, what it kept to the last.
func (c *Checker) lingering(e *event) {
	for _, session := range slices.Sorted(maps.Keys(c.reuse.kept)) {
		c.judgeLinger(c.reuse.kept[session], c.wire.sessions[session], e)
	}
}

// live reports whether a connection is truly there: its server tells what it
// hears, and has neither heard QUIT nor been in trouble.
func (c *Checker) live(s *session, said *event) bool {
	return s != nil && s.made != nil && s.mails > 0 && !s.quit && len(s.faults) == 0 && c.trouble(s, s.made.seq) == nil && said != nil
}

// judgePlaces judges, when an attempt makes or takes up a connection, that there
// are no more than there may be deliveries.
func (c *Checker) judgePlaces(j *job, e *event) {
	delete(c.reuse.using, e.Job)
	here, all := 1, 1
	var facts []*event
	count := func(said *event) {
		if !c.live(c.wire.sessions[said.Session], said) {
			return
		}
		if all++; said.Dest == j.dest {
			here++
			facts = keepMost(facts, said, 4)
		}
	}
	for _, session := range slices.Sorted(maps.Keys(c.reuse.kept)) {
		count(c.reuse.kept[session])
	}
	for _, name := range slices.Sorted(maps.Keys(c.reuse.using)) {
		count(c.reuse.using[name])
	}
	if most := c.policy.Limits.DeliveriesPerDestination; here > most {
		c.violate(FairAndBounded, "connections at "+j.dest, append(facts, e),
			"%d connections for %s are open at once, with those that are kept; the limit is %d", here, j.dest, most)
	}
	if most := c.policy.Limits.Deliveries; all > most {
		c.violate(FairAndBounded, "connections", append(facts, e), "%d connections are open at once, with those that are kept; the limit is %d", all, most)
	}
}

// judgeMessages judges how many transactions one connection carries.
func (c *Checker) judgeMessages(s *session, e *event) {
	s.mails++
	if most := c.policy.Reuse.Messages; s.mails == most+1 && c.believes && s.made != nil {
		c.violate(FairAndBounded, "messages "+e.Session+s.made.At.String(), []*event{s.made, e},
			"the relay begins more than %d mails over one connection to %s", most, e.Host)
	}
	if kept := c.reuse.kept[e.Session]; kept != nil && !c.down && !c.orphaned && c.live(s, kept) && e.At.Sub(kept.At) >= surely {
		c.violate(NextHopOrder, "kept "+e.Session+e.At.String(), []*event{kept, e},
			"the relay begins a mail at %s over a connection that it keeps, and did not say that it took it up", e.Host)
	}
}
