package impl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postonce/postonce/impl/delivery"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Config is what a relay is told.
type Config struct {
	Policy spec.Policy
	// Listen is the address and port where mail is taken by SMTP; empty is
	// nowhere, for a program that only calls Submit.
	Listen string
	// MaxConnections caps submitters at once; 0 is 100.
	MaxConnections int
	// Log takes what is not a fact: trouble with submitters. Nothing is
	// logged when nil.
	Log *slog.Logger
	// Core, when set, is given the step of the core and returns the one that is
	// used instead. It is for a harness that has to show that it catches a core
	// which is wrong; nothing else has a reason to set it.
	Core func(queue.StepFunc) queue.StepFunc
	// Alike, when set, changes what a conversation that is kept is known by; for
	// such a harness, too.
	Alike func(delivery.Key) delivery.Key
}

// A Relay takes mail, keeps it, delivers it, and reports what it could not
// deliver. Create one with New.
type Relay struct {
	config Config
	host   seam.Host
	ids    ids
	actor  *actor
	// answers are the DNS's, for all deliveries; talks are the conversations that
	// they leave to each other.
	answers *resolve.Cache
	alarms  alarms
	talks   *delivery.Pool
	// running counts deliveries, loads, closes and the timer; Run waits.
	running sync.WaitGroup
	// stop ends Run with a cause.
	stop context.CancelCauseFunc
	ctx  context.Context
	// ready is closed when recovery is over.
	ready chan struct{}
	door  door
	// tickets numbers the decisions of operators.
	tickets atomic.Uint64
}

// New returns a relay on a host. It does nothing until Run.
func New(config Config, host seam.Host) (*Relay, error) {
	if config.Policy.Hostname == "" {
		return nil, errors.New("the relay needs a hostname: its own name, for EHLO and reports")
	}
	if err := config.Policy.Validate(); err != nil {
		return nil, err
	}
	if host.Store == nil {
		return nil, errors.New("the relay needs a store")
	}
	if config.MaxConnections == 0 {
		config.MaxConnections = 100
	}
	r := &Relay{config: config, host: host, ids: newIDs(host), ready: make(chan struct{})}
	r.ctx, r.stop = context.WithCancelCause(context.Background())
	r.actor = newActor(r)
	r.answers = resolve.NewCache(r.actor.start)
	r.talks = delivery.NewPool(config.Policy, r.actor.start, r.host.Note, config.Alike)
	r.host.Store = watched{host.Store, r.cannotWrite}
	return r, nil
}

// Run recovers what the spool holds, takes mail and delivers until ctx is
// done or the relay cannot go on; then it stops as the package says and
// returns nil, or why it could not go on. It is called once.
//
// The address to listen on is bound first: a relay that cannot have it, because
// another one runs, must not begin to decide what becomes of mail. Submitters
// who connect before recovery is over are greeted then.
func (r *Relay) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { r.stop(nil) })()
	l, err := r.listen()
	if err != nil {
		r.stop(err)
		r.door.open(err, r.host.Start)
		return err
	}
	loop := make(chan struct{})
	go func() {
		defer close(loop)
		r.actor.loop()
	}()
	r.actor.tell(queue.Start{})
	<-r.ready
	intake := r.serve(l)
	<-r.ctx.Done()
	intake()
	r.door.close()
	r.actor.shutdown()
	r.talks.Stop()
	r.running.Wait()
	r.talks.Wait()
	r.actor.close()
	<-loop
	if cause := context.Cause(r.ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// listen binds the address where mail is taken; nil is nowhere.
func (r *Relay) listen() (net.Listener, error) {
	if r.config.Listen == "" {
		return nil, nil
	}
	l, err := r.host.Listen(r.config.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for submissions on %s: %w", r.config.Listen, err)
	}
	return l, nil
}

// serve opens the door to submitters; the function it returns closes it and
// waits for those who are inside.
func (r *Relay) serve(l net.Listener) (stop func()) {
	if l == nil {
		return func() {}
	}
	if r.ctx.Err() != nil {
		return func() { _ = l.Close() } // nobody was let in
	}
	p := r.config.Policy
	server := submission.New(submission.Config{
		Hostname: p.Hostname, Store: r.host.Store, Queue: intake{r}, Log: r.config.Log, Now: r.host.Now,
		MaxRecipients: p.Limits.RecipientsPerMessage, MaxMessageBytes: p.Limits.MessageBytes, MaxConnections: r.config.MaxConnections,
		Private: p.PrivateIntake,
	})
	served := make(chan struct{})
	r.host.Start(func() {
		defer close(served)
		if err := server.Serve(l); err != nil {
			r.stop(fmt.Errorf("submissions on %s: %w", r.config.Listen, err))
		}
	})
	return func() {
		r.shutdown(server)
		<-served
	}
}

// goodbye is how long submitters have to end what they are sending when the
// relay stops.
const goodbye = 30 * time.Second

func (r *Relay) shutdown(server *submission.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && r.config.Log != nil {
		r.config.Log.Warn("submitters were cut off", "after", goodbye, "error", err)
	}
}

// deliverer is made per delivery: it is small, and its parts are shared.
func (r *Relay) deliverer(size int64) *delivery.Deliverer {
	p := r.config.Policy
	return &delivery.Deliverer{
		Policy: p, Dial: r.host.Dial, Pool: r.talks,
		Resolver: &resolve.Client{Exchange: r.host.Exchange, Cache: r.answers, PreferIPv6: p.PreferIPv6, Timeout: p.Timeouts.Resolve},
		Open: func(_ context.Context, id spec.QueueID) (io.ReadCloser, error) {
			return spool.Body(r.host.Store, id, size), nil
		},
		Ledger: ledger{r}, Roots: r.host.Roots, Secret: r.host.Secret, Note: r.host.Note, Alarm: r.alarm, Random: r.host.Random,
	}
}
