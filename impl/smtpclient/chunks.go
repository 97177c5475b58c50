package smtpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// What is wrong with content whose size was said already.
var (
	errShort   = errors.New("it has fewer")
	errLong    = errors.New("it has more")
	errUnended = errors.New("it does not end with a line")
)

// chunked reports whether the content goes by BDAT. How much there is has to be
// known beforehand.
func (t *transaction) chunked() bool {
	return t.c.ext.Chunking && t.c.opts.ChunkBytes > 0 && t.Size > 0
}

// A chunker sends content by BDAT (RFC 3030 section 2).
type chunker struct {
	*transaction
	source *source
	blocks *bufio.Writer
	lines  *wire.LineWriter
	buffer []byte
}

// chunks sends all of the message, and returns what ends it. When ok is false, r
// is why: no chunk may follow then. A server that refused one is still listening,
// everything else ends the conversation.
//
// Chunks are not pipelined, though RFC 3030 section 4.2 allows it: what is read
// after one is the reply to it, and a message that was refused is not sent on.
func (t *transaction) chunks() (end []byte, r Result, ok bool) {
	size := int(min(blockBytes, max(t.Size, leastBlock)))
	blocks := bufio.NewWriterSize(blockWriter{t.c, t.ctx}, size)
	s := &chunker{t, &source{r: t.Body}, blocks, wire.NewLineWriter(blocks), make([]byte, size)}
	for left := t.Size; left > 0; {
		if r, early := t.c.unasked(t.ctx, spec.StageBDAT); early {
			t.void(r)
			return nil, r, false
		}
		n := min(left, t.c.opts.ChunkBytes)
		left -= n
		if r, ok := s.outcome(s.send(n, left == 0)); !ok {
			return nil, r, false
		}
		if r := s.reply(); !r.OK() {
			return nil, r, false
		}
	}
	return []byte(wire.LastChunk), Result{}, true
}

// send sends a chunk of n octets. With the end of the content it looks whether
// that is what it was said to be.
func (s *chunker) send(n int64, ends bool) error {
	if _, err := s.blocks.Write(wire.BDAT(n)); err != nil {
		return err
	}
	sent, err := io.CopyBuffer(s.lines, io.LimitReader(s.source, n), s.buffer)
	switch {
	case err != nil:
		return err
	case sent < n:
		return errShort
	case !ends:
		return s.blocks.Flush()
	case !s.lines.Ended():
		return errUnended // there are servers that wait for the rest of the line for ever
	}
	if _, err := io.ReadFull(s.source, s.buffer[:1]); err != io.EOF {
		return errLong
	}
	return s.blocks.Flush()
}

// reply waits for the reply to a chunk.
func (s *chunker) reply() Result {
	if err := s.c.arm(s.ctx, s.c.limit(spec.StageBDAT)); err != nil {
		return s.c.fault(s.ctx, spec.StageBDAT, err)
	}
	r := s.c.receive(s.ctx, spec.StageBDAT)
	if r.Event == spec.Reply3 {
		s.c.broken = true // Only DATA is answered so: the replies are out of step.
	}
	return r
}

// outcome is what an error means while a chunk is sent.
func (s *chunker) outcome(err error) (Result, bool) {
	c := s.c
	switch {
	case err == nil:
		return Result{}, true
	case s.source.err != nil:
		return c.local(spec.StageBody, fmt.Errorf("the message cannot be read: %w", s.source.err)), false
	case errors.Is(err, wire.ErrBareLineEnd):
		c.abort()
		return refusal(spec.StageBody, "5.6.0", err.Error()), false
	case errors.Is(err, errShort), errors.Is(err, errLong), errors.Is(err, errUnended):
		return c.local(spec.StageBody, fmt.Errorf("the message of %d octets cannot be sent: %w", s.Size, err)), false
	}
	return c.lastWords(s.ctx, spec.StageBody, err), false
}
