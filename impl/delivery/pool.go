package delivery

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/spec"
)

// A Pool keeps conversations that attempts have left in good order, for a while,
// for the next one to the same server. A nil Pool keeps none.
//
// It also counts connections, those in use and those that are kept, and never
// lets there be more than spec.Limits allows deliveries: who needs a place has a
// conversation ended that is only kept, and waits while one is being ended.
//
// No lock is held across a wait. A goroutine that is released begins through
// start, so that one completion makes one goroutine runnable.
type Pool struct {
	policy spec.Policy
	start  func(func())
	note   func(spec.Fact)
	// alike, when not nil, changes what a conversation is known by.
	alike func(Key) Key

	mu sync.Mutex
	// idle are the conversations that are kept, the oldest first.
	idle []*talk
	// held counts connections by destination, total all of them.
	held  map[string]int
	total int
	// waiting are those who wait for a place, in order.
	waiting []*waiting
	stopped bool
	// wary is since when servers are not trusted with pipelining.
	wary map[netip.AddrPort]time.Time
	// timers counts the timers that run, or whose work is under way.
	timers sync.WaitGroup
}

// A waiting attempt is let go on by closing free.
type waiting struct {
	dest string
	free chan struct{}
}

// NewPool returns a Pool. What it starts it starts with start, and note takes
// its facts. Alike is nil, but for a harness that has to show that it catches a
// pool which takes one conversation for another.
func NewPool(policy spec.Policy, start func(func()), note func(spec.Fact), alike func(Key) Key) *Pool {
	return &Pool{policy: policy, start: start, note: note, alike: alike, held: map[string]int{}, wary: map[netip.AddrPort]time.Time{}}
}

// take returns a conversation that was kept for k and on which the server has
// been quiet; or nil, and the place for a connection to be made. Either is given
// back with keep or leave. When fresh is true it returns nil.
func (p *Pool) take(ctx context.Context, k Key, dest string, fresh bool) *talk {
	for p != nil && !fresh {
		t := p.find(k, dest)
		if t == nil {
			break
		}
		quiet, said := t.Quiet(ctx)
		if quiet {
			return t
		}
		p.aside(t, said)
		t.Quit(ctx) // which only closes it
		p.leave(dest)
	}
	if p != nil {
		p.claim(ctx, dest)
	}
	return nil
}

// find takes out the latest conversation that was kept for k.
func (p *Pool) find(k Key, dest string) *talk {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range slices.Backward(p.idle) {
		same := p.known(t.key) == p.known(k) && time.Since(t.begun) <= p.policy.Reuse.Age
		if same && (t.dest == dest || p.room(dest, 0)) {
			p.remove(t, dest)
			return t
		}
	}
	return nil
}

// claim takes a place for a connection at dest: one that is free, or that of a
// conversation which it ends. When there are none but those in use, and those
// that are being ended, it waits for one of these.
func (p *Pool) claim(ctx context.Context, dest string) {
	t, w := p.place(dest)
	switch {
	case t != nil:
		p.aside(t, t.part(ctx))
		p.over(t.dest)
	case w != nil:
		<-w.free
	}
}

// place takes a place at dest, or says in whose it is or for whom to wait.
func (p *Pool) place(dest string) (*talk, *waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.room(dest, 1) {
		p.held[dest]++
		p.total++
		return nil, nil
	}
	full := !p.room(dest, 0)
	for _, t := range p.idle {
		if !full || t.dest == dest {
			// It counts for its own destination, too, until it is over.
			p.unkeep(t)
			p.held[dest]++
			return t, nil
		}
	}
	w := &waiting{dest, make(chan struct{})}
	p.waiting = append(p.waiting, w)
	return nil, w
}

func (p *Pool) known(k Key) Key {
	if p.alike != nil {
		return p.alike(k)
	}
	return k
}

// room reports whether dest may have one connection more, and all together more
// of them.
func (p *Pool) room(dest string, more int) bool {
	return p.held[dest] < p.policy.Limits.DeliveriesPerDestination && p.total+more <= p.policy.Limits.Deliveries
}

// remove takes a conversation out of those that are kept; its place is dest's
// from now on.
func (p *Pool) remove(t *talk, dest string) {
	p.unkeep(t)
	p.drop(t.dest)
	p.held[dest]++
	p.total++
	t.dest = dest
}

// unkeep takes a conversation out of those that are kept.
func (p *Pool) unkeep(t *talk) {
	p.idle = slices.DeleteFunc(p.idle, func(k *talk) bool { return k == t })
	if t.timer != nil && t.timer.Stop() {
		p.timers.Done()
	}
	t.timer = nil
}

// drop gives a place back.
func (p *Pool) drop(dest string) {
	p.total--
	p.release(dest)
}

// release lets a destination have one connection more.
func (p *Pool) release(dest string) {
	if p.held[dest]--; p.held[dest] == 0 {
		delete(p.held, dest)
	}
}

// leave gives back the place of a connection that is over, and lets go on who
// waits for it.
func (p *Pool) leave(dest string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(dest)
	p.next()
}

// over takes a conversation that was ended so that another one has its place
// among all.
func (p *Pool) over(dest string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(dest)
	p.next()
}

// next lets one go on who waits for a place, if there is one for him.
func (p *Pool) next() {
	for i, w := range p.waiting {
		if p.room(w.dest, 1) {
			p.held[w.dest]++
			p.total++
			p.waiting = slices.Delete(p.waiting, i, i+1)
			p.start(func() { close(w.free) })
			return
		}
	}
}

// wants reports whether a conversation would be kept.
func (p *Pool) wants(t *talk) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hasRoomFor(t)
}

func (p *Pool) hasRoomFor(t *talk) bool {
	r, here := p.policy.Reuse, 0
	for _, k := range p.idle {
		if k.dest == t.dest {
			here++
		}
	}
	return !t.lost && !p.stopped && len(p.waiting) == 0 && len(p.idle) < r.Kept && here < r.KeptPerDestination &&
		t.messages < r.Messages && time.Since(t.begun)+r.Idle <= r.Age
}

// keep keeps a conversation, if it is wanted; said is noted then.
func (p *Pool) keep(t *talk, said spec.Fact) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.hasRoomFor(t) {
		return false
	}
	p.note(said) // before somebody else can say that he has it
	p.idle = append(p.idle, t)
	// The timer is set at an instant of its own: what the attempt that ends here
	// sets must not fall due with it.
	p.start(func() { p.set(t) })
	return true
}

// set has a conversation end that nobody takes up.
func (p *Pool) set(t *talk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || t.timer != nil || !slices.Contains(p.idle, t) {
		return
	}
	p.timers.Add(1)
	t.timer = time.AfterFunc(p.policy.Reuse.Idle, func() {
		defer p.timers.Done()
		p.expire(t)
	})
}

// expire ends a conversation that is still kept.
func (p *Pool) expire(t *talk) {
	p.mu.Lock()
	kept := slices.Contains(p.idle, t)
	p.idle = slices.DeleteFunc(p.idle, func(k *talk) bool { return k == t })
	p.mu.Unlock()
	if kept {
		p.aside(t, t.part(context.Background()))
		p.leave(t.dest)
	}
}

// Stop ends all that is kept, each in a goroutine of its own, and keeps nothing
// more. It does not wait; what runs uses start.
func (p *Pool) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, t := range p.idle {
		if t.timer != nil && t.timer.Stop() {
			p.timers.Done()
		}
		p.start(func() {
			p.aside(t, t.part(context.Background()))
			p.leave(t.dest)
		})
	}
	p.idle = nil
}

// Wait waits, after Stop, for conversations that were being ended by then.
func (p *Pool) Wait() { p.timers.Wait() }

// aside notes what came of a conversation that was kept, when it was no yes.
func (p *Pool) aside(t *talk, r smtpclient.Result) {
	if r.Stage == 0 || r.Event == spec.Reply2 || r.Err != nil {
		return
	}
	p.note(spec.Fact{
		Kind: spec.FactTrouble, Dest: t.dest, Host: t.key.Host, Session: t.session, Stage: r.Stage, Event: r.Event,
		Verdict: spec.Decide(r.Stage, r.Event).Verdict, Reply: r.Reply.String(), Text: r.Text,
	})
}
