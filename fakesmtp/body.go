package fakesmtp

import (
	"bufio"
	"bytes"
	"errors"

	"github.com/postonce/postonce/spec"
)

// A body reads the content of one message: all of it, however big, in bounded
// memory.
type body struct {
	c    *session
	hash *spec.ContentHash
	// size counts the bytes of the content; kept holds the first of them.
	size int64
	kept []byte
	// read counts the bytes as they came, line those of the current line.
	read, line int
	// inLine is true within a line; cr is true when the last byte was a CR.
	inLine, cr bool
	// ended is true after the final dot.
	ended bool
	// chunked content comes by BDAT, without dots. cutAt is after how many bytes
	// of it the connection is cut; 0 is not.
	chunked bool
	cutAt   int
	// told remembers what was complained of.
	told map[string]bool
}

// content reads the content after 354 and answers its final dot.
func (c *session) content() error {
	t := c.mail
	b := &body{c: c, hash: spec.NewContentHash(), told: make(map[string]bool)}
	if _, err := c.in.Peek(1); err != nil {
		return err
	}
	o := occasion{stage: spec.StageBody, recipients: len(t.to)}
	c.verb, c.complained = "the content", false
	c.body = b
	said, err := c.answer(o, "", nil)
	t.early = said
	for err == nil && !b.ended {
		err = b.part()
	}
	c.body = nil
	if err != nil {
		return err
	}
	c.verb, c.complained, c.length = ".", false, min(b.read, len("\r\n.\r\n"))
	c.note(spec.Fact{Kind: spec.FactCommand, Stage: spec.StageDot, Text: "."})
	err = c.dot(t, b)
	c.reset()
	return err
}

// cutInBody reads n bytes of the content, or all of it, and cuts.
func (c *session) cutInBody(n int) error {
	if c.body.chunked {
		c.body.cutAt = n // it may be in another chunk
		return nil
	}
	for c.body.read < n && !c.body.ended {
		if err := c.body.part(); err != nil {
			return err
		}
	}
	return c.cut()
}

// part reads a line, or as much of it as the buffer holds.
func (b *body) part() error {
	part, err := b.c.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return err
	}
	b.read += len(part)
	b.check(part)
	whole := b.ends(part)
	if !b.inLine && part[0] == '.' {
		if string(part) == ".\r\n" {
			b.ended = true
			return nil
		}
		if part[1] != '.' {
			b.complain("a line begins with a dot that was not doubled (RFC 5321 section 4.5.2)")
		}
		part = part[1:]
	}
	b.keep(part, whole)
	return nil
}

// ends reports whether part of a line is its end.
func (b *body) ends(part []byte) bool {
	return bytes.HasSuffix(part, []byte("\r\n")) || b.cr && part[0] == '\n'
}

// keep adds to the content part of a line, which may be its end.
func (b *body) keep(part []byte, whole bool) {
	b.inLine, b.cr = !whole, part[len(part)-1] == '\r'
	if whole {
		b.line = 0
	}
	b.size += int64(len(part))
	b.hash.Write(part) // never fails
	if room := maxKept - len(b.kept); room > 0 {
		b.kept = append(b.kept, part[:min(room, len(part))]...)
	}
}

// check says what is unlawful in part of a line.
func (b *body) check(part []byte) {
	b.line += len(part)
	limit := maxText
	if !b.inLine && part[0] == '.' && !b.chunked {
		b.line-- // a doubled dot does not count: RFC 5321 section 4.5.3.1.6
	}
	if b.line > limit {
		b.complain("a line is longer than " + plural(limit) + " (RFC 5321 section 4.5.3.1.6)")
	}
	last := part[len(part)-1]
	if bareCR(part) || b.cr && part[0] != '\n' {
		b.complain("the content has a bare CR (RFC 5321 section 2.3.8)")
	}
	if last == '\n' && !bytes.HasSuffix(part, []byte("\r\n")) && !(b.cr && len(part) == 1) {
		b.complain("the content has a bare LF (RFC 5321 section 2.3.8)")
	}
	if bytes.IndexByte(part, 0) >= 0 {
		b.complain("the content has a NUL (RFC 5321 section 4.5.2)")
	}
	if t := b.c.mail; !t.body8 && !t.utf8 && !isASCII(part) {
		b.complain("the content has octets above 127 without BODY=8BITMIME (RFC 6152 section 3)")
	}
}

// complain says once per message what is unlawful.
func (b *body) complain(text string) {
	if !b.told[text] {
		b.told[text] = true
		b.c.unlawful(spec.StageBody, "%s", text)
	}
}
