package spec

import (
	"cmp"
	"slices"
	"time"
)

// FAIR-AND-BOUNDED: how many attempts run at once, and that what is due and
// has a place does not wait.

// A fairBook holds the attempts under way.
type fairBook struct {
	jobs    map[string]*job
	running []*job
	dests   map[string]*load
	total   load
	// since is when the relay was ready; 0 while it is not. last numbers the
	// fact that it was.
	since Wall
	last  int
}

// A load counts the attempts under way, at one destination or in all. full is
// when it last stood at its limit.
type load struct {
	active int
	full   Wall
	// idle is when an attempt ended there.
	idle Wall
	// pause is what operators said of it, touched when they last spoke or were
	// answered; see checker_pause.go.
	pause   orders
	touched Wall
	// reach is what the relay can know of the destination, missed the last attempt
	// that reached none of its servers, waiting how many recipients wait there.
	reach reaches
	// late is until when the one mail may still be put off that was about to be when
	// an attempt reached a server of the dead destination, at back; 0 is none.
	late, back Wall
	missed     *event
	waiting    int
	// off is until when, by the relay's reckoning, a process that has ended may have
	// put off mail there without a word; offBy numbers its end.
	off   Wall
	offBy int
	// began is when an attempt began there last, in the process that runs; paced is
	// when the next one may.
	began *event
	paced Wall
	// turns are those of its lanes; see checker_turn.go.
	turns map[Lane]*turn
}

// A job is one attempt.
type job struct {
	start *event
	mail  *mail
	dest  string
	to    []*rcpt
	hops  jobHops
	met   met
	// urgent is true when it may be made although the destination is dead.
	urgent bool
}

// promptly is how soon an attempt begins once it is due and has a place.
const promptly = time.Minute

func (b *fairBook) ready(e *event) { b.since, b.last = e.At, e.seq }

// clear ends all attempts, as the end of the process does.
func (b *fairBook) clear() {
	for _, j := range b.running {
		j.release()
		b.dest(j.dest).active = 0
	}
	clear(b.jobs)
	b.running = b.running[:0]
	b.total.active = 0
	b.since = 0
}

// release takes the recipients of a job back.
func (j *job) release() {
	for _, r := range j.to {
		if r.job == j {
			r.job = nil
		}
	}
}

func (b *fairBook) dest(name string) *load {
	l := b.dests[name]
	if l == nil {
		l = &load{}
		b.dests[name] = l
	}
	return l
}

// attempt takes the beginning of an attempt.
func (c *Checker) attempt(e *event) {
	m := c.mailOf(e)
	if m == nil || len(e.To) == 0 || c.fair.jobs[e.Job] != nil {
		return
	}
	dest := e.Dest
	if dest == "" {
		dest = c.policy.Destination(cmp.Or(m.from, anybody), e.To[0])
	}
	j := &job{start: e, mail: m, dest: dest}
	c.fair.jobs[e.Job] = j
	c.fair.running = append(c.fair.running, j)
	if m.queued == nil && e.Attempt == 1 {
		m.taken = max(m.taken, e.Due)
	}
	due := Wall(0)
	for _, to := range e.To {
		r := c.rcpt(m, to)
		c.belongs(r, e)
		c.judgeAttempt(r, e)
		due = max(due, c.dueAt(r, e))
		j.urgent = j.urgent || c.urgent(r, e)
		if !r.state.Final() && r.state != Held {
			c.judgeUnanswered(r, e)
		}
		r.intent, r.dot = nil, nil
		r.owed = true
		r.attempts++
		r.job, r.tried, r.begun = j, j, e
		r.dotNo, r.dotNoHeard, r.early = nil, nil, nil
		j.to = append(j.to, r)
	}
	here := c.fair.dest(dest)
	c.judgePaused(j, here)
	c.judgeWait(j, here, due)
	c.judgeTurn(j, here, due)
	c.judgeLeftAlone(j, here)
	c.judgePace(j, here)
	c.judgeHourly(j)
	here.active++
	c.fair.total.active++
	c.judgeLimits(j, here)
}

// dueAt is when r could be attempted, but for limits.
func (c *Checker) dueAt(r *rcpt, e *event) Wall {
	at := max(r.idle, c.offTill(r), c.heldTill(r))
	switch {
	case c.hushed(r):
		at = e.At // it may have been made due at any time
	case r.told.again != nil:
		at = max(at, r.told.again.At, c.dueTill(r))
	case r.state == Queued, r.begun == nil && r.mail.queued != nil:
		at = max(at, c.dueTill(r))
	default:
		at = e.At // nothing is known
	}
	if idle := c.fair.dest(r.dest).idle; r.dueFrom != 0 && idle != 0 {
		// What seems to be due late stands behind what is tried again meanwhile.
		due, _ := r.dueBy()
		at = max(at, min(c.truly(due), idle.Add(c.policy.Longest(r.dest))))
	}
	return at
}

// judgeWait judges how long an attempt had to wait for nothing.
func (c *Checker) judgeWait(j *job, here *load, due Wall) {
	if c.fair.since == 0 {
		return
	}
	since := max(due, c.fair.since, here.full, c.fair.total.full, c.alone(here), here.paced, here.touched)
	if c.full(here) {
		return
	}
	if wait := j.start.At.Sub(since); wait > promptly {
		c.violate(FairAndBounded, "wait "+j.start.Job, []*event{j.to[0].outcome, j.mail.queued, j.start},
			"%s to %s waited %s, though it was due and neither limit was reached", j.mail.id, j.dest, ago(wait))
	}
}

func (c *Checker) judgeLimits(j *job, here *load) {
	l := c.policy.Limits
	if most := c.most(here, j); here.active > most && most < l.DeliveriesPerDestination {
		c.violate(FairAndBounded, "found limit at "+j.dest, []*event{here.missed, j.start},
			"%d attempts for %s are under way at once; after what was met there, it may have %d", here.active, j.dest, most)
	}
	if here.active > l.DeliveriesPerDestination {
		c.violate(FairAndBounded, "limit at "+j.dest, []*event{j.start},
			"%d attempts for %s are under way at once; the limit is %d", here.active, j.dest, l.DeliveriesPerDestination)
	}
	if c.fair.total.active > l.Deliveries {
		c.violate(FairAndBounded, "limit", []*event{j.start}, "%d attempts are under way at once; the limit is %d", c.fair.total.active, l.Deliveries)
	}
}

// attemptEnd takes the end of an attempt: its places are free.
func (c *Checker) attemptEnd(e *event) {
	c.mailOf(e)
	j := c.fair.jobs[e.Job]
	if j == nil {
		return
	}
	delete(c.fair.jobs, e.Job)
	delete(c.reuse.using, e.Job)
	c.fair.running = slices.DeleteFunc(c.fair.running, func(k *job) bool { return k == j })
	for _, r := range j.mail.rcpts {
		if r.dest == j.dest {
			r.idle = e.At
		}
	}
	j.release()
	here := c.fair.dest(j.dest)
	if _, dead := c.dead(here, e.At); dead || c.alone(here) != 0 || c.full(here) {
		here.full = e.At
	}
	if c.fair.total.active >= c.policy.Limits.Deliveries {
		c.fair.total.full = e.At
	}
	here.idle = e.At
	here.active--
	c.fair.total.active--
	if j.met.missed && !j.met.opened {
		here.missed = e
	}
	c.learns(j, here, e.At)
	c.forgets(here)
}
