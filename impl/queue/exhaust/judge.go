package exhaust

import (
	"fmt"
	"slices"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Violation is a rule that a core broke.
type Violation struct {
	Rule     spec.Rule
	Sentence string
	// Story is what happened, from the beginning; no shorter one leads there.
	Story []Chapter
}

// A letter is a message, as one knows it who sees the disk and the submitter.
type letter struct {
	id spec.QueueID
	to []string
	// report is true for one that the relay wrote itself.
	report    bool
	submitted spec.Wall
	stage     stage
	// stored is true once it is durable.
	stored bool
}

type stage uint8

const (
	// unborn: nobody has submitted it yet.
	unborn stage = iota
	// waiting: the submitter waits for the 250.
	waiting
	// abroad: the submitter waits no longer.
	abroad
	// ended: it has left the disk with every fate known, or was never stored
	// and nobody was told that it was.
	ended
)

// A mail is a message to one recipient, as one knows it who sees the servers.
type mail struct {
	// name is the address, or the queue ID of a report; letter is what it is
	// part of.
	name   string
	letter spec.QueueID
	// accepted counts servers that took it, reported the reports on it.
	accepted, reported uint8
	// doubt: a dot may have left and no reply was recorded, since the last
	// attempt began. refused: a server refused it for good since then. doubted:
	// an attempt before left it in doubt.
	doubt, refused, doubted bool
	// licence: one more acceptance is allowed.
	licence bool
	// word: the operator says that it was delivered. final: it is on disk that
	// a server refused it for good.
	word, final bool
	// parked: an operator wants no attempt. deleted: nor that anybody is told.
	// bounced: an operator said so, and was not refused.
	parked, deleted, bounced bool
	// due is when it may be attempted next.
	due spec.Wall
}

func (s *state) violate(r spec.Rule, format string, args ...any) {
	if s.wrong == nil {
		s.wrong = &Violation{Rule: r, Sentence: fmt.Sprintf(format, args...)}
	}
}

func (s *state) letter(id spec.QueueID) *letter {
	for i := range s.letters {
		if s.letters[i].id == id {
			return &s.letters[i]
		}
	}
	return nil
}

func (s *state) isReport(id spec.QueueID) bool {
	l := s.letter(id)
	return l != nil && l.report
}

func (s *state) mail(name string) *mail {
	for i := range s.mails {
		if s.mails[i].name == name {
			return &s.mails[i]
		}
	}
	return nil
}

// name is the name of a letter's mail to an address.
func (l *letter) name(to string) string {
	if l.report {
		return string(l.id)
	}
	return to
}

// post makes the mails of a letter that begins to exist.
func (s *state) post(l letter) {
	for _, to := range l.to {
		s.mails = append(s.mails, mail{name: l.name(to), letter: l.id})
	}
}

// mailsOf calls f for the mails of a delivery that bits names.
func (s *state) mailsOf(d *delivery, bits uint8, f func(*mail)) {
	for i, to := range d.to {
		if bits&(1<<i) == 0 {
			continue
		}
		l := s.letter(d.id)
		if l == nil {
			continue
		}
		if m := s.mail(l.name(to)); m != nil {
			f(m)
		}
	}
}

// expired reports whether the lifetime of a letter is over.
func (s *state) expired(l *letter) bool { return s.now >= s.policy.Schedule.Expires(l.submitted) }

// accept is a server taking the mail: NEVER-TWICE is judged here.
func (s *state) accept(m *mail) {
	if m.accepted > 0 && !m.licence {
		s.violate(spec.NeverTwice, "a server accepts %s, which a server had accepted before", m.name)
	}
	m.accepted, m.licence = min(m.accepted+1, 2), false
}

// window notes that nobody can know what the server did. Under retry that
// licenses a second acceptance.
func (s *state) window(m *mail) {
	m.doubt = true
	if m.accepted > 0 && s.policy.InDoubt == spec.DoubtRetry {
		m.licence = true
	}
}

// begins judges the beginning of an attempt.
func (s *state) begins(b queue.Begin) {
	l := s.letter(b.ID)
	if l == nil || l.stage == ended {
		s.violate(spec.CleanExactly, "the relay attempts %s, which has ended", b.ID)
		return
	}
	if !l.stored {
		s.violate(spec.AcceptDurable, "the relay attempts %s before it is stored: power loss would lose it, and its submitter would send it again", b.ID)
	}
	busy, there := 0, 0
	for i := range s.deliveries {
		d := &s.deliveries[i]
		if d.last {
			continue // it has given its place back
		}
		busy++
		if d.dest == b.Dest {
			there++
		}
		if d.id == b.ID && d.dest == b.Dest {
			s.violate(spec.RetryOnTime, "the relay attempts %s at %s, which is being attempted", b.ID, b.Dest)
		}
	}
	if busy >= s.policy.Limits.Deliveries || there >= s.policy.Limits.DeliveriesPerDestination {
		s.violate(spec.FairAndBounded, "the relay begins a delivery at %s when %d run, %d of them there", b.Dest, busy, there)
	}
	if s.paused && b.Dest == s.world.first() {
		s.violate(spec.RetryOnTime, "the relay attempts %s at %s, which the operator paused", b.ID, b.Dest)
	}
	for _, to := range b.To {
		m := s.mail(l.name(to))
		switch {
		case m == nil:
			s.violate(spec.WireLawful, "the relay attempts %s for %s, who is no recipient", b.ID, to)
		case m.due > s.now:
			s.violate(spec.RetryOnTime, "the relay attempts %s %v before it is due", m.name, m.due.Sub(s.now))
		case m.parked:
			s.violate(spec.RetryOnTime, "the relay attempts %s, which is parked", m.name)
		case m.reported > 0 || m.word || m.final || m.deleted:
			s.violate(spec.RetryOnTime, "the relay attempts %s, which is final", m.name)
		default:
			m.doubted = m.doubted || m.doubt
			m.doubt, m.refused = false, false
		}
	}
}

// store makes the oldest batch durable, and judges what it says.
func (s *state) store(b *batch) {
	before := s.disk
	s.disk = before.with(b)
	for _, e := range b.effects {
		if m := s.mail(e.mail); m != nil {
			m.take(e)
		}
	}
	for i := range b.changes {
		x := &b.changes[i]
		switch {
		case x.key.Space == seam.SpaceControl && x.entry != nil:
			s.storeEntry(x.entry, before.entry(x.entry.ID) == nil)
		case x.key.Space == seam.SpaceBody:
			for _, t := range x.about {
				s.storeReport(t)
			}
		}
	}
	// A message is removed in the batch that stores the report on it, so
	// removals are judged last.
	for i := range b.changes {
		x := &b.changes[i]
		if x.key.Space == seam.SpaceControl && x.gone && before.get(x.key) != nil {
			s.removed(spec.QueueID(x.key.Name))
		}
	}
	for i := range b.changes {
		if x := &b.changes[i]; x.key.Space == seam.SpaceControl {
			s.judgePair(spec.QueueID(x.key.Name))
		}
	}
}

// take takes what a durable batch makes true.
func (m *mail) take(e effect) {
	switch e.kind {
	case notBefore:
		m.due = e.at
	case isRefused:
		m.final = true
	case isDelivered:
		m.word = true
	case isParked:
		m.parked = m.reported == 0 && !m.word && !m.final && !m.deleted // it may be over in a batch before
	case isReleased:
		m.parked = false
	case isDeleted:
		m.deleted = true
	case mayRetry:
		if m.accepted > 0 {
			m.licence = true
		}
	}
}

// judgePair demands that control entry and body are both there or both gone.
func (s *state) judgePair(id spec.QueueID) {
	control, body := s.disk.get(seam.ControlKey(id)), s.disk.get(seam.ChunkKey(id, 0))
	switch {
	case control != nil && body == nil:
		s.violate(spec.CleanExactly, "%s has a control entry and no body", id)
	case control == nil && body != nil:
		s.violate(spec.CleanExactly, "%s has a body and no control entry", id)
	}
}

// storeEntry judges what a control entry says, which is durable from now on.
func (s *state) storeEntry(e *queue.Entry, fresh bool) {
	l := s.letter(e.ID)
	if l == nil || l.stage == ended {
		s.violate(spec.CleanExactly, "%s is on the disk, though it has ended", e.ID)
		return
	}
	if fresh && l.stored {
		s.violate(spec.CleanExactly, "%s is stored a second time", e.ID)
	}
	l.stored = true
	if e.Done() {
		s.violate(spec.CleanExactly, "%s is still on the disk, though every recipient is final", e.ID)
	}
	for _, r := range e.Recipients {
		if m := s.mail(l.name(r.Address)); m != nil {
			s.judgeRecord(l, m, r.State.String())
		}
	}
}

// judgeRecord holds what is recorded or reported of a mail against the truth.
func (s *state) judgeRecord(l *letter, m *mail, state string) {
	switch state {
	case spec.Delivered.String():
		if m.accepted == 0 && !m.word {
			s.violate(spec.TrueReports, "%s is recorded as delivered, but no server accepted it", m.name)
		}
	case spec.Failed.String():
		if m.accepted > 0 {
			s.violate(spec.TrueReports, "%s is recorded as failed, but a server accepted it", m.name)
		}
		if !m.refused && !m.bounced && m.parked {
			s.violate(spec.RetryOnTime, "%s is given up, though it is parked", m.name)
		}
		if !m.refused && !m.bounced && !s.expired(l) {
			s.violate(spec.TrueReports, "%s is recorded as failed, but no server refused it and its lifetime is not over", m.name)
		}
	case spec.Deleted.String():
		if !m.deleted {
			s.violate(spec.NothingLost, "%s is deleted, though no operator said so", m.name)
		}
	case spec.Unknown.String(), spec.Held.String():
		if !m.doubt && (state == spec.Held.String() || !m.doubted) {
			s.violate(spec.TrueReports, "%s is recorded as %s, but nothing was in doubt", m.name, state)
		}
	}
}

// storeReport judges a report to the sender, which is durable from now on.
func (s *state) storeReport(t told) {
	m := s.mail(t.recipient)
	if m == nil {
		s.violate(spec.NothingLost, "%s is reported again, though its message has ended", t.recipient)
		return
	}
	if m.reported++; m.reported > 1 {
		s.violate(spec.NothingLost, "%s is reported more than once", m.name)
	}
	s.judgeRecord(s.letter(m.letter), m, t.state)
}

// removed judges that a message leaves the disk: NOTHING-LOST.
func (s *state) removed(id spec.QueueID) {
	l := s.letter(id)
	if l == nil || l.stage == ended {
		return
	}
	for i := range s.mails {
		m := &s.mails[i]
		if m.letter != id {
			continue
		}
		// Nobody is told of a report that fails (RFC 5321 section 6.1).
		given := m.deleted || l.report && (m.refused || m.doubt || m.doubted || m.bounced || s.expired(l))
		if m.accepted == 0 && m.reported == 0 && !m.word && !given {
			s.violate(spec.NothingLost, "%s leaves the disk, but no server has %s and nobody was told", id, m.name)
		}
	}
	l.stage = ended
}

// tidy forgets what was true of messages that have ended, so that states which
// differ in nothing else meet. Nothing goes unseen by it: whatever happens to
// an ended message is wrong.
func (s *state) tidy() {
	for i := 0; i < len(s.letters); i++ {
		l := &s.letters[i]
		if l.stage != ended || slices.ContainsFunc(s.deliveries, func(d delivery) bool { return d.id == l.id }) {
			continue
		}
		s.mails = slices.DeleteFunc(s.mails, func(m mail) bool { return m.letter == l.id })
		if l.report {
			s.letters = slices.Delete(s.letters, i, i+1)
			i--
		}
	}
}

// judgeDelay judges that time goes by: nobody may wait who is due, has a place
// and is not being attempted, when the core has all that it asked for.
func (s *state) judgeDelay() {
	if len(s.unacked)+len(s.loads)+len(s.closes) > 0 {
		return
	}
	for i := range s.disk {
		e := s.disk[i].entry
		if e == nil {
			continue
		}
		for k := range e.Recipients {
			r := &e.Recipients[k]
			if r.Standing() == spec.Queued && r.Due <= s.now && s.place(e.ID, r.Destination(s.policy, e.Sender)) {
				s.violate(spec.FairAndBounded, "time goes by, and %s to %s waits, though it is due and there is a place for it", e.ID, r.Address)
			}
		}
	}
}

// place reports whether a message could be attempted at a destination.
func (s *state) place(id spec.QueueID, dest string) bool {
	if dest == s.world.first() && s.marked() {
		return false
	}
	busy, there := 0, 0
	for i := range s.deliveries {
		d := &s.deliveries[i]
		if d.id == id && d.dest == dest {
			return false
		}
		if busy++; d.dest == dest {
			there++
		}
	}
	return busy < s.policy.Limits.Deliveries && there < s.policy.Limits.DeliveriesPerDestination
}

// judgeEnd judges a state in which nothing can happen any more but a crash:
// everything must be over.
func (s *state) judgeEnd() {
	for i := range s.deliveries {
		s.violate(spec.Progress, "nothing can happen any more, but a delivery of %s waits", s.deliveries[i].id)
	}
	for _, d := range s.decisions {
		s.violate(spec.Progress, "nothing can happen any more, but an operator waits for %s to %s", d.ID, d.Decision)
	}
	if s.pausing != 0 {
		s.violate(spec.Progress, "nothing can happen any more, but an operator waits for a %s", s.pausing)
	}
	for i := range s.letters {
		switch l := &s.letters[i]; {
		case l.stage == waiting:
			s.violate(spec.Progress, "nothing can happen any more, but the submitter of %s waits", l.id)
		case l.stage != ended:
			s.violate(spec.Progress, "nothing can happen any more, but %s is not finished", l.id)
		}
	}
	if len(s.disk) > 0 {
		s.violate(spec.CleanExactly, "everything is over, but the disk still holds %s", keyText(s.disk[0].key))
	}
	if z := s.core.Sizes(); z != (queue.Sizes{}) {
		s.violate(spec.FairAndBounded, "everything is over, but memory still holds %+v", z)
	}
}

func (e *encoder) truth(s *state) {
	e.int(len(s.letters))
	for i := range s.letters {
		l := &s.letters[i]
		e.text(string(l.id))
		e.b = append(e.b, byte(l.stage))
		if l.stage != ended {
			e.wall(l.submitted)
			e.bool(l.stored)
		}
	}
	e.int(len(s.mails))
	for i := range s.mails {
		m := &s.mails[i]
		e.text(m.name)
		e.b = append(e.b, m.accepted, m.reported)
		for _, v := range [...]bool{m.doubt, m.refused, m.doubted, m.licence, m.word, m.final, m.parked, m.deleted, m.bounced} {
			e.bool(v)
		}
		e.wall(max(m.due, s.now)) // what is past is past
	}
}
