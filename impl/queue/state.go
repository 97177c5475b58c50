package queue

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// AppendState appends an encoding of all that decides what the core does next:
// cores with equal encodings answer equal events with equal actions, for ever,
// and are told apart otherwise. A search by it knows a state that it has seen.
//
// What only counts is renamed, so that different orders which lead to the same
// state meet: jobs and batches get the names that Names gives them, and times
// are taken from now on. What only a person reads is left out: where the last
// attempt was made, at what time, what was said, and how long a report is.
func (q *Queue) AppendState(b []byte) ([]byte, Names) {
	n := q.names()
	e := encoder{b: b, now: q.clock.now(), names: n, paced: q.policy.Limits.PerMinute > 0}
	e.wall(q.clock.anchor.Wall)
	e.flags(q.clock.set, q.recovery.started, q.recovery.ready, q.stopping, q.halted != nil, q.wake != 0)
	if q.wake != 0 {
		e.int(int64(q.wake - q.clock.mono))
	}
	e.int(int64(q.recovery.loads))
	e.int(int64(q.window))
	e.int(int64(q.promised))
	e.int(int64(q.active))
	e.int(int64(len(q.messages)))
	for _, id := range sorted(q.messages) {
		e.message(q.messages[id])
	}
	e.int(int64(len(q.destinations)))
	for _, name := range sorted(q.destinations) {
		e.destination(q, q.destinations[name])
	}
	e.int(int64(len(q.ready)))
	for _, d := range q.ready {
		e.text(d.name)
	}
	e.int(int64(len(q.jobs)))
	for _, name := range n.jobs[:len(q.jobs)] {
		e.job(q.jobs[name])
	}
	e.int(int64(len(q.pending)))
	for _, seq := range sorted(q.pending) {
		e.commit(q, seq, q.pending[seq])
	}
	e.int(int64(len(q.shares)))
	for _, address := range sorted(q.shares) {
		s := q.shares[address]
		e.text(address)
		e.wall(s.since)
		e.int(int64(s.begun))
		e.int(int64(s.later))
	}
	e.int(int64(len(q.decisions)))
	for _, id := range sorted(q.decisions) {
		d := q.decisions[id]
		e.text(string(id))
		e.text(d.Recipient)
		e.texts(d.Among)
		e.text(string(d.Decision))
		e.int(int64(q.reads.count - d.read))
	}
	e.int(int64(len(q.operators)))
	e.texts(q.paused)
	e.int(int64(len(q.reads.under)))
	for _, read := range q.reads.under {
		e.int(int64(q.reads.count - read))
	}
	e.int(int64(len(q.reads.left)))
	for _, id := range sorted(q.reads.left) {
		e.text(string(id))
		e.int(int64(q.reads.count - q.reads.left[id]))
	}
	return e.b, n
}

// Names are the names of jobs and batches in an encoding of the state.
type Names struct {
	jobs []string
	seq  uint64
}

// Job returns the number of a job that runs, or of one that has ended and
// waits for a batch to be durable; -1 for another.
func (n Names) Job(id string) int { return slices.Index(n.jobs, id) }

// Batch returns how many batches came after that one.
func (n Names) Batch(seq uint64) int { return int(n.seq - seq) }

// names numbers the jobs: those that run by what they are about, then those
// that have ended and wait, in the order of the batches they wait for.
func (q *Queue) names() Names {
	n := Names{jobs: make([]string, 0, len(q.jobs)+len(q.pending)), seq: q.nextSeq}
	for id := range q.jobs { // any order: they are sorted below
		n.jobs = append(n.jobs, id)
	}
	slices.SortFunc(n.jobs, func(x, y string) int {
		a, b := q.jobs[x], q.jobs[y]
		return cmp.Or(cmp.Compare(a.message.entry.ID, b.message.entry.ID), cmp.Compare(a.dest, b.dest), slices.Compare(a.to, b.to),
			cmp.Compare(len(a.closing), len(b.closing)), cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
	for _, seq := range sorted(q.pending) {
		if id := jobOf(q.pending[seq].release); id != "" && q.jobs[id] == nil {
			n.jobs = append(n.jobs, id)
		}
	}
	return n
}

// sorted returns the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m { // any order: they are sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// jobOf returns whom a release is for, if that is a job.
func jobOf(release Action) string {
	switch r := release.(type) {
	case MayCommit:
		return r.Job
	case Settled:
		return r.Job
	}
	return ""
}

// AppendState appends an encoding of what an entry means at the time now, by
// the same rules as that of the core: see Queue.AppendState.
func (e *Entry) AppendState(b []byte, now spec.Wall) []byte {
	enc := encoder{b: b, now: now}
	enc.entry(e)
	return enc.b
}

// An encoder writes fields so that no two states have the same bytes.
type encoder struct {
	b     []byte
	now   spec.Wall
	names Names
	paced bool // deliveries have to be some time apart
}

func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) text(s string) { e.b = appendString(e.b, s) }

func (e *encoder) texts(all []string) {
	e.int(int64(len(all)))
	for _, s := range all {
		e.text(s)
	}
}

func (e *encoder) flags(all ...bool) {
	var bits byte
	for i, on := range all {
		if on {
			bits |= 1 << i
		}
	}
	e.b = append(e.b, bits)
}

// wall writes a time as how far it is from now; zero and never are what they
// are at any time.
func (e *encoder) wall(w spec.Wall) {
	switch w {
	case 0:
		e.b = append(e.b, 'z')
	case never:
		e.b = append(e.b, 'n')
	default:
		e.b = append(e.b, 't')
		e.int(int64(w - e.now))
	}
}

func (e *encoder) entry(x *Entry) {
	e.text(string(x.ID))
	e.text(x.Sender)
	e.flags(x.Body8Bit)
	e.b = append(e.b, byte(x.Needs))
	e.b = append(e.b, byte(x.Tracking.Return))
	e.text(x.Tracking.EnvelopeID)
	e.int(int64(seam.Chunks(x.Size)))
	e.wall(x.Submitted)
	e.int(int64(len(x.Recipients)))
	for i := range x.Recipients {
		e.recipient(&x.Recipients[i])
	}
}

func (e *encoder) recipient(r *Recipient) {
	e.text(r.Address)
	e.b = append(e.b, byte(r.State))
	if !r.State.Final() {
		e.int(int64(r.Attempts))
		e.b = append(e.b, byte(r.Setback.Cause))
		e.int(int64(r.Setback.Run))
		e.flags(r.Doubted, r.Parked, r.Warned, r.Attempts == 0 && r.Last.Stage != 0, r.heldBack()) // the last two: it was put off
		e.text(r.Via)
		e.b = append(e.b, byte(r.Asked.Notify))
		e.text(r.Asked.Original)
	}
	if r.State == spec.Queued || r.State == spec.Intent {
		e.wall(r.Due)
	}
}

func (e *encoder) line(w Waiting) {
	e.text(w.Destination)
	e.wall(w.Due)
	e.text(string(w.ID))
	e.b = append(e.b, byte(w.Lane))
}

func (e *encoder) message(m *message) {
	e.entry(&m.entry)
	e.flags(m.intent, m.gone, m.renewed)
	e.int(int64(m.commits))
	e.int(int64(m.jobs))
	e.int(int64(len(m.index)))
	for _, line := range inOrder(m.index, func(a, b Waiting) int { return cmp.Compare(a.Destination, b.Destination) }) {
		e.line(line)
	}
	e.texts(inOrder(m.unsure, cmp.Compare))
	groups := inOrder(m.groups, func(a, b *group) int { return cmp.Compare(a.destination.name, b.destination.name) })
	e.int(int64(len(groups)))
	for _, g := range groups {
		e.line(g.line)
		e.wall(g.due)
		e.flags(g.active)
	}
}

// inOrder returns a list in an order that does not hang on how it came about.
func inOrder[T any](list []T, compare func(a, b T) int) []T {
	if len(list) > 1 {
		list = slices.Clone(list)
		slices.SortFunc(list, compare)
	}
	return list
}

func (e *encoder) destination(q *Queue, d *destination) {
	e.text(d.name)
	e.int(int64(d.active))
	e.flags(d.paused, d.loading, d.missed != (Waiting{}), d.ready, d.heaped)
	e.b = append(e.b, byte(d.turn))
	e.int(int64(len(d.lanes)))
	for _, l := range d.lanes {
		e.lane(l, d.paused)
	}
	if d.loading {
		e.b = append(e.b, byte(d.reading))
		e.int(int64(q.reads.count - d.read))
		e.line(d.missed)
	}
	if d.heaped {
		e.wall(d.at)
	}
	r := &d.reach
	e.int(int64(r.limit))
	e.int(int64(r.good))
	e.int(int64(r.fails))
	e.int(int64(r.deaths))
	if e.paced {
		e.wall(r.began)
	}
	if r.deaths > 0 {
		e.wall(r.until)
		e.int(int64(len(r.ordered)))
		for _, id := range inOrder(r.ordered, cmp.Compare) {
			e.text(string(id))
		}
	}
}

func (e *encoder) lane(l *lane, paused bool) {
	e.b = append(e.b, byte(l.id))
	e.flags(l.more)
	e.int(int64(len(l.waiting)))
	for _, g := range l.waiting {
		e.text(string(g.message.entry.ID))
	}
	if l.more {
		e.cursor(l.cursor)
		e.wall(l.next)
	}
	if paused {
		e.wall(l.later)
	}
}

// cursor writes the name of an index key with its time from now on.
func (e *encoder) cursor(name string) {
	if name == "" { // the beginning
		e.line(Waiting{})
		return
	}
	line, err := ParseWaiting(name)
	if err != nil {
		e.text(name)
		return
	}
	e.line(line)
}

func (e *encoder) job(j *job) {
	e.text(string(j.message.entry.ID))
	e.text(j.dest)
	e.texts(j.to)
	e.int(int64(j.attempt))
	e.flags(j.group != nil, j.closing != nil, j.ticket != 0)
	e.texts(j.blocked)
	e.int(int64(len(j.before)))
	for i := range j.before {
		e.recipient(&j.before[i])
	}
	e.int(int64(len(j.closing)))
	for _, res := range j.closing {
		e.text(res.Recipient)
		e.b = append(e.b, byte(res.Verdict))
	}
}

func (e *encoder) commit(q *Queue, seq uint64, c *commit) {
	e.int(int64(e.names.Batch(seq)))
	e.owner(q, c.message)
	e.texts(inOrder(c.dests, cmp.Compare))
	e.flags(c.moves)
	e.int(int64(len(c.fresh)))
	for _, m := range c.fresh {
		e.owner(q, m)
	}
	switch r := c.release.(type) {
	case nil:
		e.b = append(e.b, '-')
	case Accepted:
		e.b = append(e.b, 'a')
		e.text(string(r.ID))
	case Decided:
		e.b = append(e.b, 'd')
		e.text(string(r.ID))
	case MayCommit:
		e.b = append(e.b, 'm')
		e.int(int64(e.names.Job(r.Job)))
	case Settled:
		e.b = append(e.b, 's')
		e.int(int64(e.names.Job(r.Job)))
	}
	e.int(int64(len(c.facts)))
	for _, f := range c.facts {
		e.text(string(f.Kind))
		e.text(string(f.Queue))
		e.texts(f.To)
		e.b = append(e.b, byte(f.State))
	}
}

// owner writes which message a batch is about; in full, if it is not the one
// that goes by its name.
func (e *encoder) owner(q *Queue, m *message) {
	switch {
	case m == nil:
		e.b = append(e.b, '-')
	case q.messages[m.entry.ID] == m:
		e.b = append(e.b, 'k')
		e.text(string(m.entry.ID))
	default:
		e.b = append(e.b, 'x')
		e.message(m)
	}
}
