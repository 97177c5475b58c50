// Package smtptest is the other end of a conversation in the unit tests of
// the relay's client side: a connection in memory and a server that follows a
// script. Both live in a testing/synctest bubble. Whole worlds are package
// sim's business.
package smtptest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe returns the two ends of a connection. What is written is buffered
// without bound, until the reader stalls.
func Pipe() (client, server *Conn) {
	up, down := newStream(), newStream()
	client = &Conn{in: down, out: up, local: addr("192.0.2.1:40000"), remote: addr("192.0.2.25:25")}
	server = &Conn{in: up, out: down, local: client.remote, remote: client.local}
	return client, server
}

// A Conn is one end.
type Conn struct {
	in, out       *stream
	local, remote addr
}

type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Readable reports whether Read would return at once.
func (c *Conn) Readable() bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return len(c.in.buf) > 0 || c.in.readErr != nil
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close ends both directions: the other end reads what is there and then EOF,
// and its writes fail.
func (c *Conn) Close() error {
	c.out.change(func(s *stream) { s.readErr, s.writeErr = first(s.readErr, io.EOF), first(s.writeErr, net.ErrClosed) })
	c.in.change(func(s *stream) {
		s.readErr, s.writeErr = first(s.readErr, net.ErrClosed), first(s.writeErr, syscall.EPIPE)
	})
	return nil
}

// Reset ends both directions with RST; what was not read yet can be.
func (c *Conn) Reset() {
	for _, s := range []*stream{c.in, c.out} {
		s.change(func(s *stream) {
			s.readErr, s.writeErr = first(s.readErr, syscall.ECONNRESET), first(s.writeErr, syscall.ECONNRESET)
		})
	}
}

// Stall makes the other end's writes wait, as a closed window does.
func (c *Conn) Stall() { c.in.change(func(s *stream) { s.stalled = true }) }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.change(func(s *stream) { s.readDeadline.set(s, t) })
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.change(func(s *stream) { s.writeDeadline.set(s, t) })
	return nil
}

// A stream is one direction.
type stream struct {
	mu                          sync.Mutex
	changed                     sync.Cond
	buf                         []byte
	stalled                     bool
	readErr, writeErr           error
	readDeadline, writeDeadline deadline
}

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) change(f func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
	s.changed.Broadcast()
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readErr == net.ErrClosed:
			return 0, net.ErrClosed
		case s.readDeadline.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			return n, nil
		case s.readErr != nil:
			return 0, s.readErr
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.writeErr != nil:
			return 0, s.writeErr
		case s.writeDeadline.passed():
			return 0, os.ErrDeadlineExceeded
		case !s.stalled:
			s.buf = append(s.buf, p...)
			s.changed.Broadcast()
			return len(p), nil
		}
		s.changed.Wait()
	}
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(s *stream, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() { s.change(func(*stream) {}) })
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
