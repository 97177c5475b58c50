package submission

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// pipes is a listener whose connections are pipes in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

// A fromClient is the server's end of a pipe, with an address.
type fromClient struct {
	net.Conn
	addr net.Addr
}

func (f fromClient) RemoteAddr() net.Addr { return f.addr }

// A fakeQueue takes messages into a store. hold, when set, is called before.
type fakeQueue struct {
	store seam.Store
	hold  func(Message) error

	mu       sync.Mutex
	next     int
	messages []Message
}

func (q *fakeQueue) NewID() spec.QueueID {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next++
	return spec.QueueID(fmt.Sprintf("Q%d", q.next))
}

func (q *fakeQueue) Submit(_ context.Context, m Message) error {
	if q.hold != nil {
		if err := q.hold(m); err != nil {
			return err
		}
	}
	said := make(chan error, 1)
	control := seam.Op{Key: seam.Key{Space: seam.SpaceControl, Name: string(m.ID)}}
	q.store.Apply(append(m.Ops, control), func(err error) { said <- err })
	if err := <-said; err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, m)
	return nil
}

func (q *fakeQueue) taken() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]Message(nil), q.messages...)
}

// A rig is a server in memory, with its queue and its log.
type rig struct {
	t        testing.TB
	server   *Server
	queue    *fakeQueue
	store    seam.Store
	listener *pipes
	served   chan error
	mu       sync.Mutex
	log      bytes.Buffer
}

func (r *rig) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	store, err := new(seamtest.Memory).Open()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: store, queue: &fakeQueue{store: store}, listener: newPipes(), served: make(chan error, 1)}
	config := Config{Hostname: "relay.example.org", Store: store, Queue: r.queue, Log: slog.New(slog.NewTextHandler(r, nil))}
	if change != nil {
		change(&config)
	}
	r.server = New(config)
	go func() { r.served <- r.server.Serve(r.listener) }()
	return r
}

// shutdown ends the server and looks for panics in its log.
func (r *rig) shutdown() { r.shutdownThen(func() {}) }

// shutdownThen looks at the spool once no more can happen to it.
func (r *rig) shutdownThen(look func()) {
	r.t.Helper()
	if err := r.server.Shutdown(context.Background()); err != nil {
		r.t.Errorf("Shutdown: %v", err)
	}
	if err := <-r.served; err != nil {
		r.t.Errorf("Serve: %v", err)
	}
	look()
	_ = r.store.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if log := r.log.String(); strings.Contains(log, "panic") && strings.Contains(log, "impl/submission") {
		r.t.Errorf("the session panicked:\n%s", log)
	}
}

// left lists what is in the spool of messages that do not exist.
func (r *rig) left() []string {
	r.t.Helper()
	var all []string
	for _, space := range []seam.Space{seam.SpaceWriting, seam.SpaceBody} {
		entries, err := r.store.Scan(space, "", "", 1000)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range entries {
			id, _, _ := strings.Cut(e.Key.Name, "/")
			_, err := r.store.Get(seam.Key{Space: seam.SpaceControl, Name: id})
			if space == seam.SpaceWriting || errors.Is(err, seam.ErrNotFound) {
				all = append(all, string(space)+" "+e.Key.Name)
			}
		}
	}
	return all
}

// body returns the stored body of a message without the Received field that
// was put before it.
func (r *rig) body(m Message) (trace, rest string) {
	r.t.Helper()
	all, err := io.ReadAll(spool.Body(r.store, m.ID, m.Size))
	if err != nil {
		r.t.Fatal(err)
	}
	i := 0
	for n := 0; n < 3; n++ {
		i += bytes.Index(all[i:], []byte("\r\n")) + 2
	}
	return string(all[:i]), string(all[i:])
}

// A client speaks raw SMTP.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// dial connects; the greeting is still to be read.
func (r *rig) dial() *client {
	near, far := net.Pipe()
	r.listener.conns <- fromClient{far, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000}}
	return &client{t: r.t, conn: near, in: bufio.NewReader(near)}
}

// hello connects and says EHLO.
func (r *rig) hello() *client {
	r.t.Helper()
	c := r.dial()
	c.expect("220 ")
	c.say("EHLO client.example.com", "250 ")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Errorf("sending %.40q: %v", text, err)
	}
}

// reply reads one reply and returns its last line.
func (c *client) reply() string {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return "error: " + err.Error()
		}
		if len(line) < 4 || line[3] != '-' {
			return strings.TrimRight(line, "\r\n")
		}
	}
}

// expect reads a reply that begins with want.
func (c *client) expect(want string) string {
	c.t.Helper()
	got := c.reply()
	if !strings.HasPrefix(got, want) {
		c.t.Errorf("the server said %q, want %q", got, want)
	}
	return got
}

// say sends a line and expects a reply.
func (c *client) say(line, want string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.expect(want)
}

// mail sends a whole message, dots not stuffed, and expects the last reply.
func (c *client) mail(content, want string) string {
	c.t.Helper()
	c.say("MAIL FROM:<alice@example.org>", "250 ")
	c.say("RCPT TO:<bob@example.net>", "250 ")
	c.say("DATA", "354 ")
	c.send(content + ".\r\n")
	return c.expect(want)
}

func (c *client) close() { _ = c.conn.Close() }

// bubble runs f in virtual time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}
