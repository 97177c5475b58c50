package queue

import (
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// intend stores that the final dot is about to leave. Only when that is
// durable may it leave: a crash from here on finds the recipients in doubt.
func (q *Queue) intend(e Intend) {
	j := q.jobs[e.Job]
	if j == nil || j.closing != nil {
		q.release = MayCommit{e.Job, fmt.Errorf("no delivery %s runs", e.Job)}
		return
	}
	m := j.message
	for _, address := range e.To {
		r := m.entry.recipient(address)
		if r == nil || r.State != spec.Queued || !slices.Contains(j.to, address) {
			q.release = MayCommit{e.Job, fmt.Errorf("delivery %s has no claim on %s", e.Job, address)}
			return
		}
	}
	j.before = slices.Grow(slices.Clip(j.before), len(e.To)) // a clone of the queue shares what it holds
	for _, address := range e.To {
		r := m.entry.recipient(address)
		j.before = append(j.before, *r)
		r.State, r.Attempts = spec.Intent, j.attempt
		r.Last = Trouble{At: q.clock.now(), Host: e.Host, Stage: spec.StageDot}
	}
	ops := []seam.Op{{Key: seam.ControlKey(m.entry.ID), Value: m.entry.Encode()}}
	if !m.intent {
		m.intent = true
		ops = append(ops, seam.Op{Key: intentKey(m.entry.ID)})
	}
	q.commit(&commit{message: m, release: MayCommit{Job: e.Job}, facts: []spec.Fact{{
		Kind: spec.FactIntent, Message: m.entry.Message, Queue: m.entry.ID, Job: j.id, Dest: j.dest, Host: e.Host,
		To: slices.Clone(e.To), Attempt: j.attempt,
	}}}, ops)
}

func intentKey(id spec.QueueID) seam.Key {
	return seam.Key{Space: seam.SpaceIntent, Name: string(id)}
}

// settle stores outcomes; with them, in the same batch, the report that they
// make due, and the removal of a message that they complete.
func (q *Queue) settle(e Settle) {
	j := q.jobs[e.Job]
	if j == nil {
		q.release = Settled{e.Job, fmt.Errorf("no delivery %s runs", e.Job)}
		return
	}
	m := j.message
	m.unsure = without(m.unsure, j.blocked) // what it stores blocks them now
	defer q.letGoOf(j.blocked)
	results := e.Results
	if e.Last {
		results = append(slices.Clone(results), q.leftover(j, results)...)
	}
	if e.Last {
		if j.group != nil {
			q.hold(j.group.destination)
			defer q.letGo(j.group.destination)
		}
		q.endJob(j)
		q.learn(j, e.Results)
	}
	if len(results) == 0 {
		q.release = Settled{Job: e.Job}
		q.enqueue(m, j.dest)
		q.forget(m)
		return
	}
	c := &commit{message: m, release: Settled{Job: e.Job}}
	if j.closing != nil {
		// Who closes only brings the header; an operator may wait for more.
		q.release, c.release = c.release, nil
		if j.ticket != 0 {
			c.release = Decided{Ticket: j.ticket, ID: m.entry.ID}
		}
	}
	q.conclude(c, j, results, e)
}

// conclude applies results to the entry and commits what follows from them.
func (q *Queue) conclude(c *commit, j *job, results []Result, e Settle) {
	m := j.message
	var reported []*Recipient
	for _, res := range results {
		if res.Broken && q.stopping {
			q.undo(c, m, j, res.Recipient)
			continue
		}
		r, err := q.apply(m, j, res)
		if err != nil {
			q.halt(err)
			q.release = Settled{e.Job, err}
			return
		}
		c.changes(q.dest(m, r))
		c.facts = append(c.facts, q.outcome(m, j.id, r))
		c.facts = append(c.facts, q.untold(m, r)...)
		if q.reports(m, r, r.State) || q.relayed(m, r, res) || q.delayed(m, r) {
			r.Warned = r.Warned || r.State == spec.Queued
			reported = append(reported, r)
		}
	}
	if len(c.facts) == 0 && len(c.dests) == 0 {
		q.release = c.release
		q.enqueue(m, j.dest)
		q.forget(m)
		return
	}
	var ops []seam.Op
	if len(reported) > 0 {
		ops = q.report(c, m, reported, e)
	}
	q.commit(c, append(ops, q.update(c, m)...))
}

// undo takes an attempt back that the relay broke off because it stops: no
// server said no, so the recipient is due as it was, in the next process. An
// intent whose dot did not leave is taken back too; what an operator said of it
// meanwhile is not.
func (q *Queue) undo(c *commit, m *message, j *job, address string) {
	r := m.entry.recipient(address)
	if r == nil || r.State != spec.Intent {
		return
	}
	if i := slices.IndexFunc(j.before, func(b Recipient) bool { return b.Address == address }); i >= 0 {
		parked := r.Parked
		*r = j.before[i]
		r.Parked = parked
		c.changes(j.dest)
	}
}

// leftover covers the recipients of a delivery that ends without a word about
// them, and those of a close. A shell that forgets one must not make it retry
// at once for ever, nor lose a doubt.
func (q *Queue) leftover(j *job, results []Result) []Result {
	if j.closing != nil {
		return j.closing
	}
	var left []Result
	for _, address := range j.to {
		if slices.ContainsFunc(results, func(r Result) bool { return r.Recipient == address }) {
			continue
		}
		r := j.message.entry.recipient(address)
		switch {
		case r.State == spec.Intent:
			left = append(left, Result{Recipient: address, Verdict: spec.InDoubt, Trouble: Trouble{
				Host: r.Last.Host, Stage: spec.StageDot, Event: spec.Cut, Text: "the delivery ended without a result",
			}})
		case r.State == spec.Queued && r.Attempts < j.attempt:
			left = append(left, Result{Recipient: address, Verdict: spec.Defer, Trouble: Trouble{
				Stage: spec.StageConnect, Event: spec.Cut, Text: "the delivery ended without a result",
			}})
		}
	}
	return left
}

// apply moves one recipient to the state that a result means.
func (q *Queue) apply(m *message, j *job, res Result) (*Recipient, error) {
	r := m.entry.recipient(res.Recipient)
	if r == nil {
		return nil, fmt.Errorf("queue: %s has no recipient %s", m.entry.ID, res.Recipient)
	}
	next, err := q.next(m, r, j, res)
	if err != nil {
		return nil, err
	}
	if !r.State.CanBecome(next) || r.State == spec.Queued && next == spec.Unknown && !r.Doubted {
		return nil, fmt.Errorf("queue: %s to %s: %v cannot become %v", m.entry.ID, r.Address, r.State, next)
	}
	if res.Verdict == spec.InDoubt {
		q.note(q.doubt(m, r, res.Trouble))
	}
	r.State = next
	r.Doubted = r.Doubted || res.Verdict == spec.InDoubt && next == spec.Queued
	r.Parked = r.Parked && next == spec.Queued
	r.Attempts = max(r.Attempts, j.attempt)
	r.Last = res.Trouble.short()
	if j.closing == nil {
		r.Last.At = q.clock.now()
	}
	if next == spec.Queued {
		dest := q.dest(m, r)
		r.Setback = q.policy.Backoffs.After(r.Setback, spec.CauseOf(r.Last.Reply.String(), res.Unreached))
		interval := q.policy.IntervalFor(m.entry.ID, dest, r.Attempts, r.Setback)
		r.Due = q.policy.ScheduleFor(dest).Next(q.clock.now(), interval, m.entry.Submitted)
	}
	return r, nil
}

// next is the state that a result leads to.
func (q *Queue) next(m *message, r *Recipient, j *job, res Result) (spec.RecipientState, error) {
	failed := spec.Failed
	if r.Doubted {
		failed = spec.Unknown // this attempt failed; an earlier one may have succeeded
	}
	switch res.Verdict {
	case spec.Proceed:
		return spec.Delivered, nil
	case spec.FailRecipient, spec.FailMessage:
		return failed, nil
	case spec.Defer, spec.NextHost:
		if q.clock.now() >= q.expires(m, q.dest(m, r)) && !r.Parked {
			return failed, nil
		}
		return spec.Queued, nil
	case spec.InDoubt:
		if j.closing != nil {
			return spec.Unknown, nil // only what is to be reported is closed
		}
		return q.doubtful(m, j.dest), nil
	}
	return 0, fmt.Errorf("queue: %s to %s: no such verdict: %v", m.entry.ID, res.Recipient, res.Verdict)
}

// expires is when the lifetime of a message ends for its recipients at a
// destination.
func (q *Queue) expires(m *message, dest string) spec.Wall {
	return q.policy.ScheduleFor(dest).Expires(m.entry.Submitted)
}

// doubtful is the state that the in_doubt policy gives a recipient of a message
// at a destination. What is to be sent again, but may not any more, is unknown.
func (q *Queue) doubtful(m *message, dest string) spec.RecipientState {
	switch q.policy.InDoubtFor(dest) {
	case spec.DoubtHold:
		return spec.Held
	case spec.DoubtRetry:
		if q.clock.now() < q.expires(m, dest) {
			return spec.Queued
		}
	case spec.DoubtReport:
	}
	return spec.Unknown
}

func (q *Queue) doubt(m *message, r *Recipient, t Trouble) spec.Fact {
	dest := q.dest(m, r)
	return spec.Fact{
		Kind: spec.FactDoubt, Message: m.entry.Message, Queue: m.entry.ID, Dest: dest, Host: t.Host,
		To: []string{r.Address}, Text: q.policy.InDoubtFor(dest).String(),
	}
}

func (q *Queue) outcome(m *message, job string, r *Recipient) spec.Fact {
	f := spec.Fact{
		Kind: spec.FactOutcome, Message: m.entry.Message, Queue: m.entry.ID, Job: job, Dest: q.dest(m, r), Host: r.Last.Host,
		To: []string{r.Address}, State: r.Standing(), Attempt: r.Attempts, Reply: r.Last.Reply.String(), Text: r.Last.Text,
	}
	if r.State == spec.Queued {
		f.Due = r.Due
	}
	return f
}

// update returns the changes that bring the disk to the entry's new state; a
// message that is done is removed. With one that was renewed, all lines are
// brought to what the entry says: nothing else would tell later what they are.
func (q *Queue) update(c *commit, m *message) []seam.Op {
	if m.renewed {
		m.renewed = false
		for _, w := range m.index {
			if line, _ := m.line(w.Destination); line != w {
				c.changes(w.Destination)
			}
		}
	}
	ops := m.reindex(c.dests)
	if m.intent && !m.entry.hasIntent() {
		m.intent = false
		ops = append(ops, seam.Op{Key: intentKey(m.entry.ID), Delete: true})
	}
	if !m.entry.Done() {
		return append(ops, seam.Op{Key: seam.ControlKey(m.entry.ID), Value: m.entry.Encode()})
	}
	m.gone = true
	ops = append(ops, seam.RemoveBody(m.entry.ID, m.entry.Size)...)
	c.facts = append(c.facts, spec.Fact{Kind: spec.FactRemoved, Message: m.entry.Message, Queue: m.entry.ID})
	return append(ops, seam.Op{Key: seam.ControlKey(m.entry.ID), Delete: true})
}
