package submission

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// maxCommand bounds a command line. RFC 5321 section 4.5.3.1.4 and its
// extensions ask for less than 2 KiB.
const maxCommand = 4096

// A conn is a client's connection. It gives every read a deadline of its own
// (go-smtp sets one per command, so a long message would meet it), ends the
// connection between two transactions when the server shuts down, and stands
// between go-smtp and the client's commands (see command.go). For that go-smtp
// gets a line at a time: so it has read nothing beyond the command that it
// answers.
type conn struct {
	net.Conn
	timeout time.Duration
	closed  func(*conn)
	// hostname is the server's, limit the largest message; private is Config.Private.
	hostname string
	limit    int64
	private  bool

	// What follows belongs to the goroutine that reads.
	in *bufio.Reader
	// rest is what is left of the line that go-smtp is reading.
	rest []byte
	// content is true while lines are content.
	content bool
	// request is what the command asks for that go-smtp has got last.
	request request
	// refused counts commands.
	refused int
	// bare counts the CRs that no LF followed, which go-smtp may take out of the
	// content after a dot at the start of a line; cr is true after a CR. go-smtp
	// does not get those of the content: after one it overlooks a CRLF, and with it
	// the final dot.
	bare int
	cr   bool

	mu sync.Mutex
	// busy is true while a transaction is open.
	busy     bool
	draining bool
	// failed is the first error of a read. It stays: who reads on must not
	// wait for another time-out.
	failed error
	once   sync.Once
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		line, err := c.line()
		if err != nil {
			return 0, err
		}
		for i, b := range line {
			if c.cr && b != '\n' {
				c.bare++
				if c.content && i > 0 {
					line[i-1] = ' ' // the message is refused; what go-smtp gets is read on only to find its end
				}
			}
			c.cr = b == '\r'
		}
		c.rest = line
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// line returns the next line for go-smtp, or a piece of it within content.
func (c *conn) line() ([]byte, error) {
	for {
		line, err := c.in.ReadSlice('\n')
		switch {
		case c.content && err == bufio.ErrBufferFull && line[len(line)-1] == '\r':
			_ = c.in.UnreadByte() // what follows the CR decides what it is
			if line = line[:len(line)-1]; line[len(line)-1] == '\r' {
				line[len(line)-1] = ' '
				c.bare++
			}
			return line, nil
		case c.content && len(line) > 0:
			return line, nil // An error comes again.
		case err == nil && !bytes.HasSuffix(line, []byte("\r\n")):
			return nil, c.refuse(refuseEnd)
		case err != nil && err != bufio.ErrBufferFull:
			return nil, err
		}
		text, refusal := command(string(line), c.hostname)
		if refusal == refuseChunks {
			return nil, c.refuse(refusal)
		}
		if err != nil {
			refusal = refuseLong
			for err == bufio.ErrBufferFull {
				_, err = c.in.ReadSlice('\n')
			}
		}
		if refusal == nil {
			text, c.request, refusal = takeRequest(text)
		}
		if refusal == nil {
			return []byte(text), nil
		}
		if c.refused++; c.refused > maxErrors {
			return nil, c.refuse(refuseMany)
		}
		if err := c.reply(refusal); err != nil {
			return nil, err
		}
	}
}

// reply answers a command that go-smtp does not see. It waits for this one, so
// it says nothing meanwhile.
func (c *conn) reply(r *Refusal) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	_, err := c.Conn.Write([]byte(wired(r) + "\r\n"))
	return err
}

// refuse answers a command and ends the connection, which go-smtp hears of as
// of the client's end.
func (c *conn) refuse(r *Refusal) error {
	_ = c.reply(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = io.EOF
	}
	return c.failed
}

// A raw reads from a conn's network connection.
type raw struct{ *conn }

// Read implements io.Reader.
func (r raw) Read(p []byte) (int, error) {
	c := r.conn
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.failed == nil {
			c.failed = err
		}
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

// ending reports whether the server shuts down.
func (c *conn) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// Write implements net.Conn. go-smtp writes each line of a reply by itself.
func (c *conn) Write(p []byte) (int, error) {
	ours := c.said(p)
	if ours == nil {
		return len(p), nil
	}
	if _, err := c.Conn.Write(ours); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { c.closed(c) })
	return c.Conn.Close()
}
