package exhaust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// An event is one of the things that can happen next: a kind, and what it is
// about.
type event struct {
	kind    kind
	i, x, y uint8
}

type kind uint8

const (
	submitted kind = iota
	durable        // the oldest batch
	read           // the disk is read for load i
	arrived        // load i comes back
	header         // close i comes back
	passed         // an interval
	intends        // delivery i, for the recipients x
	accepts        // the server of delivery i
	answered       // delivery i, with the verdict x; y for other recipients
	over           // delivery i, with y for who is left
	missed         // delivery i, which reached no server
	decided        // message i, recipient x (0 is all), decision y
	crashed        // keeping i batches
	pausing        // x is the order
)

// decisions are the operator's words: on doubts, then on what waits.
var decisions = [...]queue.Decision{
	queue.DecideRetry, queue.DecideDelivered, queue.DecideReport,
	queue.DecideRelease, queue.DecideHold, queue.DecideNow, queue.DecideBounce, queue.DecideDelete,
	reroutes[0], reroutes[1],
}

// What a delivery may hear after a dot that the server did not take, and after
// one that it did.
var (
	refusals    = []spec.Verdict{spec.Defer, spec.FailRecipient, spec.InDoubt}
	acceptances = []spec.Verdict{spec.Proceed, spec.InDoubt}
)

// events lists what can happen next.
func (s *state) events(list []event) []event {
	if s.ready {
		for i := range s.world.Messages {
			if s.letter(id(i)).stage == unborn {
				list = append(list, event{kind: submitted, i: uint8(i)})
			}
		}
	}
	if len(s.unacked) > 0 {
		list = append(list, event{kind: durable})
	}
	for i := range s.loads {
		k := read
		if s.loads[i].done || s.isFresh(s.loads[i].Kind) {
			k = arrived
		}
		list = append(list, event{kind: k, i: uint8(i)})
	}
	for i := range s.closes {
		list = append(list, event{kind: header, i: uint8(i)})
	}
	list = s.deliveryEvents(list)
	list = s.operatorEvents(list)
	list = s.pauseEvents(list)
	if s.timePasses() {
		list = append(list, event{kind: passed})
	}
	if s.crashes > 0 {
		for keep := range len(s.unacked) + 1 {
			list = append(list, event{kind: crashed, i: uint8(keep)})
		}
	}
	return list
}

// isFresh reports whether a read of the kind finds the same at whatever moment
// before it comes back: then it is not asked at which. During recovery only
// what was read of the intents leads to batches, so the intents themselves
// are, and without them and what follows from them all is.
func (s *state) isFresh(k queue.LoadKind) bool {
	if k == queue.LoadIntents {
		return true
	}
	intents := slices.ContainsFunc(s.loads, func(l load) bool { return l.Kind == queue.LoadIntents })
	return k == queue.LoadDestinations && !intents && len(s.closes) == 0 && len(s.unacked) == 0
}

// timePasses reports whether it makes a difference: a timer runs, or a server
// is slow until the lifetime of its message is over.
func (s *state) timePasses() bool {
	if s.wake != 0 {
		return true
	}
	for i := range s.deliveries {
		if !s.world.Slow {
			break
		}
		if l := s.letter(s.deliveries[i].id); l != nil && l.stage != ended && s.deliveries[i].phase != settling && !s.expired(l) {
			return true
		}
	}
	return false
}

func (s *state) deliveryEvents(list []event) []event {
	for n := range s.deliveries {
		i, d := uint8(n), &s.deliveries[n]
		calm := s.world.Calm && s.isReport(d.id)
		switch d.phase {
		case idle:
			for to := uint8(1); to <= d.open; to++ {
				if to&^d.open == 0 {
					list = append(list, event{intends, i, to, 0})
				}
			}
			if calm && d.open != 0 {
				continue
			}
			if s.world.Dead && d.open == 1<<len(d.to)-1 {
				list = append(list, event{missed, i, 0, choices(d.open, len(d.to), 1)[0]})
			}
			for _, y := range choices(d.open, len(d.to), 1) {
				list = append(list, event{over, i, 0, y})
			}
		case granted, taken:
			verdicts := refusals
			if d.phase == taken {
				verdicts = acceptances
			} else {
				list = append(list, event{accepts, i, 0, 0})
			}
			if calm {
				verdicts = verdicts[:0]
				if d.phase == taken {
					verdicts = acceptances[:1]
				}
			}
			for _, v := range verdicts {
				for _, y := range choices(d.open&^d.dot, len(d.to), 0) {
					list = append(list, event{answered, i, uint8(v), y})
				}
			}
		case asked, settling:
		}
	}
	return list
}

// choices lists all ways to give each of the recipients in open a result, two
// bits each: none (if least is 0), deferred, refused.
func choices(open uint8, n int, least uint8) []uint8 {
	all := []uint8{0}
	for i := range n {
		if open&(1<<i) == 0 {
			continue
		}
		var more []uint8
		for _, y := range all {
			for v := least; v <= 2; v++ {
				more = append(more, y|v<<(2*i))
			}
		}
		all = more
	}
	return all
}

// operatorEvents lists what the operator can say: by what the disk holds. One
// word on a message at a time.
func (s *state) operatorEvents(list []event) []event {
	if !s.ready || s.policy.InDoubt != spec.DoubtHold && s.world.Orders == 0 && s.world.Reroutes == 0 {
		return list
	}
letters:
	for n := range s.letters {
		e := s.disk.entry(s.letters[n].id)
		if e == nil {
			continue
		}
		for _, d := range s.decisions {
			if d.ID == e.ID {
				continue letters
			}
		}
		for y, word := range decisions {
			list = s.wordEvents(list, n, e, word, uint8(y))
		}
	}
	return list
}

// wordEvents lists of whom the operator can say a word.
func (s *state) wordEvents(list []event, n int, e *queue.Entry, word queue.Decision, y uint8) []event {
	about := 0
	for i := range e.Recipients {
		if word.Concerns(&e.Recipients[i]) {
			about++
		}
	}
	if word == queue.DecideRetry && s.retries < about || s.orders == 0 && s.costs(word, e.ID) || s.reroutes == 0 && isReroute(word) {
		return list
	}
	for x := range len(e.Recipients) + 1 {
		if about == 0 || x == 0 && about == 1 || x > 0 && !word.Concerns(&e.Recipients[x-1]) {
			continue // "all" is another word than a name only of several
		}
		list = append(list, event{decided, uint8(n), uint8(x), y})
	}
	return list
}

func (s *state) decision(e event) queue.Decide {
	d := queue.Decide{Ticket: uint64(e.i) + 1, ID: s.letters[e.i].id, Decision: decisions[e.y]}
	if e.x > 0 {
		d.Recipient = s.disk.entry(d.ID).Recipients[e.x-1].Address
	}
	return d
}

// do lets an event happen.
func (s *state) do(e event) {
	i := int(e.i)
	switch e.kind {
	case submitted:
		s.submit(i)
	case durable:
		s.durable()
	case read:
		s.read(i)
	case arrived:
		s.arrive(i)
	case header:
		s.header(i)
	case passed:
		s.pass()
	case intends:
		d := &s.deliveries[i]
		d.phase, d.dot = asked, e.x
		s.step(queue.Intend{Job: d.job, Host: "mx." + d.dest, To: d.names(e.x)})
	case accepts:
		d := &s.deliveries[i]
		d.phase = taken
		s.mailsOf(d, d.dot, s.accept)
	case answered:
		s.settle(i, spec.Verdict(e.x), e.y, false)
	case over:
		s.settle(i, 0, e.y, true)
	case missed:
		s.unreached = true
		s.settle(i, 0, e.y, true)
		s.unreached = false
	case decided:
		s.decide(s.decision(e))
	case crashed:
		s.crash(i)
	case pausing:
		s.pause(word(e.x))
	}
	s.tidy()
}

// names lists the recipients of a delivery that bits names.
func (d *delivery) names(bits uint8) []string {
	var to []string
	for i, r := range d.to {
		if bits&(1<<i) != 0 {
			to = append(to, r)
		}
	}
	return to
}

// words says what an event is, before it happens.
func (s *state) words(e event) string {
	switch e.kind {
	case submitted:
		return fmt.Sprintf("%s is submitted to %s", id(int(e.i)), strings.Join(s.world.recipients(int(e.i)), ", "))
	case durable:
		return "batch " + fmt.Sprint(s.unacked[0].seq) + " is durable"
	case read:
		return "the disk is read for " + loadText(s.loads[e.i].Load)
	case arrived:
		return loadText(s.loads[e.i].Load) + " arrive"
	case header:
		return fmt.Sprintf("the header of %s is read, for %s", s.closes[e.i].ID, s.closes[e.i].Job)
	case passed:
		return fmt.Sprintf("%v pass", interval)
	case decided:
		d := s.decision(e)
		to := d.Recipient
		if to == "" {
			to = "all recipients"
		}
		return fmt.Sprintf("the operator says of %s to %s: %s", d.ID, to, d.Decision)
	case pausing:
		return fmt.Sprintf("the operator says: %s %s", word(e.x), s.world.first())
	case crashed:
		return fmt.Sprintf("the process crashes; the disk keeps %d of %d batches; another starts", e.i, len(s.unacked))
	}
	d := &s.deliveries[e.i]
	switch e.kind {
	case intends:
		return fmt.Sprintf("delivery %s is about to send the dot for %s", d.job, strings.Join(d.names(e.x), ", "))
	case accepts:
		return fmt.Sprintf("the dot of %s leaves, and the server ACCEPTS %s for %s", d.job, d.id, strings.Join(d.names(d.dot), ", "))
	case answered:
		return fmt.Sprintf("delivery %s hears %s%s", d.job, answerText(spec.Verdict(e.x)), d.others(e.y))
	}
	if e.kind == missed {
		return fmt.Sprintf("delivery %s reaches no server", d.job)
	}
	return fmt.Sprintf("delivery %s is over%s", d.job, d.others(e.y))
}

func answerText(v spec.Verdict) string {
	switch v {
	case spec.Proceed:
		return "250"
	case spec.Defer:
		return "a refusal for now"
	case spec.FailRecipient:
		return "a refusal for good"
	}
	return "nothing: the connection is lost"
}

func (d *delivery) others(y uint8) string {
	text := ""
	for i, to := range d.to {
		switch otherVerdict(y, i) {
		case spec.Defer:
			text += ", " + to + " was refused for now"
		case spec.FailRecipient:
			text += ", " + to + " was refused for good"
		}
	}
	return text
}

func loadText(l queue.Load) string {
	switch l.Kind {
	case queue.LoadIntents:
		return "the intents"
	case queue.LoadWriting:
		return "the unfinished contents"
	case queue.LoadDestinations:
		return "the destinations"
	case queue.LoadGroups:
		return "the messages for " + l.Destination
	}
	return "the message " + string(l.ID)
}

func keyText(k seam.Key) string {
	return fmt.Sprintf("%c:%s", k.Space, strings.ReplaceAll(k.Name, "\x00", "|"))
}
