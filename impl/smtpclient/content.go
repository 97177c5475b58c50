package smtpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// blockBytes is how much content is written at once, each time with the
// time-out Block (RFC 5321 section 4.5.3.2.5).
const blockBytes = 32 << 10

// leastBlock is the size of the buffers for the smallest content.
const leastBlock = 512

// content sends all of the message but the final dot, and returns the dot. When
// ok is false the conversation is over, and r is why.
//
// A server that answers before the dot is heard when its answer came with
// that to DATA, and when it closes: then a write fails, and it is asked for
// its last words.
func (t *transaction) content() (terminator []byte, r Result, ok bool) {
	c := t.c
	if r, ok := c.unasked(t.ctx, spec.StageBody); ok {
		return nil, r, false
	}
	source := &source{r: t.Body}
	size := int(min(blockBytes, max(t.Size, leastBlock))) // most mail is much smaller than a block
	blocks := bufio.NewWriterSize(blockWriter{c, t.ctx}, size)
	dots := wire.NewDotWriter(blocks)
	_, err := io.CopyBuffer(dots, source, make([]byte, size))
	if err == nil {
		err = blocks.Flush()
	}
	switch {
	case source.err != nil:
		return nil, c.local(spec.StageBody, fmt.Errorf("the message cannot be read: %w", source.err)), false
	case errors.Is(err, wire.ErrBareLineEnd):
		c.abort()
		return nil, refusal(spec.StageBody, "5.6.0", err.Error()), false
	case err != nil:
		return nil, c.lastWords(t.ctx, spec.StageBody, err), false
	}
	return dots.Terminator(), Result{}, true
}

// A source remembers whether it was reading that failed.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// A blockWriter gives every write its own time-out.
type blockWriter struct {
	c   *Client
	ctx context.Context
}

func (w blockWriter) Write(p []byte) (int, error) {
	if err := w.c.arm(w.ctx, w.c.limit(spec.StageBody)); err != nil {
		return 0, err
	}
	return w.c.stream.Write(p)
}

// dot sends the final dot and waits for the reply, whatever becomes of the
// context. From the first byte on, anything but a well-formed reply leaves a
// doubt.
func (t *transaction) dot(terminator []byte) Result {
	if t.Dot != nil {
		t.Dot(t.accepted)
	}
	t.c.dirty = false
	ctx := context.WithoutCancel(t.ctx)
	if err := t.c.write(ctx, terminator, t.c.limit(spec.StageDot)); err != nil {
		return t.c.lastWords(ctx, spec.StageDot, err)
	}
	r := t.c.receive(ctx, spec.StageDot)
	// After a refused chunk the server may be in any state (RFC 3030 section 2).
	t.c.dirty = t.chunked() && !r.OK()
	return r
}
