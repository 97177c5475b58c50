// Package smtpclient holds one SMTP conversation as a client (RFC 5321), under
// TLS where it is asked for (RFC 3207), and after a login (RFC 4954).
//
// A Client says hello, sends transactions and quits. It reports how far each
// recipient came and what was met there; what that means is the verdict table's
// business (spec.Decide), and where to go next is package delivery's.
//
// Two things make it a client that never delivers twice. The message is
// streamed all but its final dot, then the caller commits, and only then the
// dot leaves: a failure before that instant is never in doubt, and after it
// nothing but a well-formed reply counts. And pipelining (RFC 2920) changes
// when bytes are sent, never what a recipient's result is.
package smtpclient

import (
	"bufio"
	"context"
	"net"
	"time"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// Options are what a conversation needs to know besides its connection.
type Options struct {
	// Hostname is the relay's own name, for EHLO.
	Hostname string
	// Host is the server's name, for texts.
	Host string
	// Timeouts of the stages. The one for the final dot is never taken to be
	// less than spec.LeastDot.
	Timeouts spec.Timeouts
	// ReplyBytes caps one reply, all lines together.
	ReplyBytes int
	// TLS says how far the conversation must be encrypted.
	TLS TLS
	// Login is what the client makes itself known with; nil for nothing.
	Login *Login
	// ChunkBytes caps the octets that follow one BDAT, where the server offers
	// CHUNKING; 0 is never to say BDAT.
	ChunkBytes int64
	// OneByOne waits for the reply to each command, though PIPELINING is offered.
	OneByOne bool
}

// A Client is one conversation. It belongs to one goroutine at a time.
type Client struct {
	// conn is the connection that was made: deadlines and the end of all are
	// its own. stream is what is read and written: conn, or TLS over it.
	conn, stream net.Conn
	opts         Options
	r            *bufio.Reader
	ext          wire.Extensions
	// verified: the stream is TLS, and the server's certificate is valid for a name
	// of Options.TLS.
	verified bool
	// broken: what the server said last, or that it said nothing, is the end
	// of the conversation; not even QUIT makes sense.
	broken bool
	// dirty: a transaction was begun that no dot has ended.
	dirty bool
	// hidden are texts that a login has said: shown is without them.
	hidden []string
	// used is what was said of what the server limits.
	used used
}

// New returns a Client on a connection that was just made. Nothing is read or
// written before Hello. A connection that is a seam.Peeker is asked, before the
// final dot leaves, whether the server has spoken already.
func New(conn net.Conn, opts Options) *Client {
	opts.Timeouts.Dot = max(opts.Timeouts.Dot, spec.LeastDot)
	return &Client{conn: conn, stream: conn, opts: opts, r: bufio.NewReader(conn)}
}

// Hello waits for the greeting, says EHLO, and HELO to a server that does not
// know EHLO (RFC 5321 section 3.2). Then it encrypts the connection, as far as
// Options.TLS says, and says EHLO again; and logs in, as Options.Login says. The
// result is that of the stage at which it ended.
//
// When ctx is done the conversation ends at once; the result has an Err then.
func (c *Client) Hello(ctx context.Context) Result {
	defer c.watch(ctx)()
	// Nothing is sent before the greeting is complete (RFC 5321 section 3.1).
	if err := c.arm(ctx, c.opts.Timeouts.Greeting); err != nil {
		return c.fault(ctx, spec.StageGreeting, err)
	}
	if r := c.receive(ctx, spec.StageGreeting); !r.OK() {
		return r
	}
	r := c.hello(ctx)
	if !r.OK() {
		return r
	}
	if r = c.secure(ctx, r); !r.OK() {
		return r
	}
	return c.login(ctx, r)
}

// hello says EHLO, and HELO if need be.
func (c *Client) hello(ctx context.Context) Result {
	line, err := wire.EHLO(c.opts.Hostname)
	if err != nil {
		return c.local(spec.StageEHLO, err)
	}
	r := c.command(ctx, spec.StageEHLO, line)
	if r.Event != spec.Reply5 {
		c.ext = wire.ParseEHLO(r.Reply)
		c.ext.Pipelining = c.ext.Pipelining && !c.opts.OneByOne
		return r
	}
	if line, err = wire.HELO(c.opts.Hostname); err != nil {
		return c.local(spec.StageHELO, err)
	}
	return c.command(ctx, spec.StageHELO, line)
}

// TakesDSN reports whether the server said at Hello that it tells senders what
// they asked for (RFC 3461).
func (c *Client) TakesDSN() bool { return c.ext.DSN }

// Pipelines reports whether commands are sent before the replies to others have
// come.
func (c *Client) Pipelines() bool { return c.ext.Pipelining }

// Ready reports whether the connection can take a transaction. After one that
// ended without a dot it says RSET first (RFC 5321 section 4.1.1.5), and any
// other answer than 2yz means that it cannot. The result is that of RSET, zero
// when it was not said; it changes no recipient's. A connection that has had as
// many transactions as the server takes is not Ready.
func (c *Client) Ready(ctx context.Context) (ready bool, rset Result) {
	if c.spent() {
		return false, Result{}
	}
	if c.broken || !c.dirty {
		return !c.broken, Result{}
	}
	defer c.watch(ctx)()
	r := c.command(ctx, spec.StageRSET, []byte(wire.RSET))
	c.broken = c.broken || r.Event != spec.Reply2
	c.dirty = false
	return !c.broken, r
}

// Quiet reports whether the server has kept silent since its last reply, without
// waiting for it to speak. When it has not, the conversation is over, and the
// result is what it said. A conversation that was kept is asked so before it is
// used again: of what came unasked nobody knows to which command it belongs.
func (c *Client) Quiet(ctx context.Context) (quiet bool, said Result) {
	defer c.watch(ctx)()
	r, spoke := c.unasked(ctx, spec.StageIdle)
	if spoke && r.Event == spec.Timeout { // what came is not the whole of a line
		r = Result{Stage: r.Stage, Event: spec.Malformed, Text: "what came is no whole reply"}
	}
	return !spoke, r
}

// Quit ends the conversation, with QUIT when the server is still listening,
// and closes the connection in any case. The result is that of QUIT, zero when
// it was not said; it changes nothing. When ctx is done it only closes.
func (c *Client) Quit(ctx context.Context) Result {
	defer c.close()
	if c.broken {
		return Result{}
	}
	defer c.watch(ctx)()
	return c.command(ctx, spec.StageQUIT, []byte(wire.QUIT))
}

// close closes the connection. TLS says goodbye before (RFC 8446 section 6.1), to
// who still listens.
func (c *Client) close() {
	if c.broken {
		c.conn.Close()
		return
	}
	c.stream.Close()
}

// abort closes the connection without QUIT. Before the final dot that is the
// way to take a message back: what is not ended is not accepted.
func (c *Client) abort() {
	c.broken = true
	c.conn.Close()
}

// limit is the time-out of a stage, from its command to its reply.
func (c *Client) limit(stage spec.Stage) time.Duration {
	t := c.opts.Timeouts
	switch stage {
	case spec.StageGreeting:
		return t.Greeting
	case spec.StageMAIL:
		return t.MAIL
	case spec.StageRCPT:
		return t.RCPT
	case spec.StageDATA:
		return t.DATA
	case spec.StageBody, spec.StageBDAT:
		return t.Block
	case spec.StageDot:
		return t.Dot
	case spec.StageQUIT:
		return t.QUIT
	case spec.StageSTARTTLS, spec.StageHandshake:
		return t.STARTTLS
	case spec.StageAUTH:
		return t.AUTH
	}
	// EHLO, HELO and RSET: RFC 5321 section 4.5.3.2 names none.
	return t.EHLO
}
