package coverage

import (
	"slices"

	"github.com/postonce/postonce/spec"
)

// A Run reads the facts of one run, in order. Make one with NewRun.
//
// It believes what it is told: whether that is lawful, the checker judges. A
// log that begins in the middle covers less, not something else.
type Run struct {
	c Coverage
	// process numbers the relay's processes; down is true between two.
	process int64
	down    bool
	// submitting counts the recipients of submissions under way, by Message-ID.
	submitting map[string]int
	recipients map[recipientKey]*recipient
	messages   map[spec.QueueID][]*recipient
	// disk is true when the disk speaks; kept are the messages that it kept in
	// the latest crash, nil when there was none.
	disk bool
	kept map[spec.QueueID]bool
	// marks says of messages whether the disk holds an intent of theirs; those
	// of whose intents it never spoke are missing.
	marks map[spec.QueueID]bool

	jobs     map[string]*job
	dials    map[string][]*job // by address, those that are neither made nor failed
	sessions map[string]*session
}

type recipientKey struct {
	queue   spec.QueueID
	address string
}

// A recipient is one recipient of one message in the spool.
type recipient struct {
	key   recipientKey
	state spec.RecipientState
	// since is the process in which it entered its state.
	since int64
	// job is the attempt under way; dotted is true once its dot has left.
	job    *job
	dotted bool
	// doubted is true once the relay spoke of a doubt since it entered its state.
	doubted bool
}

// A job is one attempt under way.
type job struct{ to []*recipient }

// NewRun returns a Run that has read nothing.
func NewRun() *Run {
	r := &Run{
		submitting: map[string]int{}, recipients: map[recipientKey]*recipient{}, messages: map[spec.QueueID][]*recipient{},
		marks: map[spec.QueueID]bool{},
		jobs:  map[string]*job{}, dials: map[string][]*job{}, sessions: map[string]*session{},
	}
	r.c.runs = 1
	return r
}

// Coverage returns what the facts so far reached. It is not to be changed while
// more are read.
func (r *Run) Coverage() *Coverage { return &r.c }

// Observe reads one fact.
func (r *Run) Observe(f *spec.Fact) {
	switch f.Kind {
	case spec.FactSubmit, spec.FactSubmitted, spec.FactRefused, spec.FactSubmitUnknown:
		r.submission(f)
	case spec.FactQueued, spec.FactIntent, spec.FactOutcome:
		r.transition(f)
	case spec.FactDoubt:
		for _, address := range f.To {
			r.recipient(f.Queue, address).doubted = true
		}
	case spec.FactAttempt, spec.FactAttemptEnd, spec.FactDial, spec.FactIdle, spec.FactReuse, spec.FactDot:
		r.attempt(f)
	case spec.FactRemoved, spec.FactDamaged:
		r.forget(f.Queue)
	case spec.FactTrouble:
		r.trouble(f)
	case spec.FactConnect, spec.FactConnectFailed, spec.FactClosed, spec.FactCommand, spec.FactReply:
		r.wire(f)
	case spec.FactFault:
		r.fault(f)
	case spec.FactPlan:
		if len(f.Faults) > 0 {
			r.fault(f)
		}
	case spec.FactCrash:
		r.fault(f)
		r.end()
		if r.disk {
			r.kept = map[spec.QueueID]bool{}
			for queue := range r.marks { // any order: each is treated alike
				r.marks[queue] = false
			}
		}
	case spec.FactStored:
		r.disk = true
		r.mark(f)
	case spec.FactErased:
		r.mark(f)
	case spec.FactKept:
		if r.kept != nil {
			r.kept[f.Queue] = true
		}
		r.mark(f)
	case spec.FactStop:
		r.end()
	case spec.FactStart:
		r.start()
	default: // the others say nothing about coverage
	}
}

// submission follows who is being submitted.
func (r *Run) submission(f *spec.Fact) {
	switch f.Kind {
	case spec.FactSubmit:
		r.submitting[f.Message] = len(f.To)
	case spec.FactRefused:
		if r.submitting[f.Message] -= len(f.To); len(f.To) == 0 || r.submitting[f.Message] <= 0 {
			delete(r.submitting, f.Message)
		}
	default:
		delete(r.submitting, f.Message)
	}
}

// transition takes what says a new state of recipients.
func (r *Run) transition(f *spec.Fact) {
	to := f.State
	switch f.Kind {
	case spec.FactQueued:
		to = spec.Queued
		delete(r.submitting, f.Message)
	case spec.FactIntent:
		to = spec.Intent
	}
	for _, address := range f.To {
		r.move(r.recipient(f.Queue, address), to)
	}
}

// recipient returns a recipient, which is made when it is new.
func (r *Run) recipient(queue spec.QueueID, address string) *recipient {
	key := recipientKey{queue, address}
	one := r.recipients[key]
	if one == nil {
		one = &recipient{key: key, since: r.process}
		r.recipients[key] = one
		r.messages[queue] = append(r.messages[queue], one)
	}
	return one
}

// move brings a recipient into a state.
func (r *Run) move(one *recipient, to spec.RecipientState) {
	restarted := one.since < r.process
	if restarted && one.state == spec.Queued && (!one.state.CanBecome(to) || to == spec.Unknown && one.doubted) {
		// The intent was durable, but the process died before it said so.
		one.state = spec.Intent
	}
	if restarted && one.state == spec.Intent && to == spec.Failed && !one.doubted {
		// So was its deferral: of an intent that is still there, the next process tells.
		one.state = spec.Queued
	}
	r.c.hit(TransitionPoint(one.state, to, restarted))
	one.state, one.since, one.dotted, one.doubted = to, r.process, false, false
}

// mark takes what the disk says of the intents of a message.
func (r *Run) mark(f *spec.Fact) {
	if f.Text != "intent" {
		return
	}
	r.marks[f.Queue] = f.Kind != spec.FactErased
	if r.down && f.Kind == spec.FactErased {
		r.defers(f.Queue)
	}
}

// defers brings those of a message whose intent is no longer on the disk back
// into the queue: their deferral was durable, but the process ended before it
// said so.
func (r *Run) defers(queue spec.QueueID) {
	if marked, told := r.marks[queue]; marked || !told {
		return
	}
	for _, one := range r.messages[queue] {
		if one.state == spec.Intent {
			one.state, one.dotted = spec.Queued, false
		}
	}
}

// attempt follows the relay's attempts.
func (r *Run) attempt(f *spec.Fact) {
	switch f.Kind {
	case spec.FactAttempt:
		r.begin(f)
	case spec.FactAttemptEnd:
		r.over(f.Job)
	case spec.FactDial:
		if j := r.jobs[f.Job]; j != nil {
			r.dials[f.Addr] = append(r.dials[f.Addr], j)
		}
	case spec.FactIdle:
		if s := r.sessions[f.Session]; s != nil {
			s.job = nil
		}
	case spec.FactReuse:
		if s := r.sessions[f.Session]; s != nil {
			s.belongsTo(r.jobs[f.Job])
		}
	case spec.FactDot:
		if s := r.sessions[f.Session]; s != nil {
			s.belongsTo(r.jobs[f.Job])
		}
		for _, address := range f.To {
			if one := r.recipients[recipientKey{f.Queue, address}]; one != nil {
				one.dotted = true
			}
		}
	}
}

func (r *Run) begin(f *spec.Fact) {
	j := &job{}
	r.jobs[f.Job] = j
	for _, address := range f.To {
		one := r.recipient(f.Queue, address)
		switch {
		case one.state == 0:
			// It was durable, but the process died before it said so.
			r.c.hit(TransitionPoint(0, spec.Queued, r.process > 1))
			one.state, one.since = spec.Queued, r.process
		case one.state == spec.Intent && one.since < r.process:
			// So was its deferral.
			one.state, one.since = spec.Queued, r.process
		}
		one.job, one.dotted = j, false
		j.to = append(j.to, one)
	}
}

func (r *Run) over(id string) {
	j := r.jobs[id]
	if j == nil {
		return
	}
	delete(r.jobs, id)
	for _, one := range j.to {
		if one.job == j {
			one.job = nil
		}
	}
}

// forget drops a message that is no longer in the spool.
func (r *Run) forget(queue spec.QueueID) {
	for _, one := range r.messages[queue] {
		delete(r.recipients, one.key)
	}
	delete(r.messages, queue)
	delete(r.marks, queue)
}

// end ends the relay's process.
func (r *Run) end() {
	for _, one := range r.recipients { // any order: each is treated alike
		one.job = nil
	}
	clear(r.jobs)
	clear(r.dials)
	clear(r.submitting)
	for queue := range r.marks { // any order: each is treated alike
		r.defers(queue)
	}
	for _, s := range r.sessions { // any order: each is treated alike
		s.job, s.over = nil, true
	}
	r.down = true
}

// start begins the next process. What the disk did not keep is gone; what
// became durable without a word, and ended the message, too.
func (r *Run) start() {
	r.process++
	r.down = false
	if r.kept == nil {
		return
	}
	var gone []spec.QueueID
	for queue := range r.messages { // any order: it is a set
		if !r.kept[queue] {
			gone = append(gone, queue)
		}
	}
	for _, queue := range gone {
		r.forget(queue)
	}
	for queue := range r.marks { // any order: each is treated alike
		r.defers(queue)
	}
	r.kept = nil
}

// place says where a recipient stands; ok is false when that is not known.
func (r *Run) place(one *recipient) (at Place, ok bool) {
	switch {
	case one.state == spec.Intent && (r.down || one.since < r.process):
		return Doubtful, true
	case one.state == spec.Intent && one.dotted:
		return Dotted, true
	case one.state == spec.Intent:
		return Intended, true
	case one.state == spec.Queued && one.job != nil:
		return Attempting, true
	case one.state == spec.Queued, one.state == spec.Parked:
		return Waiting, true
	case one.state == spec.Held:
		return Held, true
	}
	return Final, one.state.Final()
}

// A crowd is a set of places.
type crowd uint16

func (r *Run) add(c crowd, one *recipient) crowd {
	if at, ok := r.place(one); ok {
		c |= 1 << at
	}
	return c
}

// atWork are the places of those whom a conversation is about.
const atWork crowd = 1<<Attempting | 1<<Intended | 1<<Dotted

// fault takes a fault. One of several kinds counts for each.
func (r *Run) fault(f *spec.Fact) {
	if len(f.Faults) == 0 {
		r.c.strange++
		return
	}
	if s := r.sessions[f.Session]; s != nil && slices.Contains(f.Faults, spec.FaultTorn) {
		s.torn = f.Stage
	}
	concerned := r.concerned(f)
	for _, fault := range f.Faults {
		p, ok := FaultPoint(fault)
		if !ok {
			r.c.strange++
			continue
		}
		r.c.hit(p, true)
		for at := range Place(places) {
			if concerned&(1<<at) != 0 {
				r.c.hit(PairPoint(fault, at))
			}
		}
	}
}

// concerned says where those stand whom a fault concerns.
func (r *Run) concerned(f *spec.Fact) crowd {
	var c crowd
	switch f.Faults[0].Place() {
	case spec.PlaceConnect:
		if waiting := r.dials[f.Addr]; len(waiting) > 0 {
			c = r.of(waiting[0]) & atWork
		}
	case spec.PlaceDNS:
		// The DNS does not say who asked.
		for _, j := range r.jobs { // any order: a union has none
			c |= r.of(j) & atWork
		}
	case spec.PlaceServer, spec.PlaceHandshake:
		// To who is idle it does nothing that concerns a recipient.
		if s := r.sessions[f.Session]; s != nil && s.job != nil && f.Stage != spec.StageIdle {
			c = r.of(s.job)
			switch {
			case f.Stage == spec.StageDot:
				c &= 1 << Dotted // not those who were refused before it
			case f.Stage < spec.StageDot:
				c &= atWork
			}
		}
	case spec.PlaceProcess, spec.PlaceClock:
		if len(r.submitting) > 0 {
			c = 1 << Submitting
		}
		for _, one := range r.recipients { // any order: a union has none
			c = r.add(c, one)
		}
	case spec.PlaceDisk:
		for _, one := range r.messages[f.Queue] {
			c = r.add(c, one)
		}
	}
	return c
}

// of says where the recipients of an attempt stand.
func (r *Run) of(j *job) crowd {
	var c crowd
	for _, one := range j.to {
		c = r.add(c, one)
	}
	return c
}
