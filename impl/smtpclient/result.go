package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// A Result says how far something came, a recipient or the conversation, and
// what was met there. A recipient for whom the server took the message has
// StageDot and Reply2.
type Result struct {
	Stage spec.Stage
	Event spec.Event
	// Reply is the server's, when there was one. A refusal that is the
	// client's own, for what the server could not be given lawfully, has the
	// Event Reply5 and no Code, only the Enhanced status code.
	Reply spec.Reply
	// Text says more when there was no reply.
	Text string
	// Err is set when this side ended it for reasons of its own: the context
	// is done, the message cannot be read, the commit failed. Nothing is known
	// about the server from that, and another host would do no better.
	Err error
}

// OK reports whether the conversation goes on, or for StageDot whether the
// message was delivered.
func (r Result) OK() bool {
	return r.Err == nil && spec.Decide(r.Stage, r.Event).Verdict == spec.Proceed
}

// refusal is the client's own permanent refusal.
func refusal(stage spec.Stage, enhanced, text string) Result {
	return Result{Stage: stage, Event: spec.Reply5, Reply: spec.Reply{Enhanced: enhanced}, Text: enhanced + " " + text}
}

// unwritable is the refusal of what a command cannot say.
func unwritable(stage spec.Stage, err error) Result {
	var bad *wire.CommandError
	if errors.As(err, &bad) {
		return refusal(stage, bad.Enhanced, bad.Error())
	}
	return refusal(stage, "5.5.4", err.Error())
}

// local ends the conversation for a reason of this side.
func (c *Client) local(stage spec.Stage, err error) Result {
	c.abort()
	return Result{Stage: stage, Event: spec.Cut, Text: err.Error(), Err: err}
}

// fault classifies an error of the connection; the conversation is over.
func (c *Client) fault(ctx context.Context, stage spec.Stage, err error) Result {
	c.broken = true
	var bad *wire.MalformedError
	switch {
	case errors.As(err, &bad):
		return Result{Stage: stage, Event: spec.Malformed, Text: bad.Error()}
	case ctx.Err() != nil:
		return c.local(stage, fmt.Errorf("broken off: %w", context.Cause(ctx)))
	case isTimeout(err):
		return Result{Stage: stage, Event: spec.Timeout, Text: fmt.Sprintf("no answer within %v", c.limit(stage))}
	}
	return Result{Stage: stage, Event: spec.Cut, Text: "connection lost: " + plain(err)}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// plain is the text of an error without the addresses that package net puts
// before it: they are known, and differ from run to run.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "closed by the server"
	}
	return err.Error()
}
