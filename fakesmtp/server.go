package fakesmtp

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/postonce/postonce/spec"
)

// A Server is an SMTP server that behaves as its script says. Its exported
// fields are set before Serve is called.
type Server struct {
	// Epoch is the time from which "after" and "until" count. NewServer sets
	// it to its own time.
	Epoch time.Time
	// MaxContent is the size in bytes of the largest message that it takes
	// unless a rule says otherwise. NewServer sets it to 64 MiB.
	MaxContent int64
	// KeepContent makes Accepted return the content of messages of at most
	// 1 MiB. NewServer sets it.
	KeepContent bool

	name   string
	script Script
	note   func(spec.Fact)
	// err is what is wrong with the script.
	err error
	// done is closed by Close, to end waiting.
	done chan struct{}
	// running counts the goroutines of connections and accept loops.
	running sync.WaitGroup

	// mu guards what follows. It is never held while anything waits.
	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	// open holds the open connections in the order in which they were made;
	// connections counts all there ever were.
	open        []net.Conn
	connections int
	matcher     matcher
	// configs are those of handshakes, made when they are first needed.
	configs  map[certificateOf]*tls.Config
	scram    scramKeys
	accepted []Acceptance
}

// An Acceptance is a message that a server truly took.
type Acceptance struct {
	// Session is the client's address and port.
	Session string
	// From is the sender without angle brackets; empty is the null sender.
	From string
	To   []string
	// Message is the Message-ID without angle brackets; empty when there is
	// none. Hash is the spec.ContentHash.
	Message, Hash string
	// Size is the number of bytes of the content.
	Size int64
	// Content is the content with dots unstuffed; nil when it was not kept.
	Content []byte
}

// The greatest content that is kept.
const maxKept = 1 << 20

// NewServer returns a server called name that follows script; nil is a server
// that behaves well and offers DefaultOffer. Every fact goes to note, which
// must be quick and safe for concurrent use, and may be nil; Fact.At is zero.
func NewServer(name string, script *Script, note func(spec.Fact)) *Server {
	if script == nil {
		script = &Script{Offer: DefaultOffer()}
	}
	if note == nil {
		note = func(spec.Fact) {}
	}
	s := &Server{
		Epoch: time.Now(), MaxContent: 64 << 20, KeepContent: true,
		name: name, script: *script, note: note, done: make(chan struct{}),
	}
	s.matcher, s.err = newMatcher(script)
	return s
}

// hostname is what the server calls itself.
func (s *Server) hostname() string {
	if s.script.Hostname != "" {
		return s.script.Hostname
	}
	return s.name
}

// Serve takes connections from l, each in a goroutine of its own, until Close,
// and then returns nil. It may be called for several listeners. It closes l.
func (s *Server) Serve(l net.Listener) error {
	if s.err != nil {
		return errors.Join(s.err, l.Close())
	}
	if !s.add(l) {
		return l.Close()
	}
	defer s.running.Done()
	return s.loop(l)
}

// add takes a listener on, unless the server is closed.
func (s *Server) add(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners = append(s.listeners, l)
	s.running.Add(1)
	return true
}

// loop accepts connections until the listener fails.
func (s *Server) loop(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.closed {
				return nil
			}
			return err
		}
		if c := s.begin(conn); c != nil {
			go c.serve()
		}
	}
}

// begin counts a new connection, and returns its session; nil when the server
// is closed.
func (s *Server) begin(conn net.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return nil
	}
	s.connections++
	s.open = append(s.open, conn)
	s.running.Add(1)
	return newSession(s, conn, s.connections)
}

// end forgets a connection that is closed.
func (s *Server) end(conn net.Conn) {
	s.mu.Lock()
	s.open = slices.DeleteFunc(s.open, func(c net.Conn) bool { return c == conn })
	s.mu.Unlock()
	s.running.Done()
}

// Close closes all listeners and connections, and waits until every goroutine
// of the server has ended.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	listeners, open := s.listeners, slices.Clone(s.open)
	s.mu.Unlock()
	var errs []error
	if first {
		close(s.done)
		for _, l := range listeners {
			errs = append(errs, l.Close())
		}
		for _, conn := range open {
			conn.Close()
		}
	}
	s.running.Wait()
	return errors.Join(errs...)
}

// Addr returns the address of the first listener, empty before Serve.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) == 0 {
		return ""
	}
	return s.listeners[0].Addr().String()
}

// Heal ends all faults: from now on, no rule that is one (Rule.IsFault)
// matches. What a rule has begun goes on.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.matcher.healed = true
}

// Unused returns the rules of the script that never matched, and of each
// persona all rules when none of them did.
func (s *Server) Unused() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.matcher.unused()
}

// Accepted returns what the server took, in that order.
func (s *Server) Accepted() []Acceptance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accepted)
}

// match finds the rule for an occasion.
func (s *Server) match(o occasion) (Rule, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.connections = len(s.open)
	o.since = time.Since(s.Epoch)
	return s.matcher.match(o)
}

// take records an acceptance.
func (s *Server) take(a Acceptance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = append(s.accepted, a)
}

// wait waits for d, or until Close, when it returns errOver.
func (s *Server) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.done:
		return errOver
	}
}
