package smtpclient

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// lateReply is how long a reply is waited for that should already be there:
// after a failed write, or when its first bytes were read with the reply
// before it.
const lateReply = 5 * time.Second

// watch makes reads and writes fail when ctx is done, until stop is called.
// When stop returns true they never will.
func (c *Client) watch(ctx context.Context) (stop func() bool) {
	// Errors of SetDeadline show at the next read or write.
	return context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
}

// arm sets the deadline for what follows. It looks at ctx after that: a watch
// that fires in between has its own deadline stand.
func (c *Client) arm(ctx context.Context, limit time.Duration) error {
	if err := c.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	return ctx.Err()
}

// write writes b and leaves limit for it and the reply together.
func (c *Client) write(ctx context.Context, b []byte, limit time.Duration) error {
	if err := c.arm(ctx, limit); err != nil {
		return err
	}
	_, err := c.stream.Write(b)
	return err
}

// receive reads one reply within the deadline that is set.
func (c *Client) receive(ctx context.Context, stage spec.Stage) Result {
	reply, err := wire.ReadReply(c.r, c.opts.ReplyBytes)
	if err != nil {
		return c.veil(c.fault(ctx, stage, err))
	}
	event := spec.EventOf(reply)
	if event == spec.Reply421 {
		c.broken = true // The server closes the channel (RFC 5321 section 3.8).
	}
	return c.veil(Result{Stage: stage, Event: event, Reply: reply})
}

// command sends one command and reads its reply.
func (c *Client) command(ctx context.Context, stage spec.Stage, line []byte) Result {
	if r, ok := c.unasked(ctx, stage); ok {
		return r
	}
	if err := c.write(ctx, line, c.limit(stage)); err != nil {
		return c.lastWords(ctx, stage, err)
	}
	return c.receive(ctx, stage)
}

// lastWords is the result of a write that failed with err: a server that
// closes often says why before. While the content or the dot is sent, a
// refusal is a result of its own, and more telling than the lost connection.
// In answer to a command it speaks of the connection, not of a recipient, so
// it is only told. A positive reply cannot belong to what was not sent.
func (c *Client) lastWords(ctx context.Context, stage spec.Stage, err error) Result {
	r := c.fault(ctx, stage, err)
	if r.Err != nil || c.arm(ctx, lateReply) != nil {
		return r
	}
	last := c.receive(ctx, stage)
	c.broken = true
	switch {
	case last.Err != nil:
		return last
	case last.Reply.Class() < 4:
		return r
	case stage == spec.StageBody || stage == spec.StageDot || last.Event == spec.Reply421:
		return last
	}
	r.Text += fmt.Sprintf("; the last words were: %v", last.Reply)
	return r
}

// unasked returns the result at a stage when the server has already said
// something although it has not been told anything yet. Only 421 may come
// unasked (RFC 5321 section 3.8). After anything else it is not known which
// reply belongs to which command, so the conversation is over; but while the
// content is sent, a server's early answer has a row in the verdict table.
//
// While the content is sent, before each chunk of it, and when the connection has
// been idle, it is looked for on the connection too, not only in what was read
// already.
func (c *Client) unasked(ctx context.Context, stage spec.Stage) (Result, bool) {
	look := stage == spec.StageBody || stage == spec.StageBDAT || stage == spec.StageIdle
	if c.r.Buffered() == 0 && !look {
		return Result{}, false
	}
	// Before it is looked for: TLS reads to know what is there, and the deadline
	// of what was written last may be over.
	if err := c.arm(ctx, lateReply); err != nil {
		return c.fault(ctx, stage, err), true
	}
	if c.r.Buffered() == 0 && !readable(c.stream) {
		return Result{}, false
	}
	r := c.receive(ctx, stage)
	c.broken = true
	if r.Reply.Code != 0 && r.Event != spec.Reply421 && stage != spec.StageBody {
		r = Result{Stage: stage, Event: spec.Malformed, Text: fmt.Sprintf("a reply to no command: %v", r.Reply)}
	}
	return r, true
}

// readable reports whether something has arrived on the connection that nobody
// has read: bytes, or its end.
func readable(conn net.Conn) bool {
	p, ok := conn.(interface{ Readable() bool })
	return ok && p.Readable()
}
