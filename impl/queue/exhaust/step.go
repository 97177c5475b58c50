package exhaust

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// step gives the core an event and carries out what it asks for.
func (s *state) step(e queue.Event) {
	s.seq = 0
	for _, act := range s.core.Step(spec.Instant{Wall: s.now, Mono: spec.Mono(s.now - s.born)}, e) {
		if s.tell != nil {
			s.tell(act)
		}
		s.carryOut(act)
	}
	s.effects = nil
}

func (s *state) carryOut(act queue.Action) {
	switch act := act.(type) {
	case queue.Commit:
		b := newBatch(act)
		b.effects, s.effects = s.effects, nil
		s.seq = act.Seq
		s.unacked = append(s.unacked, b)
		s.foundReports(b)
	case queue.Begin:
		s.begins(act)
		s.judgePlace(act)
		s.deliveries = append(s.deliveries, delivery{job: act.Job, id: act.ID, dest: act.Dest, to: act.To, open: 1<<len(act.To) - 1})
	case queue.Close:
		s.closes = append(s.closes, act)
	case queue.Load:
		s.loads = append(s.loads, load{Load: act})
	case queue.WakeAt:
		s.wake = s.born + spec.Wall(act.At)
	case queue.Accepted:
		s.accepted(act)
	case queue.MayCommit:
		s.mayCommit(act)
	case queue.Settled:
		s.settled(act)
	case queue.Decided:
		s.decided(act)
	case queue.Ready:
		s.ready = true
	case queue.Halt:
		s.violate(spec.Progress, "the relay stops: %v", act.Err)
	}
}

// foundReports notes the messages that a batch makes and nobody submitted.
func (s *state) foundReports(b *batch) {
	for i := range b.changes {
		e := b.changes[i].entry
		if e == nil || s.letter(e.ID) != nil || e.Sender != "" {
			continue
		}
		l := letter{id: e.ID, to: []string{e.Recipients[0].Address}, report: true, submitted: s.now, stage: abroad}
		s.letters = append(s.letters, l)
		slices.SortFunc(s.letters, func(a, b letter) int { return cmp.Compare(a.id, b.id) })
		s.post(l)
		s.sortMails()
	}
}

// sortMails keeps their order from telling in which order they came.
func (s *state) sortMails() {
	slices.SortFunc(s.mails, func(a, b mail) int { return cmp.Compare(a.name, b.name) })
}

func (s *state) accepted(a queue.Accepted) {
	l := s.letter(a.ID)
	switch {
	case l == nil || l.stage != waiting:
		s.violate(spec.Progress, "the relay answers the submitter of %s, who does not wait", a.ID)
		return
	case a.Err != nil:
		s.violate(spec.NothingLost, "the relay refuses %s: %v", a.ID, a.Err)
	case s.disk.get(seam.ControlKey(a.ID)) == nil || s.disk.get(seam.ChunkKey(a.ID, 0)) == nil:
		s.violate(spec.AcceptDurable, "the relay acknowledges %s before it is stored: power loss would lose it", a.ID)
	}
	l.stage = abroad
}

func (s *state) mayCommit(a queue.MayCommit) {
	for i := range s.deliveries {
		if d := &s.deliveries[i]; d.job == a.Job && d.phase == asked {
			if a.Err != nil {
				s.violate(spec.Progress, "the relay refuses an intent: %v", a.Err)
			}
			d.phase = granted
			return
		}
	}
	s.violate(spec.Progress, "the relay lets a dot leave that nobody waits to send")
}

func (s *state) settled(a queue.Settled) {
	if a.Err != nil {
		s.violate(spec.Progress, "the relay refuses an outcome: %v", a.Err)
	}
	if i := slices.IndexFunc(s.closes, func(c queue.Close) bool { return c.Job == a.Job }); i >= 0 {
		s.closes = slices.Delete(s.closes, i, i+1)
		return
	}
	for i := range s.deliveries {
		d := &s.deliveries[i]
		if d.job != a.Job || d.phase != settling {
			continue
		}
		if d.last {
			s.deliveries = slices.Delete(s.deliveries, i, i+1)
			return
		}
		d.phase, d.dot, d.seq = idle, 0, 0
		return
	}
	s.violate(spec.Progress, "the relay says that outcomes are stored that nobody waits for")
}

func (s *state) decided(a queue.Decided) {
	if a.ID == "" {
		s.answeredPause(a)
		return
	}
	i := slices.IndexFunc(s.decisions, func(d queue.Decide) bool { return d.ID == a.ID })
	if i < 0 {
		s.violate(spec.Progress, "the relay answers an operator on %s, who does not wait", a.ID)
		return
	}
	d := s.decisions[i]
	if a.Err != nil && (endsDoubt(d.Decision) || !s.mayRefuse(d)) {
		s.violate(spec.Progress, "the relay refuses what the operator decided: %v", a.Err)
	}
	if a.Err != nil && d.Decision == queue.DecideBounce {
		s.bounced(d, false)
	}
	if a.Err == nil {
		s.judgeRerouted(d)
	}
	s.decisions = slices.Delete(s.decisions, i, i+1)
}

func (s *state) submit(i int) {
	l := &s.letters[slices.IndexFunc(s.letters, func(l letter) bool { return l.id == id(i) })]
	l.stage, l.submitted = waiting, s.now
	s.post(*l)
	s.sortMails()
	content := []byte("Subject: x\r\n\r\n")
	s.step(queue.Submit{
		ID: l.id, Message: string(l.id), Size: int64(len(content)), Envelope: spec.Envelope{Sender: s.world.sender(i), Recipients: l.to},
		Ops: []seam.Op{{Key: seam.ChunkKey(l.id, 0), Value: content}},
	})
}

// durable makes the oldest batch durable and tells the core.
func (s *state) durable() {
	b := s.unacked[0]
	s.unacked = s.unacked[1:]
	s.store(b)
	s.step(queue.Durable{Seq: b.seq})
}

// read reads the disk as it is, with the batches that are not durable yet.
func (s *state) read(i int) {
	view := s.disk
	for _, b := range s.unacked {
		view = view.with(b)
	}
	s.loads[i].found, s.loads[i].done = view.read(s.loads[i].Load), true
}

func (s *state) arrive(i int) {
	if !s.loads[i].done {
		s.read(i)
	}
	l := s.loads[i]
	s.loads = slices.Delete(s.loads, i, i+1)
	for _, d := range s.decisions {
		if l.Kind == queue.LoadMessage && d.ID == l.ID {
			s.effects = s.decisionEffects(d) // it is carried out only now
		}
	}
	s.step(l.found.answer(l.Load))
}

// header brings the header of a message that is closed.
func (s *state) header(i int) {
	c := s.closes[i]
	s.step(queue.Settle{Job: c.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: s.freshID(c.ID)})
}

// freshID is an unused queue ID for a report on a message. It says which one
// and whom else was reported before, not how many reports there were in all,
// so that the order in which reports are made leaves no trace in their names.
func (s *state) freshID(about spec.QueueID) spec.QueueID {
	n := 0
	for {
		id := spec.QueueID(fmt.Sprintf("r%s.%d", about, n))
		asked := func(d queue.Decide) bool { return d.ID == id } // of one by that name, which has ended
		if s.letter(id) == nil && !slices.ContainsFunc(s.decisions, asked) {
			return id
		}
		n++
	}
}

// pass lets an interval go by. The timer fires when it is due.
func (s *state) pass() {
	s.judgeDelay()
	s.now = s.now.Add(interval)
	if s.wake != 0 && s.wake <= s.now {
		s.wake = 0
		s.step(queue.Wake{})
	}
}

// settle gives a delivery's results to the core: those of the dot, and by
// others, two bits each, those of recipients who are open.
func (s *state) settle(i int, dot spec.Verdict, others uint8, last bool) {
	d := &s.deliveries[i]
	e := queue.Settle{Job: d.job, Last: last, Header: []byte("Subject: x\r\n"), Fresh: s.freshID(d.id)}
	l := s.letter(d.id)
	for n, to := range d.to {
		bit := uint8(1) << n
		v, stage := dot, spec.StageDot
		if d.dot&bit == 0 {
			v, stage = otherVerdict(others, n), spec.StageRCPT
		}
		if s.unreached {
			stage = spec.StageConnect
		}
		if v == 0 || d.dot&bit == 0 && d.open&bit == 0 {
			continue
		}
		d.open &^= bit
		e.Results = append(e.Results, queue.Result{Recipient: to, Verdict: v, Unreached: s.unreached, Trouble: queue.Trouble{Host: "mx." + d.dest, Stage: stage}})
		s.result(l, to, v)
	}
	d.phase, d.last = settling, last
	job := d.job
	s.step(e)
	for k := range s.deliveries {
		if d := &s.deliveries[k]; d.job == job && d.phase == settling {
			d.seq = s.seq
		}
	}
}

// result notes what is true of a mail after a result.
func (s *state) result(l *letter, to string, v spec.Verdict) {
	if l == nil {
		return
	}
	m := s.mail(l.name(to))
	if m == nil {
		return
	}
	switch v {
	case spec.FailRecipient:
		m.refused = true
		s.effects = append(s.effects, effect{isRefused, m.name, 0})
		return
	case spec.InDoubt:
		if s.window(m); s.policy.InDoubt != spec.DoubtRetry {
			return
		}
	case spec.Proceed:
		return
	}
	s.effects = append(s.effects, effect{notBefore, m.name, s.policy.Schedule.Next(s.now, s.policy.Schedule.IntervalFor(l.id, "", 1), l.submitted)})
}

// otherVerdict is what the server said to RCPT: nothing yet, or a refusal for
// now or for good.
func otherVerdict(others uint8, n int) spec.Verdict {
	switch others >> (2 * n) & 3 {
	case 1:
		return spec.Defer
	case 2:
		return spec.FailRecipient
	}
	return 0
}

// decide is the operator's word.
func (s *state) decide(d queue.Decide) {
	s.decisions = append(s.decisions, d)
	s.effects = s.decisionEffects(d)
	for _, e := range s.effects {
		if e.kind == mayRetry {
			s.retries--
		}
	}
	if s.costs(d.Decision, d.ID) {
		s.orders--
	}
	if isReroute(d.Decision) {
		s.reroutes--
	}
	if d.Decision == queue.DecideBounce {
		s.bounced(d, true)
	}
	s.step(d)
}

// endsDoubt reports whether a decision is about what is held in doubt, which
// nothing else can be about meanwhile.
func endsDoubt(d queue.Decision) bool {
	return d == queue.DecideRetry || d == queue.DecideDelivered || d == queue.DecideReport
}

// has reports whether a delivery has a recipient, of whom it has said nothing.
func (d *delivery) has(to string) bool {
	bits := d.open
	if d.phase != settling {
		bits |= d.dot
	}
	i := slices.Index(d.to, to)
	return !d.last && i >= 0 && bits&(1<<i) != 0
}

// bounced notes that an operator gives mail up, or has been refused that.
func (s *state) bounced(d queue.Decide, on bool) {
	l := s.letter(d.ID)
	if l == nil {
		return // it has ended meanwhile
	}
	for _, to := range l.to {
		if m := s.mail(l.name(to)); m != nil && (d.Recipient == "" || d.Recipient == to) {
			m.bounced = on
		}
	}
}

// costs reports whether a word is one of the orders that are counted. A release
// of what lies still is not, or it would lie for ever; another one may be in
// vain, again and again.
func (s *state) costs(d queue.Decision, id spec.QueueID) bool {
	return !endsDoubt(d) && !isReroute(d) && (d != queue.DecideRelease || s.moves(id))
}

// mayRefuse reports whether the relay may refuse a word: something of the message
// is under way, or by now the word is about nobody.
func (s *state) mayRefuse(d queue.Decide) bool {
	e := s.disk.entry(d.ID)
	about := func(r queue.Recipient) bool {
		return d.Decision.Concerns(&r) && (d.Recipient == "" || d.Recipient == r.Address)
	}
	return e == nil || !slices.ContainsFunc(e.Recipients, about) || s.moves(d.ID)
}

// moves reports whether something of a message is under way.
func (s *state) moves(id spec.QueueID) bool {
	return len(s.unacked) > 0 || slices.ContainsFunc(s.deliveries, func(d delivery) bool { return d.id == id }) ||
		slices.ContainsFunc(s.closes, func(c queue.Close) bool { return c.ID == id })
}

// decisionEffects is what a decision makes true once it is durable.
func (s *state) decisionEffects(d queue.Decide) []effect {
	var all []effect
	l, e := s.letter(d.ID), s.disk.entry(d.ID)
	if e == nil {
		return nil // it has ended meanwhile
	}
	for i := range e.Recipients {
		r := &e.Recipients[i]
		if !d.Decision.Concerns(r) || d.Recipient != "" && d.Recipient != r.Address {
			continue
		}
		attempted := slices.ContainsFunc(s.deliveries, func(x delivery) bool { return x.id == d.ID && x.has(r.Address) })
		switch d.Decision {
		case queue.DecideDelivered:
			all = append(all, effect{isDelivered, l.name(r.Address), 0})
		case queue.DecideRetry:
			all = append(all, effect{mayRetry, l.name(r.Address), 0})
		case queue.DecideHold:
			all = append(all, effect{isParked, l.name(r.Address), 0})
		case queue.DecideRelease:
			all = append(all, effect{isReleased, l.name(r.Address), 0})
		case queue.DecideNow:
			if !attempted {
				all = append(all, effect{notBefore, l.name(r.Address), s.now})
			}
		case queue.DecideDelete:
			all = append(all, effect{isDeleted, l.name(r.Address), 0})
		case queue.DecideReport, queue.DecideBounce:
		}
	}
	return all
}

// crash ends the process. The disk keeps the first of the batches that were
// not durable; the next process starts.
func (s *state) crash(keep int) {
	s.crashes--
	kept := map[uint64]bool{}
	for _, b := range s.unacked[:keep] {
		kept[b.seq] = true
		s.store(b)
	}
	s.unacked = nil
	for _, d := range s.decisions {
		if d.Decision == queue.DecideBounce {
			s.bounced(d, false) // or it is over
		}
	}
	for i := range s.deliveries {
		if d := &s.deliveries[i]; d.phase != settling || !kept[d.seq] {
			s.mailsOf(d, d.dot, s.window)
		}
	}
	for i := range s.letters {
		if l := &s.letters[i]; l.stage == waiting || l.stage == abroad {
			if l.stage = abroad; !l.stored {
				l.stage = ended
			}
		}
	}
	s.boot()
}
