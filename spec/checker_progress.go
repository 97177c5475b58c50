package spec

import "fmt"

// PROGRESS: what is not finished yet.

// A duty is something not finished, and the rule that says so when the run is
// over.
type duty struct {
	rule     Rule
	sentence string
	last     *event
}

// Pending says in sentences what is not finished yet, and why. It is empty
// when everything that is due is done. What is held for an operator, or stands
// in a damaged entry, is not waited for.
func (c *Checker) Pending() []string {
	var all []string
	for _, d := range c.duties() {
		all = append(all, d.sentence)
	}
	return all
}

// duties lists what is not finished, in the order in which mail came.
func (c *Checker) duties() []duty {
	var all []duty
	add := func(rule Rule, last *event, format string, args ...any) {
		all = append(all, duty{rule, fmt.Sprintf(format, args...), last})
	}
	for _, m := range c.mail {
		if m.unanswered != nil {
			add(Progress, m.unanswered, "the submission of %s has not been answered", m.id)
		}
		open := 0
		for _, r := range m.rcpts {
			if !r.owed || c.excused(r) {
				open++
			} else if !c.settled(r) {
				open++
				rule, sentence := c.open(r)
				add(rule, r.latest(), "%s", sentence)
			}
		}
		if x := m.entry; x != nil && open == 0 && x.damaged == nil && x.control.there() && len(m.rcpts) > 0 {
			add(CleanExactly, x.control.since, "%s is still in the spool, though every recipient is final", x.name())
		}
	}
	for _, x := range c.spool.order {
		if x.mail == nil && x.damaged == nil && x.control.there() && !c.pausedUnnamed(x) {
			add(Progress, x.control.since, "the spool holds %s, of which nothing more is known", x.queue)
		}
	}
	return all
}

// open says what is not finished about r, and whose business it is.
func (c *Checker) open(r *rcpt) (Rule, string) {
	gone := r.mail.entry.gone()
	switch {
	case r.told.ended != nil && !r.state.Final():
		return Progress, fmt.Sprintf("%s is %s, though the relay told an operator that this is done: %s", r.name(), r.standing(), r.told.ended.Text)
	case r.reportable():
		rule := Progress
		if gone || r.mail.entry == nil {
			rule = NothingLost
		}
		return rule, fmt.Sprintf("%s is %s, and no report to %s is stored", r.name(), r.state, r.mail.from)
	case gone:
		return NothingLost, fmt.Sprintf("%s left the spool without a fate", r.name())
	case r.job != nil:
		return Progress, fmt.Sprintf("%s is being attempted since %s (attempt %d, %s)", r.name(), ago(c.now.Sub(r.begun.At)), r.attempts, r.job.start.Job)
	case r.state == Queued:
		return Progress, fmt.Sprintf("%s is deferred: the next attempt %s%s", r.name(), c.whenDue(c.dueTill(r)), because(r.outcome))
	case r.begun != nil:
		return Progress, fmt.Sprintf("%s was attempted %s ago, and nothing came of it yet", r.name(), ago(c.now.Sub(r.begun.At)))
	case !c.absent(r.mail):
		return Progress, fmt.Sprintf("%s waits for its first attempt", r.name())
	}
	return NothingLost, fmt.Sprintf("%s has neither been accepted by a server nor reported", r.name())
}

// standing names the state of r; of one that nothing was said of it is queued.
func (r *rcpt) standing() string {
	if r.outcome == nil {
		return Queued.String()
	}
	return r.state.String()
}

// whenDue says when something is due, from now.
func (c *Checker) whenDue(at Wall) string {
	if at < c.now {
		return "was due " + ago(c.now.Sub(at)) + " ago"
	}
	return "is due in " + ago(at.Sub(c.now))
}

// because quotes the reason of an outcome.
func because(e *event) string {
	switch {
	case e == nil:
		return ""
	case e.Reply != "":
		return " (" + e.Reply + ")"
	case e.Text != "":
		return " (" + e.Text + ")"
	}
	return ""
}

// latest returns the last thing known of r.
func (r *rcpt) latest() *event {
	last := r.mail.acknowledged
	for _, e := range [...]*event{r.mail.queued, r.begun, r.outcome, r.no.at, r.lastAccepted()} {
		if e != nil && (last == nil || e.seq > last.seq) {
			last = e
		}
	}
	return last
}

// judgeProgress judges what is not finished when everything had its time. What
// another rule is about is left to it.
func (c *Checker) judgeProgress(end *event) {
	for _, d := range c.duties() {
		if d.rule == Progress {
			c.violate(Progress, d.sentence, []*event{d.last, end}, "the run is over, but %s", d.sentence)
		}
	}
}
