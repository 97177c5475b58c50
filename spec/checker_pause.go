package spec

import "slices"

// What operators say of destinations: "pause" and "resume".

// pausing takes an operator's word on a destination.
func (c *Checker) pausing(e *event) {
	here := c.fair.dest(e.Dest)
	if here.pause.said == nil {
		here.pause.said = map[string]order{}
	}
	o := here.pause.said[e.Text]
	o.open = keepLast(o.open, e)
	here.pause.said[e.Text], here.touched = o, e.At
	c.forgets(here)
}

// paused takes the relay's answer to it.
func (c *Checker) paused(e *event) {
	here := c.fair.dest(e.Dest)
	o := here.pause.said[e.Text]
	if len(o.open) == 0 {
		return
	}
	here.pause.said[e.Text], here.touched = c.answered(o, e), e.At
	switch {
	case e.Reply != "":
	case e.Text == "resume":
		here.pause.parked = nil
	case e.Text == "pause" && !c.stillOpen(here.pause.said["resume"]):
		here.pause.parked = e
	}
}

// maybePaused reports whether a destination may be paused.
func (c *Checker) maybePaused(l *load) bool {
	return l.pause.parked != nil || c.unanswered(l.pause.said["pause"], func(*event) bool { return true })
}

// judgePaused judges the beginning of an attempt by what operators said of its
// destination. Where one said that it shall be resumed, and has no answer, it may
// be.
func (c *Checker) judgePaused(j *job, here *load) {
	p := here.pause.parked
	if p == nil || c.unanswered(here.pause.said["resume"], func(said *event) bool { return said.seq > p.seq }) {
		return
	}
	c.violate(RetryOnTime, "paused "+j.start.Job, []*event{p, j.start}, "the relay began an attempt for %s, which an operator had paused", j.dest)
}

// waitsForResume reports whether r may wait, beyond its lifetime, until an
// operator resumes its destination: one wanted an attempt, or the relay cannot
// know its age, since it was not always there or its clock was set. Anybody else
// ends.
func (c *Checker) waitsForResume(r *rcpt) bool {
	last := r.latest()
	later := last == nil || last.seq < c.clock.start // another process than the one that runs, or ran last, spoke of it
	return r.job == nil && !r.state.Final() && c.maybePaused(c.fair.dest(r.dest)) && (r.told.again != nil || r.movedOn() || c.clock.jump != nil || later)
}

// pausedUnnamed reports whether an entry that nobody spoke of may be a message whose
// submission a process did not live to name, and wait for a resume.
func (c *Checker) pausedUnnamed(x *entry) bool {
	return slices.ContainsFunc(c.mail, func(m *mail) bool {
		return m.entry == nil && m.submit != nil && m.submit.seq < x.control.since.seq && c.stoppedSince(x.control.since) && x.whole(m) &&
			slices.ContainsFunc(m.rcpts, c.waitsForResume)
	})
}

// lapsed reports whether r may end without an attempt: its destination may be
// paused, and its lifetime is over.
func (c *Checker) lapsed(r *rcpt) bool {
	end, _ := c.expires(r)
	return end != 0 && c.reckoned(c.now) >= end && c.maybePaused(c.fair.dest(r.dest))
}

// unheardOf reports whether r may wait though the relay never attempted it: the
// process that took it ended before it could, and the next one put it off, or found
// its destination paused.
func (c *Checker) unheardOf(r *rcpt) bool {
	if r.begun != nil || r.outcome != nil || r.mail.submit == nil || !c.stoppedSince(r.mail.submit) {
		return false
	}
	return r.putOff != nil || c.maybePaused(c.fair.dest(r.dest))
}
