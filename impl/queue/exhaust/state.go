package exhaust

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// A Core is what is searched: *queue.Queue behind Honest, or a wrong one that
// a test has made.
type Core interface {
	// Step is queue.Queue.Step.
	Step(now spec.Instant, e queue.Event) []queue.Action
	// Sizes is queue.Queue.Sizes: all zero when nothing is left to do.
	Sizes() queue.Sizes
	// AppendState is queue.Queue.AppendState. What a wrong core keeps besides
	// must be in it.
	AppendState(b []byte) ([]byte, queue.Names)
	// CloneCore returns a core in the same state that shares nothing with it.
	CloneCore() Core
}

type honest struct{ *queue.Queue }

func (h honest) CloneCore() Core { return honest{h.Clone()} }

// Honest returns the core of the relay.
func Honest(p spec.Policy) Core { return honest{queue.New(p)} }

// A setting is what all states of one search share.
type setting struct {
	world  World
	policy spec.Policy
	fresh  func(spec.Policy) Core
}

// A state is the core and all that is around it: what can happen next, and
// what is true.
type state struct {
	*setting
	core Core
	// now is the time, born when the process began, wake when its timer
	// fires; 0 is never.
	now, born, wake spec.Wall
	// ready is true when the process takes submissions.
	ready bool

	disk    disk     // what would survive power loss
	unacked []*batch // what would not, or only a prefix of it

	deliveries []delivery
	loads      []load
	closes     []queue.Close
	decisions  []queue.Decide // that an operator waits for

	letters []letter
	mails   []mail
	// crashes, retries, orders and reroutes are how many more there may be: crashes,
	// and times that the operator says retry, anything of what waits, or where it goes.
	crashes, retries, orders, reroutes int

	// pauses is how often the operator may pause the first destination; pausing is
	// his word that is not answered, 0 for none; paused is true when he was told
	// that it is, and has not said otherwise.
	pauses  int
	pausing word
	paused  bool

	// unreached is true while a delivery settles that reached no server.
	unreached bool

	// effects and seq belong to the step under way: what its batch makes true,
	// and the last batch that it sent.
	effects []effect
	seq     uint64
	// wrong is what the last event brought to light; nil when nothing.
	wrong *Violation
	// tell, when set, hears of every action.
	tell func(queue.Action)
}

// A delivery is one that the core began and that is not released yet.
type delivery struct {
	job  string
	id   spec.QueueID
	dest string
	to   []string
	// open are those of to, as bits, who have no result; dot those of the
	// transaction under way.
	open, dot uint8
	phase     phase
	// last is true when it settles for the last time; seq is the batch that
	// it waits for.
	last bool
	seq  uint64
}

type phase uint8

const (
	// idle: it may begin a transaction, or end.
	idle phase = iota
	// asked: it waits until its intent is durable.
	asked
	// granted: the dot may leave, and may be on its way.
	granted
	// taken: the server has accepted; the reply is on its way.
	taken
	// settling: it waits until its results are durable.
	settling
)

// A load is a read of the disk: under way, or done and on its way back.
type load struct {
	queue.Load
	done  bool
	found reading
}

// begin returns the first state: a new process on an empty disk.
func (g *setting) begin() *state {
	s := &state{setting: g, now: spec.Wall(946684800e9), crashes: g.world.Crashes, retries: g.world.Retries, orders: g.world.Orders,
		pauses: g.world.Pauses, reroutes: g.world.Reroutes}
	for i := range g.world.Messages {
		s.letters = append(s.letters, letter{id: id(i), to: g.world.recipients(i)})
	}
	s.boot()
	return s
}

// boot starts a process.
func (s *state) boot() {
	s.core, s.born, s.wake, s.ready = s.fresh(s.policy), s.now, 0, false
	s.deliveries, s.loads, s.closes, s.decisions, s.pausing = nil, nil, nil, nil, 0
	s.step(queue.Start{})
	// Unfinished contents do not occur here. That none was found changes
	// nothing that another event could see, whenever it comes: so it comes
	// first.
	if i := slices.IndexFunc(s.loads, func(l load) bool { return l.Kind == queue.LoadWriting }); i >= 0 {
		s.arrive(i)
	}
}

// clone returns the same state, to go on from in another way. What is never
// changed is shared.
func (s *state) clone() *state {
	c := *s
	c.core = s.core.CloneCore()
	c.unacked = slices.Clone(s.unacked)
	c.deliveries = slices.Clone(s.deliveries)
	c.loads = slices.Clone(s.loads)
	c.closes = slices.Clone(s.closes)
	c.decisions = slices.Clone(s.decisions)
	c.letters = slices.Clone(s.letters)
	c.mails = slices.Clone(s.mails)
	return &c
}

// A hash stands for a state. Of a thousand million states, two have the same
// with a probability of less than 1 in 10^20.
type hash [16]byte

// hash returns the state's, using the buffer.
func (s *state) hash(buffer []byte) (hash, []byte) {
	b := s.append(buffer[:0])
	sum := sha256.Sum256(b)
	return hash(sum[:16]), b
}

// append encodes the state: what can happen, and what of it would be wrong.
func (s *state) append(b []byte) []byte {
	b, names := s.core.AppendState(b)
	e := encoder{b, s.now}
	e.bool(s.ready)
	e.wall(s.wake)
	e.int(s.crashes)
	e.int(s.retries)
	e.int(s.orders)
	e.int(s.reroutes)
	e.int(s.pauses)
	e.int(int(s.pausing))
	e.bool(s.paused)
	e.int(len(s.disk))
	for i := range s.disk {
		e.item(&s.disk[i])
	}
	e.int(len(s.unacked))
	for _, b := range s.unacked {
		e.int(names.Batch(b.seq))
		e.int(len(b.changes))
		for i := range b.changes {
			e.bool(b.changes[i].gone)
			e.item(&b.changes[i].item)
		}
		e.int(len(b.effects))
		for _, d := range b.effects {
			e.b = append(e.b, byte(d.kind))
			e.text(d.mail)
			e.wall(d.at)
		}
	}
	e.deliveries(s.deliveries, names)
	e.loads(s.loads)
	jobs := make([]int, 0, 4)
	for _, c := range s.closes {
		jobs = append(jobs, names.Job(c.Job))
	}
	slices.Sort(jobs)
	e.int(len(jobs))
	for _, j := range jobs {
		e.int(j)
	}
	e.int(len(s.decisions))
	for _, d := range s.decisions {
		e.text(string(d.ID))
		e.text(d.Recipient)
		e.text(string(d.Decision))
	}
	e.truth(s)
	return e.b
}

// An encoder writes fields; times are written as how far they are from now.
type encoder struct {
	b   []byte
	now spec.Wall
}

func (e *encoder) int(v int)     { e.b = binary.AppendVarint(e.b, int64(v)) }
func (e *encoder) text(s string) { e.int(len(s)); e.b = append(e.b, s...) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
		return
	}
	e.b = append(e.b, 0)
}

func (e *encoder) wall(w spec.Wall) {
	e.bool(w != 0)
	if w != 0 {
		e.b = binary.AppendVarint(e.b, int64(w-e.now))
	}
}

func (e *encoder) line(w queue.Waiting) {
	e.text(w.Destination)
	e.wall(w.Due)
	e.text(string(w.ID))
}

// item writes a key and what matters of its value: a body is only ever
// removed again, and the judge wants to know whom it tells of.
func (e *encoder) item(x *item) {
	e.b = append(e.b, byte(x.key.Space))
	if x.line.Destination != "" {
		e.line(x.line)
		return
	}
	e.text(x.key.Name)
	if x.entry != nil {
		e.b = x.entry.AppendState(e.b, e.now)
	}
	e.int(len(x.about))
	for _, t := range x.about {
		e.text(t.recipient)
		e.text(t.state)
	}
}

// deliveries writes them by the number of their jobs, so that the order in
// which they began is nothing. A job of which the core knows nothing keeps its
// own name.
func (e *encoder) deliveries(all []delivery, names queue.Names) {
	e.int(len(all))
	sorted := make([]*delivery, len(all))
	for i := range all {
		sorted[i] = &all[i]
	}
	slices.SortFunc(sorted, func(a, b *delivery) int {
		return cmp.Or(cmp.Compare(names.Job(a.job), names.Job(b.job)), cmp.Compare(a.job, b.job))
	})
	for _, d := range sorted {
		n := names.Job(d.job)
		if e.int(n); n < 0 {
			e.text(d.job)
		}
		e.text(string(d.id))
		e.text(d.dest)
		for _, to := range d.to {
			e.text(to)
		}
		e.b = append(e.b, d.open, d.dot, byte(d.phase))
		e.bool(d.last)
		if d.phase == settling {
			e.int(names.Batch(d.seq))
		}
	}
}

// loads writes them in their order, which decides nothing but is as good as
// any: they are told apart by what they read.
func (e *encoder) loads(all []load) {
	e.int(len(all))
	for i := range all {
		l := &all[i]
		e.int(int(l.Kind))
		e.text(l.Destination)
		e.b = append(e.b, byte(l.Lane))
		e.int(l.Limit)
		e.text(string(l.ID))
		if e.bool(l.After != ""); l.After != "" {
			after, _ := queue.ParseWaiting(l.After)
			e.line(after)
		}
		e.bool(l.done)
		e.int(len(l.found.lines))
		for _, line := range l.found.lines {
			e.line(line)
		}
		e.int(len(l.found.ids))
		for i, id := range l.found.ids {
			e.text(string(id))
			e.bool(l.found.entries[i] != nil)
			if x := l.found.entries[i]; x != nil {
				e.item(x)
			}
		}
		e.int(len(l.found.paused))
		e.bool(l.found.more)
		e.wall(l.found.next)
	}
}
