package fakesmtp

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// bdat reads a chunk of content and answers it (RFC 3030). Whatever is wrong, the
// octets are read before the reply.
func (c *session) bdat(args string) error {
	const stage = spec.StageBDAT
	size, last, problem := parseChunk(args)
	if problem != "" {
		return c.bad(stage, "501 5.5.4 Syntax error", "BDAT: %s (RFC 3030 section 2)", problem)
	}
	if !c.offers("CHUNKING") {
		return c.discard(size, func() error {
			return c.bad(stage, "502 5.5.1 Not offered", "BDAT though CHUNKING was not offered (RFC 3030 section 2)")
		})
	}
	t := c.mail
	switch {
	case t == nil:
		return c.discard(size, func() error { return c.noMail(stage) })
	case !t.rcptSaid:
		return c.discard(size, func() error {
			return c.outOfOrder(stage, "503 5.5.1 RCPT first", "BDAT without RCPT (RFC 5321 section 4.1.4)")
		})
	case t.dataSaid:
		return c.discard(size, func() error {
			return c.outOfOrder(stage, "503 5.5.1 One or the other", "BDAT after DATA in one transaction (RFC 3030 section 2)")
		})
	case t.failed:
		return c.discard(size, func() error {
			if !c.offers("PIPELINING") && !c.muddled {
				c.unlawful(stage, "BDAT after one that was refused (RFC 3030 section 2)")
			}
			return c.refuse(stage, "503 5.5.1 RSET first")
		})
	case len(t.to) == 0:
		t.failed = true
		return c.discard(size, func() error {
			if !c.offers("PIPELINING") && !c.muddled {
				c.unlawful(stage, "BDAT though every recipient was refused (RFC 5321 section 3.3)")
			}
			return c.refuse(stage, "554 5.5.1 No valid recipients")
		})
	}
	return c.chunk(t, size, last)
}

// parseChunk reads what follows BDAT.
func parseChunk(args string) (size int64, last bool, problem string) {
	number, rest, more := strings.Cut(args, " ")
	size, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil || strings.Trim(number, "0123456789") != "":
		return 0, false, "the size of the chunk is no number"
	case more && !strings.EqualFold(rest, "LAST"):
		return 0, false, "what follows the size is not LAST"
	}
	return size, more, ""
}

// discard reads the octets of a chunk that nobody wants, and then answers.
func (c *session) discard(size int64, answer func() error) error {
	if _, err := io.CopyN(io.Discard, c.in, size); err != nil {
		return err
	}
	return answer()
}

// chunk reads a chunk and answers it.
func (c *session) chunk(t *transaction, size int64, last bool) error {
	first := t.chunks == nil
	if first {
		t.chunks = &body{c: c, hash: spec.NewContentHash(), told: make(map[string]bool), chunked: true}
	}
	b := t.chunks
	c.body, c.complained = b, false
	defer func() { c.body = nil }()
	if first && size > 0 {
		if _, err := c.in.Peek(1); err != nil {
			return err
		}
		said, err := c.answer(occasion{stage: spec.StageBody, recipients: len(t.to)}, "", nil)
		if t.early = said; err != nil {
			return err
		}
	}
	for left := size; left > 0; {
		n, err := b.octets(left)
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	if last {
		return c.lastChunk(t, b)
	}
	said := t.early
	if t.early = ""; said == "" {
		normal := c.worded(fmt.Sprintf("250 2.0.0 %d octets received", size))
		if b.size > c.limit() {
			normal = c.worded("552 5.3.4 Message too big")
		}
		var err error
		if said, err = c.answer(occasion{stage: spec.StageBDAT, recipients: len(t.to)}, normal, nil); err != nil {
			return err
		}
	}
	t.failed = codeOf(said)/100 != 2
	return nil
}

// lastChunk answers the chunk with which the message is whole.
func (c *session) lastChunk(t *transaction, b *body) error {
	if b.cutAt > 0 {
		return c.cut()
	}
	if b.inLine {
		b.complain("the content does not end with CRLF (RFC 5321 section 2.3.7)")
	}
	c.complained, c.length = false, 0
	c.note(spec.Fact{Kind: spec.FactCommand, Stage: spec.StageDot, Text: fmt.Sprintf("the last of %d octets", b.size)})
	err := c.dot(t, b)
	c.reset()
	return err
}

// octets reads some of a chunk, at most to the end of a line, and returns how
// many.
func (b *body) octets(left int64) (int, error) {
	if _, err := b.c.in.Peek(1); err != nil {
		return 0, err
	}
	part, _ := b.c.in.Peek(int(min(int64(b.c.in.Buffered()), left))) // it is there
	if i := bytes.IndexByte(part, '\n'); i >= 0 {
		part = part[:i+1]
	}
	n := len(part)
	b.read += n
	b.check(part)
	b.keep(part, b.ends(part))
	if _, err := b.c.in.Discard(n); err != nil {
		return n, err
	}
	if b.cutAt > 0 && b.read >= b.cutAt {
		return n, b.c.cut()
	}
	return n, nil
}
