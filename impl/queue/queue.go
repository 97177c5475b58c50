package queue

import (
	"errors"
	"fmt"
	"slices"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Queue is the core. It belongs to one goroutine.
type Queue struct {
	policy spec.Policy
	clock  clock

	messages     map[spec.QueueID]*message
	destinations map[string]*destination
	// timed orders the destinations by when they next have something due;
	// ready are those that have something due now, first come first served.
	timed  timedHeap
	ready  []*destination
	window int
	// loading counts reads of groups that are under way; promised is how many
	// groups they may bring.
	loading, promised int
	// moving counts messages whose lines in the index are being put right.
	moving int
	reads  reads

	jobs    map[string]*job
	active  int // jobs that hold a delivery's place
	nextJob uint64

	pending map[uint64]*commit
	nextSeq uint64

	recovery recovery
	// shares are what mailboxes got of reports lately; see hourly.go.
	shares map[string]*share
	// decisions are those of operators that wait for a message to be loaded.
	decisions map[spec.QueueID]decision
	// operators are the tickets of those whose decision no batch holds yet, in
	// order. It is only ever replaced.
	operators []uint64
	// paused are the destinations where an operator wants no attempt to begin. It
	// is only ever replaced.
	paused   []string
	stopping bool
	halted   error
	wake     spec.Mono // what the last WakeAt asked for; 0 is none

	actions []Action
	// release and open go last, because they set a goroutine going. Both come
	// together only when an operator's decision is the end of the recovery.
	release Action
	open    bool
}

// New returns a core that begins with Start.
func New(policy spec.Policy) *Queue {
	return &Queue{
		policy: policy, messages: map[spec.QueueID]*message{}, destinations: map[string]*destination{},
		jobs: map[string]*job{}, pending: map[uint64]*commit{}, decisions: map[spec.QueueID]decision{},
		shares: map[string]*share{},
	}
}

// A job is a delivery or a close that runs.
type job struct {
	id      string
	message *message
	group   *group // nil for a close
	dest    string
	to      []string
	attempt int
	began   spec.Wall
	// before are the recipients of this job's intents, as they were before. It
	// is only ever replaced.
	before []Recipient
	// closing are the results that wait for the header; nil for a delivery.
	closing []Result
	// ticket is that of an operator who waits for the close; 0 for none.
	ticket uint64
	// blocked are the destinations where the message has no attempt begun while
	// a close runs. It is never changed.
	blocked []string
}

// A commit is a batch that is not durable yet, and what its durability lets
// happen.
type commit struct {
	message *message
	// dests are the destinations whose recipients it changes.
	dests []string
	// moves is true when it only puts their lines in the index right.
	moves   bool
	facts   []spec.Fact
	release Action
	// fresh are messages that begin to exist with the batch.
	fresh []*message
}

// ErrRefused is wrapped by the error of an Accepted when no batch was made: the
// content that was written ahead belongs to nobody.
var ErrRefused = errors.New("not queued")

// What refuses a submission or a decision that comes too late or too early:
// recovery takes an unfinished content for one of the process before.
var (
	errStopped  = errors.New("the relay is shutting down")
	errNotReady = errors.New("the relay is still recovering")
)

// closed returns why nothing can be taken, nil when it can.
func (q *Queue) closed() error {
	switch {
	case q.stopping:
		return errStopped
	case !q.recovery.ready:
		return errNotReady
	}
	return nil
}

// A StepFunc takes one event and returns what must be done, as Queue.Step does.
type StepFunc func(now spec.Instant, e Event) []Action

// Step takes one event at the time now and returns what must be done. The
// slice is valid until the next Step.
func (q *Queue) Step(now spec.Instant, e Event) []Action {
	q.clock.read(now)
	clear(q.actions)
	q.actions, q.release, q.open = q.actions[:0], nil, false
	if q.halted != nil {
		q.refuse(e, q.halted)
		return q.finish()
	}
	switch e := e.(type) {
	case Start:
		q.start()
	case Submit:
		q.submit(e)
	case Adopt:
		q.adopt(e)
	case Durable:
		q.durable(e)
	case Wake:
		q.wake = 0
	case Intend:
		q.intend(e)
	case Settle:
		q.settle(e)
	case Loaded:
		q.loaded(e)
	case Decide:
		q.decide(e)
	case Pause:
		q.pause(e)
	case Stop:
		q.stopping = true
	default:
		q.halt(fmt.Errorf("queue: unknown event %T", e))
	}
	if q.halted == nil {
		q.dispatch()
		q.sleep()
	}
	return q.finish()
}

func (q *Queue) finish() []Action {
	if q.release != nil {
		q.actions = append(q.actions, q.release)
	}
	if q.open {
		q.actions = append(q.actions, Ready{})
	}
	return q.actions
}

func (q *Queue) act(a Action) { q.actions = append(q.actions, a) }

func (q *Queue) note(f spec.Fact) { q.act(Note{f}) }

// halt ends everything: the shell stops, and the next process recovers.
func (q *Queue) halt(err error) {
	if q.halted != nil {
		return
	}
	q.halted = err
	q.note(spec.Fact{Kind: spec.FactHalt, Text: err.Error()})
	q.act(Halt{err, q.operators})
	q.operators = nil
}

// refuse answers whoever waits for the event.
func (q *Queue) refuse(e Event, err error) {
	switch e := e.(type) {
	case Submit:
		q.release = Accepted{e.ID, fmt.Errorf("%w: %w", ErrRefused, err)}
	case Adopt:
		q.release = Accepted{e.Entry.ID, fmt.Errorf("%w: %w", ErrRefused, err)}
	case Intend:
		q.release = MayCommit{e.Job, err}
	case Settle:
		q.release = Settled{e.Job, err}
	case Decide:
		q.release = Decided{e.Ticket, e.ID, err}
	case Pause:
		q.release = Decided{Ticket: e.Ticket, Err: err}
	case Durable:
		q.late(e, err)
	}
}

// late takes a batch that ends after the core has halted. What is durable is
// durable, and who waited for it is told so; but no dot may leave any more.
func (q *Queue) late(e Durable, err error) {
	c := q.pending[e.Seq]
	if c == nil {
		return
	}
	delete(q.pending, e.Seq)
	if e.Err == nil {
		q.tell(c)
		if r, ok := q.release.(MayCommit); ok {
			q.release = MayCommit{r.Job, err}
		}
		return
	}
	switch r := c.release.(type) {
	case Accepted:
		q.release = Accepted{r.ID, err}
	case MayCommit:
		q.release = MayCommit{r.Job, err}
	case Settled:
		q.release = Settled{r.Job, err}
	case Decided:
		q.release = Decided{r.Ticket, r.ID, err}
	}
}

// tell says what holds now that a batch is durable.
func (q *Queue) tell(c *commit) {
	for _, f := range c.facts {
		q.note(f)
	}
	q.release = c.release
}

// commit sends a batch on its way. When it is durable, its facts hold and its
// release is due.
func (q *Queue) commit(c *commit, ops []seam.Op) {
	q.nextSeq++
	q.pending[q.nextSeq] = c
	if c.moves {
		q.moving++
	}
	if r, ok := c.release.(Decided); ok {
		q.operators = withoutTicket(q.operators, r.Ticket)
	}
	if m := c.message; m != nil {
		m.commits++
		m.unsure = slices.Concat(m.unsure, c.dests)
		q.holdOf(c.dests)
		q.withdraw(m, c.dests)
	}
	q.act(Commit{q.nextSeq, ops})
}

// changes notes that the batch changes recipients at a destination.
func (c *commit) changes(dest string) {
	if !slices.Contains(c.dests, dest) {
		c.dests = append(c.dests, dest)
	}
}

func (q *Queue) durable(e Durable) {
	if e.Err != nil {
		err := fmt.Errorf("storing a batch: %w", e.Err)
		q.halt(err)
		q.late(e, err)
		return
	}
	c := q.pending[e.Seq]
	if c == nil {
		q.halt(fmt.Errorf("queue: batch %d became durable twice or was never sent", e.Seq))
		return
	}
	delete(q.pending, e.Seq)
	if c.moves {
		q.moving--
	}
	q.tell(c)
	for _, m := range c.fresh {
		m.unsure = nil
		q.known(m, m.waitsAt())
	}
	if m := c.message; m != nil {
		m.unsure = without(m.unsure, c.dests)
		q.known(m, c.dests)
		q.letGoOf(c.dests)
	}
	q.recovered()
}

// Sizes says how much is in memory, for metrics and tests.
type Sizes struct {
	Messages, Destinations, Groups, Jobs, Commits int
}

// Sizes returns how much is in memory.
func (q *Queue) Sizes() Sizes {
	return Sizes{len(q.messages), len(q.destinations), q.window, len(q.jobs), len(q.pending)}
}
