package sim

import (
	"context"
	"crypto/x509"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A process is one life of the relay, with all that is bound to it. When it is
// killed its seams are frozen at once: what its goroutines still say and do
// has no effect, and they are only waited for.
type process struct {
	world  *world
	number int
	// dead is true once it was killed; then gone is closed.
	dead bool
	gone chan struct{}
	// stopping is true once it was told to stop, crashed once it was killed by
	// a crash.
	stopping, crashed bool
	// failed is the failure of its disk that it met, nil for none.
	failed *failStep
	// void is since when what it sent counts for nothing.
	void time.Duration
	// done is closed when Run has returned, which ended says.
	done  chan struct{}
	ended bool

	relay     Relay
	cancel    context.CancelFunc
	conns     []*conn
	listeners []*listener
	store     *store
	starts    *rand.Rand
}

// A restart is the relay's next start. It has a size, so that no two of them
// are the same.
type restart struct{ of int }

// never is later than any world lasts.
const never = time.Duration(math.MaxInt64)

// startRelay starts the next process of the relay.
func (w *world) startRelay() {
	w.restart = nil
	w.processes++
	p := &process{
		world: w, number: w.processes, gone: make(chan struct{}), done: make(chan struct{}), void: never,
		starts: w.stream(fmt.Sprintf("process %d starts", w.processes)),
	}
	p.store = w.disk.open(p)
	w.relay = p
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	if w.record(p, spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactStart, Count: int64(p.number)}) {
		go p.run(ctx)
		return
	}
	p.ended = true // killed before it began
	close(p.done)
}

// run is the process's main goroutine.
func (p *process) run(ctx context.Context) {
	defer p.cancel()
	var err error
	p.guarded(func() {
		var relay Relay
		relay, err = p.world.factory(p.host(), Config{Policy: p.world.scenario.Policy, Listen: RelayAddr})
		if err != nil {
			err = fmt.Errorf("the factory made no relay: %w", err)
			return
		}
		p.world.mu.Lock()
		p.relay = relay
		p.world.mu.Unlock()
		err = relay.Run(ctx)
	})()
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	p.ended = true
	close(p.done)
	text := "it was told to"
	switch {
	case err != nil:
		text = err.Error()
	case !p.stopping:
		text = "it ended by itself"
	}
	if w.record(p, spec.Fact{Actor: spec.ActorWorld, Kind: spec.FactStop, Count: int64(p.number), Text: text}) {
		p.leave()
		if f := p.failed; f != nil && err != nil {
			w.disk.lose(p, f.Keep)
			w.restartAfter(f.Restart)
		} else {
			w.disk.flush(p)
		}
		p.kill(true) // whatever it left running is powerless
		if !p.stopping && p.failed == nil {
			w.end("the relay ended by itself: " + text)
		}
	}
}

// leave closes what a process that ended has left open, as its system does:
// with FIN, or with RST where something is unread (RFC 2525 section 2.17).
func (p *process) leave() {
	for _, l := range p.listeners {
		if !l.closed {
			l.closed = true
			delete(p.world.network.listens, l.addr)
			for _, c := range l.backlog {
				c.refuse()
			}
		}
	}
	for _, c := range slices.Clone(p.conns) {
		c.closed = true
		c.bye()
		c.finish("")
	}
}

// kill ends the process at once. Its peers see RST, or nothing when silent.
func (p *process) kill(silent bool) {
	if p.dead {
		return
	}
	p.dead = true
	close(p.gone)
	for _, l := range p.listeners {
		if p.world.network.listens[l.addr] == l {
			delete(p.world.network.listens, l.addr)
		}
		l.place.wake()
	}
	for _, c := range p.conns {
		c.die(silent)
	}
	if p.store != nil {
		p.store.die()
	}
	if p.cancel != nil {
		p.cancel()
	}
}

// forget removes a connection that is closed.
func (p *process) forget(c *conn) {
	if i := slices.Index(p.conns, c); i >= 0 {
		p.conns = slices.Delete(p.conns, i, i+1)
	}
}

// alive reports whether the process can do anything.
func (p *process) alive() bool { return p != nil && !p.dead && !p.ended }

// host returns the machine as this process sees it.
func (p *process) host() seam.Host {
	w := p.world
	return seam.Host{
		Dial: func(ctx context.Context, from netip.Addr, addr string) (c net.Conn, err error) {
			if !from.IsValid() {
				from = relayIP
			}
			p.across(func() { c, err = w.dial(ctx, p, from, addr) })
			return c, err
		},
		Listen: func(addr string) (l net.Listener, err error) {
			p.across(func() { l, err = w.listen(p, addr) })
			return l, err
		},
		Exchange: func(ctx context.Context, query *dns.Msg) (m *dns.Msg, err error) {
			p.across(func() { m, err = w.exchange(ctx, p, query) })
			return m, err
		},
		Roots: roots,
		Store: p.store,
		Start: p.start,
		Wall: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return time.Now().Add(w.skew)
		},
		Random: func(name string) *rand.Rand { return w.stream(fmt.Sprintf("process %d: %s", p.number, name)) },
		Note: func(f spec.Fact) {
			f.Actor = spec.ActorRelay
			w.note(p, f)
		},
	}
}

// roots returns the authorities whose certificates scripted servers show.
func roots() *x509.CertPool {
	pool, err := fakesmtp.Authorities()
	if err != nil {
		panic(err) // its keys are constant
	}
	return pool
}

// start runs f in a goroutine, at an instant of its own. When the process is
// dead it runs all the same, for somebody may wait for it.
func (p *process) start(f func()) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.cross(p).over()
	f = p.guarded(f)
	if p.dead || w.over {
		go f()
		return
	}
	time.AfterFunc(w.later(p.starts, startTime)-w.now(), f)
}

// guarded makes a panic of f the end of the run, and not of the program. The
// panic of a dead process is none: it could not have gone on that far.
func (p *process) guarded(f func()) func() {
	return func() {
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			stack := debug.Stack()
			p.world.mu.Lock()
			defer p.world.mu.Unlock()
			if p.dead || p.world.over {
				return
			}
			p.world.panicked = fmt.Sprintf("panic: %v\n\n%s", r, stack)
			p.world.cease()
		}()
		f()
	}
}
