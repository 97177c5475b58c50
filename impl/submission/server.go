// Package submission is the relay's SMTP intake, on github.com/emersion/go-smtp.
// It streams a message into the spool and says 250 when the queue says that it
// is durable.
package submission

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Queue is the relay's queue as the intake sees it. Its methods are called
// concurrently.
type Queue interface {
	// NewID returns a queue ID that was never used in the spool.
	NewID() spec.QueueID
	// Submit makes a message exist, by one batch that holds m.Ops, and returns
	// nil when that is durable. An error means that the message does not exist
	// and never will, or that the store has failed: what was written ahead of
	// it may be removed. So once the batch is on its way, Submit waits for it,
	// whatever ctx says. A *Refusal gives the reply for the client; any other
	// error is answered with 451.
	Submit(ctx context.Context, m Message) error
}

// A Message has been received and does not exist yet.
type Message struct {
	ID       spec.QueueID
	Envelope spec.Envelope
	// MessageID is the message's Message-ID without angle brackets.
	MessageID string
	// Size is the size of the body in the spool in octets, the trace header
	// included.
	Size int64
	// Ops belong into the batch that makes the message exist: the rest of the
	// body, and the removal of its key in seam.SpaceWriting.
	Ops []seam.Op
}

// A Config says what a Server takes and where it puts it.
type Config struct {
	// Hostname is the relay's name, in the greeting and in Received fields.
	Hostname string
	// Store takes the bodies; Queue makes the messages exist, in the same
	// store.
	Store seam.Store
	Queue Queue
	// MaxRecipients per message, MaxMessageBytes of content, and
	// MaxConnections at a time; 100, 50 MiB and 100 when 0.
	MaxRecipients   int
	MaxMessageBytes int64
	MaxConnections  int
	// Private says that nobody else is on the network between clients and the
	// server; then it offers REQUIRETLS without TLS.
	Private bool
	// Timeout is how long the server waits for a client to send or to take
	// something; 5 minutes when 0 (RFC 5321 section 4.5.3.2.7).
	Timeout time.Duration
	// Now is the wall clock, for Received fields; time.Now when nil.
	Now func() time.Time
	// Log takes what is worth knowing; nothing is logged when nil.
	Log *slog.Logger
}

func (c *Config) setDefaults() {
	if c.MaxRecipients == 0 {
		c.MaxRecipients = 100
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = 50 << 20
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 100
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// ErrClosed is returned by Serve and Shutdown after Shutdown.
var ErrClosed = errors.New("the server is shut down")

// A Server accepts mail on the listeners that it is given.
type Server struct {
	config Config
	log    *slog.Logger
	smtp   *smtp.Server
	// life ends when Shutdown has waited long enough.
	life context.Context
	kill context.CancelFunc

	mu        sync.Mutex
	draining  bool // Shutdown was called.
	listeners []net.Listener
	conns     []*conn // In the order in which they came.
	serving   sync.WaitGroup
}

// New returns a server that serves nothing yet.
func New(config Config) *Server {
	config.setDefaults()
	s := &Server{config: config, log: config.Log.With("part", "submission")}
	s.life, s.kill = context.WithCancel(context.Background())
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.session))
	s.smtp.Domain = config.Hostname
	s.smtp.MaxRecipients = config.MaxRecipients
	// Sizes and lines are looked after here: go-smtp would break the connection
	// off in the middle of a long line, and of a large message.
	s.smtp.MaxMessageBytes, s.smtp.MaxLineLength = 0, 0
	s.smtp.WriteTimeout = config.Timeout // For reading, see conn.
	s.smtp.EnableDSN, s.smtp.EnableSMTPUTF8 = true, true
	s.smtp.ErrorLog = errorLog{s.log}
	return s
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: s, conn: c.Conn().(*conn), helo: c.Hostname}, nil
}

// Serve accepts connections on l until Shutdown is called, and then returns
// nil, or until l fails. It closes l.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return errors.Join(ErrClosed, l.Close())
	}
	s.listeners = append(s.listeners, l)
	s.serving.Add(1)
	s.mu.Unlock()
	defer s.serving.Done()

	err := s.smtp.Serve(&listener{Listener: l, server: s})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil
	}
	return fmt.Errorf("no more connections are accepted on %s: %w", l.Addr(), errors.Join(err, l.Close()))
}

// Shutdown accepts no more connections, lets open transactions end, and closes
// each connection after its transaction. When ctx is done, it closes the rest
// in the middle of what they do; what the queue has been given it still waits
// for. No connection is left when it returns.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return ErrClosed
	}
	s.draining = true
	listeners := s.listeners
	s.mu.Unlock()

	var err error
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	s.serving.Wait()
	for _, c := range s.connections() {
		c.drain()
	}
	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(aborted)
		s.abort()
	})
	// Waits for the connections; its error is that the listeners are closed.
	_ = s.smtp.Shutdown(context.Background())
	if !stop() {
		<-aborted
		err = errors.Join(err, ctx.Err())
	}
	s.kill()
	return err
}

// abort ends everything that is still going on.
func (s *Server) abort() {
	s.kill()
	for _, c := range s.connections() {
		_ = c.Conn.Close()
	}
}

func (s *Server) connections() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// A listener admits as many connections as the server takes.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.server.admit(inner); c != nil {
			return c, nil
		}
		// A few bytes into a fresh connection: nobody waits for this.
		_ = inner.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = fmt.Fprintf(inner, "421 4.3.2 %s has too many connections: come back later\r\n", l.server.config.Hostname)
		_ = inner.Close()
	}
}

// admit returns nil when there are too many connections.
func (s *Server) admit(inner net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.config.MaxConnections {
		return nil
	}
	c := &conn{
		Conn: inner, timeout: s.config.Timeout, closed: s.forget, hostname: s.config.Hostname, limit: s.config.MaxMessageBytes,
		private: s.config.Private,
	}
	c.in = bufio.NewReaderSize(raw{c}, maxCommand)
	s.conns = append(s.conns, c)
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
}

// trace returns the Received field that RFC 5321 section 4.4 has every server
// put before the content. What the client calls itself stands there only when
// it is a name or an address; where it comes from is what the network says.
// UTF8SMTP is how RFC 6531 section 3.7.3 has it written that SMTPUTF8 was said.
func (s *Server) trace(helo string, client net.Addr, id spec.QueueID, inUTF8 bool) string {
	with := "ESMTP"
	if inUTF8 {
		with = "UTF8SMTP"
	}
	if !isDomain(helo) && !isLiteral(helo) {
		helo = "unknown"
	}
	from := "unknown"
	if a, err := netip.ParseAddrPort(client.String()); err == nil {
		ip := a.Addr().Unmap().WithZone("")
		from = "[" + ip.String() + "]"
		if ip.Is6() {
			from = "[IPv6:" + ip.String() + "]"
		}
	}
	date := s.config.Now().UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700")
	return fmt.Sprintf("Received: from %s (%s)\r\n\tby %s with %s id %s;\r\n\t%s\r\n", helo, from, s.config.Hostname, with, id, date)
}

// errorLog gives go-smtp's log to slog: clients that go away, and panics.
type errorLog struct{ log *slog.Logger }

// Printf implements smtp.Logger.
func (e errorLog) Printf(format string, args ...any) { e.log.Warn(fmt.Sprintf(format, args...)) }

// Println implements smtp.Logger.
func (e errorLog) Println(args ...any) { e.log.Warn(strings.TrimSpace(fmt.Sprintln(args...))) }
