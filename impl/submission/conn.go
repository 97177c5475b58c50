package submission

import (
	"net"
	"os"
	"sync"
	"time"
)

// A conn is a client's connection. It gives every read a deadline of its own
// (go-smtp sets one per command, so a long message would meet it), ends the
// connection between two transactions when the server shuts down, and makes up
// for two things in go-smtp: that CHUNKING is always offered (see
// session.Data), and that a CR without LF after a dot at the start of a line
// is taken out of the content unseen.
type conn struct {
	net.Conn
	timeout time.Duration
	closed  func(*conn)

	mu sync.Mutex
	// busy is true while a transaction is open.
	busy     bool
	draining bool
	// failed is the first error of a read. It stays: who reads on must not
	// wait for another time-out.
	failed error
	// bare counts the CRs that no LF followed; cr is true after a CR.
	bare int
	cr   bool
	once sync.Once
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p[:n] {
		if c.cr && b != '\n' {
			c.bare++
		}
		c.cr = b == '\r'
	}
	if err != nil && c.failed == nil {
		c.failed = err
	}
	if n > 0 {
		return n, nil // The error comes with the next read.
	}
	return n, err
}

// arm sets the deadline of the next read.
func (c *conn) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failed != nil:
		return c.failed
	case c.draining && !c.busy:
		// go-smtp answers a time-out with 421 and closes.
		c.failed = os.ErrDeadlineExceeded
		return c.failed
	}
	return c.SetReadDeadline(time.Now().Add(c.timeout))
}

// drain lets the open transaction end, if there is one, and no other begin.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if !c.busy {
		// An error means that the connection is gone, which is as good.
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// begin opens a transaction; it reports false when the server shuts down.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = !c.draining
	return c.busy
}

// end closes a transaction.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
}

// bareCRs returns how many CRs came so far that no LF followed.
func (c *conn) bareCRs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bare
}

// Write implements net.Conn. go-smtp writes each line of a reply by itself.
func (c *conn) Write(p []byte) (int, error) {
	if string(p) == "250-CHUNKING\r\n" {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { c.closed(c) })
	return c.Conn.Close()
}
