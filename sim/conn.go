package sim

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/postonce/postonce/spec"
)

// A conn is one end of a connection. It behaves as a *net.TCPConn does on
// Linux, as far as a mail program can see.
type conn struct {
	world *world
	// owner is the process whose end it is.
	owner                       *process
	link                        *link
	local, remote               *net.TCPAddr
	in, out                     *pipe
	reader, writer              place
	readDeadline, writeDeadline time.Time
	// closed is true once Close was called, abrupt once SetLinger(0) was.
	closed, abrupt bool
}

// A link is a whole connection: what its two ends share.
type link struct {
	// session is the client's address and port, addr the server's.
	session, addr string
	// over counts the ends that are closed; byClient is true when that of the
	// client was the first.
	over     int
	byClient bool
}

// end notes that one more end is closed, and reports whether both are.
func (l *link) end(c *conn) bool {
	if l.over == 0 {
		l.byClient = c.local.String() == l.session
	}
	l.over++
	return l.over == 2
}

// connect makes a connection that exists from now on for both ends.
func (w *world) connect(client, server *process, from, to *net.TCPAddr, name string) (*conn, *conn) {
	h := w.network.byIP[to.AddrPort().Addr().Unmap()]
	split, most := w.options.SplitReads || h != nil && h.SplitReads, window
	if h != nil && h.Window > 0 {
		most = h.Window
	}
	l := &link{session: from.String(), addr: to.String()}
	end := func(owner *process, local, remote *net.TCPAddr) *conn {
		c := &conn{world: w, owner: owner, link: l, local: local, remote: remote, reader: newPlace(w), writer: newPlace(w)}
		owner.conns = append(owner.conns, c)
		return c
	}
	a, b := end(client, from, to), end(server, to, from)
	join := func(from, to *conn, name string) {
		p := &pipe{world: w, random: w.stream(name), from: from, to: to, split: split, window: most}
		from.out, to.in = p, p
	}
	join(a, b, name+" to server")
	join(b, a, name+" to client")
	return a, b
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	defer c.world.cross(c.owner).over()
	for {
		switch {
		case c.closed || c.owner.dead:
			return 0, c.fail("read", net.ErrClosed)
		case passed(c.readDeadline):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case len(c.in.arrived) > 0:
			return c.in.read(b), nil
		case c.in.reset:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case c.in.fin:
			return 0, io.EOF
		}
		c.reader.wait(c.readDeadline)
	}
}

// Readable implements seam.Peeker.
func (c *conn) Readable() bool {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return !c.closed && !c.owner.dead && (len(c.in.arrived) > 0 || c.in.reset || c.in.fin)
}

// Write implements net.Conn. It waits while the window is full.
func (c *conn) Write(b []byte) (int, error) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	defer c.world.cross(c.owner).over()
	sent := 0
	for {
		switch room := c.out.room(); {
		case c.closed || c.owner.dead:
			return sent, c.fail("write", net.ErrClosed)
		case passed(c.writeDeadline):
			return sent, c.fail("write", os.ErrDeadlineExceeded)
		case c.in.reset || c.out.finSent || c.out.resetSent:
			return sent, c.fail("write", os.NewSyscallError("write", syscall.EPIPE))
		case sent == len(b):
			return sent, nil
		case room > 0:
			n := min(room, len(b)-sent)
			c.out.send(b[sent : sent+n])
			sent += n
		default:
			c.writer.wait(c.writeDeadline)
		}
	}
}

// Close implements net.Conn. The peer sees FIN; or RST, when something is
// unread (RFC 2525 section 2.17) or after SetLinger(0).
func (c *conn) Close() error {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	defer c.world.cross(c.owner).over()
	if c.closed || c.owner.dead {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.bye()
	c.reader.wakeSoon()
	c.writer.wakeSoon()
	c.finish("")
	return nil
}

// bye tells the peer that this end is closed.
func (c *conn) bye() {
	if c.abrupt || len(c.in.arrived) > 0 {
		c.out.sendReset()
	} else {
		c.out.sendFin()
	}
}

// finish notes that this end is closed.
func (c *conn) finish(why string) {
	c.owner.forget(c)
	if c.link.end(c) {
		if why == "" && c.link.byClient {
			why = spec.ClosedByClient
		}
		c.world.record(c.world.nature, spec.Fact{
			Actor: spec.ActorNetwork, Kind: spec.FactClosed, Session: c.link.session, Addr: c.link.addr, Text: why,
		})
	}
}

// CloseWrite ends the sending direction, as that of *net.TCPConn does.
func (c *conn) CloseWrite() error {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	if c.closed || c.owner.dead {
		return c.fail("close", net.ErrClosed)
	}
	c.out.sendFin()
	return nil
}

// SetLinger makes Close send RST when seconds is 0, as that of *net.TCPConn
// does.
func (c *conn) SetLinger(seconds int) error {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.abrupt = seconds == 0
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.readDeadline, &c.writeDeadline)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.readDeadline) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.writeDeadline) }

func (c *conn) setDeadlines(t time.Time, which ...*time.Time) error {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	if c.closed || c.owner.dead {
		return c.fail("set", net.ErrClosed)
	}
	for _, d := range which {
		*d = t
		if d == &c.readDeadline {
			c.reader.rearm(t)
		} else {
			c.writer.rearm(t)
		}
	}
	return nil
}

// passed reports whether a deadline has passed.
func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// fail makes an error of package net.
func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// die ends the end of a process that was killed. The peer sees RST; or nothing
// at all when silent.
func (c *conn) die(silent bool) {
	if !silent {
		c.out.sendReset()
	}
	c.reader.wake()
	c.writer.wake()
	if c.link.end(c) {
		c.world.record(c.world.nature, spec.Fact{
			Actor: spec.ActorNetwork, Kind: spec.FactClosed, Session: c.link.session, Addr: c.link.addr, Text: "the relay is gone",
		})
	}
}
