package mutants

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A citadelRelay is Citadel's SMTP client in outline: two stored messages per
// delivery, a housekeeping run that walks the spool, a job per recipient, and
// a control message that says how far each recipient is. Its two generations
// differ in how they run the jobs and write the control message; the rest is
// common. Conversations, routes and intake are those of the real relay, so
// that what is judged is the algorithm. As in Citadel, all times are the wall clock's,
// intervals too.
type citadelRelay struct {
	host seam.Host
	cfg  sim.Config
	run  func(*citadelRelay, context.Context, *control)
	// conversation limits one whole conversation; 0 is no limit.
	conversation time.Duration
	resolver     *resolve.Client
	jobs         sync.WaitGroup

	mu   sync.Mutex
	last int
	due  map[spec.QueueID]time.Time
}

// A generation is one of the two.
type generation struct {
	run          func(*citadelRelay, context.Context, *control)
	conversation time.Duration
}

func citadel(g generation) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		return &citadelRelay{
			host: host, cfg: cfg, run: g.run, conversation: g.conversation, due: map[spec.QueueID]time.Time{},
			resolver: &resolve.Client{Exchange: host.Exchange, Timeout: cfg.Policy.Timeouts.Resolve},
		}, nil
	}
}

// housekeeping is how often the spool is walked.
const housekeeping = time.Minute

// Run takes mail and walks the spool until ctx is done.
func (r *citadelRelay) Run(ctx context.Context) error {
	l, err := r.host.Listen(r.cfg.Listen)
	if err != nil {
		return err
	}
	server := submission.New(submission.Config{Hostname: r.cfg.Policy.Hostname, Store: r.host.Store, Queue: r, Now: r.host.Now})
	r.jobs.Add(1)
	r.host.Start(func() {
		defer r.jobs.Done()
		_ = server.Serve(l)
	})
	r.host.Note(spec.Fact{Kind: spec.FactReady})
	for ctx.Err() == nil {
		r.queueRun(ctx)
		tick, cancel := context.WithTimeout(ctx, housekeeping)
		<-tick.Done()
		cancel()
	}
	_ = server.Shutdown(context.Background())
	r.jobs.Wait()
	return nil
}

// NewID returns the number of the next stored message.
func (r *citadelRelay) NewID() spec.QueueID {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	return messageNumber(r.host.Now(), r.last)
}

// Submit stores the mail and its control message.
func (r *citadelRelay) Submit(_ context.Context, m submission.Message) error {
	c := &control{id: m.ID, message: m.MessageID, submitted: r.host.Now(), sender: m.Envelope.Sender, size: m.Size}
	for _, to := range m.Envelope.Recipients {
		c.remotes = append(c.remotes, remote{address: to})
	}
	if err := r.store(append(m.Ops, c.put())); err != nil {
		return err
	}
	r.host.Note(r.queued(c))
	return nil
}

func (r *citadelRelay) queued(c *control) spec.Fact {
	f := spec.Fact{
		Kind: spec.FactQueued, Message: c.message, Queue: c.id, From: orNull(c.sender),
		Due: spec.WallOf(c.submitted).Add(r.cfg.Policy.Schedule.Lifetime),
	}
	for _, to := range c.remotes {
		f.To = append(f.To, to.address)
	}
	return f
}

func orNull(sender string) string {
	if sender == "" {
		return "<>"
	}
	return sender
}

// store waits until a batch is durable.
func (r *citadelRelay) store(ops []seam.Op) error {
	done := make(chan error, 1)
	r.host.Store.Apply(ops, func(err error) { done <- err })
	return <-done
}

// queueRun walks the spool once.
func (r *citadelRelay) queueRun(ctx context.Context) {
	entries, err := r.host.Store.Scan(seam.SpaceControl, "", "", 1000)
	if err != nil {
		return
	}
	for _, e := range entries {
		c, err := parseControl(e.Value)
		if err != nil || ctx.Err() != nil || r.host.Now().Before(r.due[c.id]) {
			continue
		}
		r.run(r, ctx, c)
		r.due[c.id] = r.host.Now().Add(c.retry)
	}
}

// try makes one attempt for one recipient and records it in the control
// message in memory.
func (r *citadelRelay) try(ctx context.Context, c *control, to *remote) {
	to.status, to.text = r.deliver(ctx, c, to.address)
	if to.status == statusTransient && r.host.Now().Sub(c.submitted) > r.cfg.Policy.Schedule.Lifetime {
		to.status = statusFailed
	}
}

// finish ends a control message whose recipients are all done; the failed
// ones are bounced.
func (r *citadelRelay) finish(c *control) error {
	bounce, facts := r.bounce(c)
	ops := append(seam.RemoveBody(c.id, c.size), seam.Op{Key: seam.ControlKey(c.id), Delete: true})
	if err := r.store(append(ops, bounce...)); err != nil {
		return err
	}
	r.tell(c)
	for _, f := range facts {
		r.host.Note(f)
	}
	return nil
}

// tell reports what became durable of a control message.
func (r *citadelRelay) tell(c *control) {
	for _, to := range c.remotes {
		f := spec.Fact{Kind: spec.FactOutcome, Message: c.message, Queue: c.id, To: []string{to.address}, Dest: spec.Domain(to.address), Text: to.text}
		switch to.status {
		case statusDelivered:
			f.State = spec.Delivered
		case statusFailed:
			f.State = spec.Failed
		default:
			f.State, f.Due = spec.Queued, spec.WallOf(r.host.Now().Add(c.retry))
		}
		r.host.Note(f)
	}
}

// eventDriven is the generation of 2011 to 2016: a job per recipient, all at
// once; then the control message is deleted, and after that its successor is
// stored.
var eventDriven = generation{run: func(r *citadelRelay, ctx context.Context, c *control) {
	var jobs sync.WaitGroup
	for i := range c.remotes {
		to := &c.remotes[i]
		if to.done() {
			continue
		}
		jobs.Add(1)
		r.host.Start(func() {
			defer jobs.Done()
			r.try(ctx, c, to)
		})
	}
	jobs.Wait()
	if c.done() {
		_ = r.finish(c) // if not, the next run tries everybody again
		return
	}
	c.retry = max(2*c.retry, 5*time.Minute)
	// The order that loses mail: a crash between the two leaves neither.
	if r.store([]seam.Op{{Key: seam.ControlKey(c.id), Delete: true}}) == nil {
		r.tell(c)
		_ = r.store([]seam.Op{c.put()}) // the next run finds it, or nobody does
	}
}}

// later is the generation after it: one recipient after the other, twenty
// seconds for a whole conversation, and the control message is written once,
// when all were tried. A crash before that forgets who was served.
var later = generation{conversation: 20 * time.Second, run: func(r *citadelRelay, ctx context.Context, c *control) {
	for i := range c.remotes {
		if to := &c.remotes[i]; !to.done() {
			r.try(ctx, c, to)
		}
	}
	if c.done() {
		_ = r.finish(c)
		return
	}
	if c.retry = 30 * time.Minute; r.host.Now().Sub(c.submitted) > 4*time.Hour {
		c.retry = 4 * time.Hour
	}
	if r.store([]seam.Op{c.put()}) == nil {
		r.tell(c)
	}
}}

// limited is a connection of the later generation: no deadline is beyond the
// end that the whole conversation has.
type limited struct {
	net.Conn
	end time.Time
}

func (l limited) SetDeadline(t time.Time) error      { return l.Conn.SetDeadline(l.sooner(t)) }
func (l limited) SetReadDeadline(t time.Time) error  { return l.Conn.SetReadDeadline(l.sooner(t)) }
func (l limited) SetWriteDeadline(t time.Time) error { return l.Conn.SetWriteDeadline(l.sooner(t)) }

func (l limited) sooner(t time.Time) time.Time {
	if t.IsZero() || t.After(l.end) {
		return l.end
	}
	return t
}
