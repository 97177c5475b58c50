package queue

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A model drives the core with random orders of completions, random server
// behaviour and crashes anywhere, and keeps its own account of what servers
// took: the truth that the core's beliefs are held against.
type model struct {
	t         *rapid.T
	s         *script
	core      *Queue
	deliver   []*modelDelivery
	submitted map[string]int // recipients of acknowledged messages -> acceptances by servers
	reports   map[string]int // recipients -> reports stored
	removed   map[spec.QueueID]int
	waiting   map[Action]bool // releases that somebody waits for
	next      int
	crashes   int
	loads     []Load
	read      []Loaded // reads that saw the disk and have not come back
	closes    []Close
	licences  map[string]int  // recipients -> acceptances more that a doubt allows
	word      map[string]bool // recipients of which the operator said that they have it, or need not
	decisions []Decision      // what the operator may say
	missed    bool            // no server was reached by the attempt that ends
}

var decisions = [...]Decision{
	DecideRetry, DecideDelivered, DecideReport, DecideHold, DecideRelease, DecideNow, DecideBounce, DecideDelete,
	Reroute("mx9.test"), Reroute("mx8.test"), Reroute(),
}

type modelDelivery struct {
	begin   Begin
	granted []string // recipients whose dot may leave
}

func newModel(t *rapid.T) *model {
	s := newScript()
	s.policy.InDoubt = rapid.SampledFrom([]spec.InDoubtPolicy{spec.DoubtReport, spec.DoubtHold, spec.DoubtRetry}).Draw(t, "in doubt")
	s.policy.Limits.Deliveries = rapid.IntRange(1, 3).Draw(t, "deliveries")
	s.policy.Limits.DeliveriesPerDestination = rapid.IntRange(1, 2).Draw(t, "per destination")
	s.policy.Limits.FirstPerDestination = rapid.IntRange(1, 2).Draw(t, "first per destination")
	s.policy.Limits.DeadAfter = rapid.IntRange(0, 2).Draw(t, "dead after")
	s.policy.Limits.ReportsPerHour = rapid.SampledFrom([]int{0, 1, 200}).Draw(t, "reports per hour")
	s.policy.Limits.PerMinute = rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "per minute")
	s.policy.Limits.WindowGroups = rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "window")
	s.policy.Schedule.Lifetime = time.Hour
	m := &model{decisions: decisions[:], t: t, s: s, submitted: map[string]int{}, reports: map[string]int{}, removed: map[spec.QueueID]int{},
		licences: map[string]int{}, word: map[string]bool{}}
	m.start()
	return m
}

func (m *model) start() {
	m.core = New(m.s.policy)
	m.deliver, m.loads, m.read, m.closes, m.waiting = nil, nil, nil, nil, map[Action]bool{}
	m.step(Start{})
}

func (m *model) step(e Event) {
	switch e := e.(type) {
	case Submit:
		m.waiting[Accepted{ID: e.ID}] = true
	case Intend:
		m.waiting[MayCommit{Job: e.Job}] = true
	case Settle:
		m.waiting[Settled{Job: e.Job}] = true
	case Decide:
		m.waiting[Decided{Ticket: e.Ticket, ID: e.ID}] = true
	}
	m.t.Logf("%T %+v", e, e)
	for _, act := range append([]Action(nil), m.core.Step(m.s.now, e)...) {
		m.t.Logf("   %T %.200s", act, fmt.Sprintf("%+v", act))
		switch act.(type) {
		case Accepted, MayCommit, Settled:
			delete(m.waiting, act)
		}
		if d, ok := act.(Decided); ok { // refused while another one is carried out, or nothing is held
			delete(m.waiting, Decided{Ticket: d.Ticket, ID: d.ID})
		}
		switch act := act.(type) {
		case Commit:
			m.s.unacked = append(m.s.unacked, act)
		case Load:
			m.loads = append(m.loads, act)
		case Close:
			m.closes = append(m.closes, act)
		case Begin:
			m.begins(act)
			m.deliver = append(m.deliver, &modelDelivery{begin: act})
		case Accepted:
			if act.Err != nil {
				m.t.Fatalf("submission refused: %v", act.Err)
			}
			for _, r := range m.entry(act.ID).Recipients {
				m.submitted[string(act.ID)+" "+r.Address] += 0
			}
		case MayCommit:
			m.grant(act)
		case Halt:
			m.t.Fatalf("the core halts: %v", act.Err)
		case Note:
			m.fact(act.Fact)
		}
	}
}

// begins demands that the disk allows an attempt of whom one begins for.
func (m *model) begins(b Begin) {
	for _, to := range b.To {
		if r := m.entry(b.ID).recipient(to); r.Standing() != spec.Queued {
			m.t.Fatalf("an attempt begins for %s, who is %v", to, r.Standing())
		}
		if dest := m.entry(b.ID).recipient(to).Destination(m.s.policy, b.Sender); dest != b.Dest {
			m.t.Fatalf("an attempt begins for %s at %s, and the disk says %s", to, b.Dest, dest)
		}
	}
}

func (m *model) entry(id spec.QueueID) *Entry {
	e, err := DecodeEntry(m.s.disk[seam.ControlKey(id)])
	if err != nil {
		m.t.Fatalf("%s was acknowledged and is not on disk: %v", id, err)
	}
	return e
}

func (m *model) grant(a MayCommit) {
	for _, d := range m.deliver {
		if d.begin.Job == a.Job && a.Err == nil {
			d.granted = d.begin.To
		}
	}
}

func (m *model) fact(f spec.Fact) {
	if f.Kind == spec.FactReport {
		for _, to := range f.To {
			m.reports[f.Text+" "+to]++
			if n := m.reports[f.Text+" "+to]; n > 1 {
				m.t.Fatalf("%s to %s is reported %d times", f.Text, to, n)
			}
		}
	}
	if f.Kind == spec.FactOutcome {
		key := string(f.Queue) + " " + f.To[0]
		switch {
		case f.State == spec.Deleted:
			m.word[key] = true
		case f.State == spec.Failed && m.submitted[key] > 0:
			m.t.Fatalf("%s is called failed, and a server has it", key)
		case f.State == spec.Delivered && m.submitted[key] == 0 && !m.word[key]:
			m.t.Fatalf("%s is called delivered, and no server has it", key)
		}
	}
	if f.Kind == spec.FactRemoved {
		m.removed[f.Queue]++
	}
}

// act does one random thing of those that can happen.
func (m *model) act() {
	var can []func()
	if m.next < 4 && m.core.recovery.ready {
		can = append(can, m.submit)
	}
	if len(m.s.unacked) > 0 {
		can = append(can, m.durable, m.durable)
	}
	if len(m.loads) > 0 {
		can = append(can, m.look)
	}
	if len(m.read) > 0 {
		can = append(can, m.load)
	}
	if words := m.words(); len(words) > 0 && m.core.recovery.ready {
		can = append(can, func() { m.decide(rapid.SampledFrom(words).Draw(m.t, "decision")) })
	}
	if len(m.closes) > 0 {
		can = append(can, m.close)
	}
	for i := range m.deliver {
		can = append(can, func() { m.talk(i) })
	}
	if m.crashes < 3 {
		can = append(can, m.crash)
	}
	can = append(can, func() { m.pass(time.Duration(rapid.IntRange(1, 20).Draw(m.t, "minutes")) * time.Minute) })
	can[rapid.IntRange(0, len(can)-1).Draw(m.t, "next")]()
}

func (m *model) submit() {
	m.next++
	id := spec.QueueID(fmt.Sprintf("m%d", m.next))
	var to []string
	for range rapid.IntRange(1, 3).Draw(m.t, "recipients") {
		to = append(to, rapid.SampledFrom([]string{"a@x.test", "b@x.test", "c@y.test"}).Draw(m.t, "to"))
	}
	sender := rapid.SampledFrom([]string{"s@home.test", "s@home.test", "t@home.test"}).Draw(m.t, "sender")
	m.step(Submit{ID: id, Message: string(id), Size: 3, Envelope: spec.Envelope{Sender: sender, Recipients: to},
		Ops: []seam.Op{{Key: seam.ChunkKey(id, 0), Value: []byte("a\r\n")}}})
}

func (m *model) durable() {
	c := m.s.unacked[0]
	m.s.unacked = m.s.unacked[1:]
	apply(m.s.disk, c.Ops)
	m.step(Durable{Seq: c.Seq})
}

// look has a read see the disk as it is; load has the oldest come back.
func (m *model) look() {
	l := m.loads[0]
	m.loads = m.loads[1:]
	m.read = append(m.read, m.s.load(l))
}

func (m *model) load() {
	e := m.read[0]
	m.read = m.read[1:]
	m.step(e)
}

// words lists what an operator can say, by what is on disk, of one recipient
// each.
func (m *model) words() (words []Decide) {
	for _, k := range sortedKeys(m.s.disk) {
		if k.Space != seam.SpaceControl {
			continue
		}
		e, err := DecodeEntry(m.s.disk[k])
		if err != nil {
			m.t.Fatal(err)
		}
		for _, r := range e.Recipients {
			for _, d := range m.decisions {
				if d.Concerns(&r) {
					words = append(words, Decide{ID: e.ID, Recipient: r.Address, Decision: d})
				}
			}
		}
	}
	return words
}

func (m *model) decide(d Decide) {
	m.s.tickets++
	d.Ticket = m.s.tickets
	key := string(d.ID) + " " + d.Recipient
	switch d.Decision {
	case DecideRetry:
		m.licences[key]++
	case DecideDelivered:
		m.word[key] = true
	}
	m.step(d)
}

func (m *model) close() {
	c := m.closes[0]
	m.closes = m.closes[1:]
	m.step(Settle{Job: c.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: m.s.freshID()})
}

// talk goes one step on in a delivery: intend, or the dot and its reply.
func (m *model) talk(i int) {
	d := m.deliver[i]
	if d.granted == nil {
		if rapid.Bool().Draw(m.t, "defer before dot") {
			m.missed = rapid.Bool().Draw(m.t, "no server was reached")
			m.end(i, spec.Defer)
			m.missed = false
			return
		}
		d.granted = []string{}
		m.step(Intend{Job: d.begin.Job, Host: "mx", To: d.begin.To})
		return
	}
	if len(d.granted) == 0 {
		return // the intent is not durable yet
	}
	verdict := rapid.SampledFrom([]spec.Verdict{spec.Proceed, spec.Proceed, spec.Defer, spec.FailMessage, spec.InDoubt}).Draw(m.t, "reply")
	if verdict == spec.Proceed || verdict == spec.InDoubt && rapid.Bool().Draw(m.t, "accepted") {
		m.accept(d)
	}
	if verdict == spec.InDoubt {
		m.license(d)
	}
	m.end(i, verdict)
}

// license lets those of a delivery be sent again, if the policy says so.
func (m *model) license(d *modelDelivery) {
	if m.s.policy.InDoubt != spec.DoubtRetry {
		return
	}
	for _, to := range d.begin.To {
		m.licences[string(d.begin.ID)+" "+to]++
	}
}

// accept is the server taking the message: the truth.
func (m *model) accept(d *modelDelivery) {
	for _, to := range d.granted {
		key := string(d.begin.ID) + " " + to
		m.submitted[key]++
		if n := m.submitted[key]; n > 1+m.licences[key] {
			m.t.Fatalf("%s was accepted %d times, and %d doubts allow it", key, n, m.licences[key])
		}
	}
	d.granted = []string{}
}

func (m *model) end(i int, v spec.Verdict) {
	d := m.deliver[i]
	m.deliver = append(m.deliver[:i:i], m.deliver[i+1:]...)
	e := Settle{Job: d.begin.Job, Last: true, Header: []byte("Subject: x\r\n"), Fresh: m.s.freshID()}
	for _, to := range d.begin.To {
		e.Results = append(e.Results, Result{Recipient: to, Verdict: v, Unreached: m.missed, Trouble: Trouble{Host: "mx", Stage: spec.StageDot}})
	}
	m.step(e)
}

func (m *model) pass(d time.Duration) {
	m.s.now.Mono, m.s.now.Wall = m.s.now.Mono.Add(d), m.s.now.Wall.Add(d)
	m.step(Wake{})
}

// crash loses a suffix of what is not durable; servers may have taken what
// was on its way.
func (m *model) crash() {
	m.crashes++
	for _, d := range m.deliver {
		m.license(d)
		if len(d.granted) > 0 && rapid.Bool().Draw(m.t, "accepted in the crash") {
			m.accept(d)
		}
	}
	keep := rapid.IntRange(0, len(m.s.unacked)).Draw(m.t, "keep")
	for _, c := range m.s.unacked[:keep] {
		apply(m.s.disk, c.Ops)
		for _, f := range m.core.pending[c.Seq].facts {
			m.fact(f) // true, though nobody lives to say it
		}
	}
	for _, c := range m.s.unacked[keep:] { // what was heard and is forgotten is a doubt
		for _, f := range m.core.pending[c.Seq].facts {
			if f.Kind == spec.FactOutcome && m.s.policy.InDoubt == spec.DoubtRetry {
				m.licences[string(f.Queue)+" "+f.To[0]]++
			}
		}
	}
	m.s.unacked, m.s.now.Mono = nil, 0
	const year = 365 * 24 * time.Hour
	m.s.now.Wall = m.s.now.Wall.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, -time.Hour, -year, year}).Draw(m.t, "the clock is set by"))
	if rapid.Bool().Draw(m.t, "other relay hosts") {
		relays := []string{"smart.test"}
		if len(m.s.policy.Relays) > 0 {
			relays = nil
		}
		m.s.policy.Relays = relays
	}
	m.start()
}

// settle lets everything finish: no more faults, servers take everything.
func (m *model) settle() {
	m.decisions = []Decision{DecideReport, DecideRelease}
	for range 2000 {
		switch {
		case len(m.s.unacked) > 0:
			m.durable()
		case len(m.loads) > 0:
			m.look()
		case len(m.read) > 0:
			m.load()
		case len(m.closes) > 0:
			m.close()
		case len(m.deliver) > 0 && m.deliver[0].granted == nil:
			m.deliver[0].granted = []string{}
			m.step(Intend{Job: m.deliver[0].begin.Job, Host: "mx", To: m.deliver[0].begin.To})
		case len(m.deliver) > 0:
			m.accept(m.deliver[0])
			m.end(0, spec.Proceed)
		case len(m.words()) > 0:
			m.decide(m.words()[0])
		case len(m.s.disk) > 0 || m.core.Sizes().Destinations > 0: // one may be known to have mail that ended in the recovery
			m.pass(10 * time.Minute)
		default:
			return
		}
	}
	m.s.list()
	m.t.Fatalf("no end in sight; the disk holds\n%s%+v", m.s.out.String(), m.core.Sizes())
}

func TestNeverTwiceAndCleanExactlyInAnyOrderWithCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.act()
		}
		m.settle()
		if len(m.waiting) > 0 {
			t.Fatalf("everything is done and somebody still waits for %v", m.waiting)
		}
		for key, accepted := range m.submitted {
			if accepted == 0 && m.reports[key] == 0 && !m.word[key] {
				t.Fatalf("%s is lost: no server took it and nobody was told", key)
			}
		}
		if got := m.core.Sizes(); got.Messages != 0 || got.Groups != 0 || got.Jobs != 0 || got.Commits != 0 || got.Destinations != 0 {
			t.Fatalf("everything is done and memory still holds %+v", got)
		}
	})
}
