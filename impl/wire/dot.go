package wire

import (
	"bytes"
	"errors"
	"io"
)

// ErrBareLineEnd is returned by DotWriter for content with a CR or LF that is
// not part of a CRLF. RFC 5321 section 2.3.8 forbids to send it, and servers
// that take it for a line end can be made to see a final dot where there is
// none.
var ErrBareLineEnd = errors.New("content has a bare CR or LF")

// A DotWriter writes the content of a message as it stands after DATA: every
// line that begins with a dot gets another one (RFC 5321 section 4.5.2). It
// keeps nothing back and never writes the final dot: nothing that was written
// through it can make a server accept the message. That takes the bytes of
// Terminator, which its user sends when everything else is ready.
type DotWriter struct {
	w     io.Writer
	state dotState
	err   error
}

// dotState is what the content so far ended in.
type dotState uint8

const (
	lineStart dotState = iota // nothing yet, or CRLF
	inLine                    // within a line
	afterCR                   // CR, which LF has to follow
)

// NewDotWriter returns a DotWriter that writes to w, in many small pieces: w
// should be buffered.
func NewDotWriter(w io.Writer) *DotWriter { return &DotWriter{w: w} }

var dot = []byte{'.'}

// Write writes content, which may be cut into pieces at any byte. The error is
// ErrBareLineEnd or the underlying writer's; it stays.
func (d *DotWriter) Write(content []byte) (n int, err error) {
	for n < len(content) && d.err == nil {
		piece := content[n:]
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			piece = piece[:i+1]
		}
		n += d.writePiece(piece)
	}
	return n, d.err
}

// writePiece writes a piece of a line, not empty, in which an LF can only be
// the last byte, and returns how much of it was written.
func (d *DotWriter) writePiece(piece []byte) (n int) {
	next, ok := d.state.after(piece)
	if !ok {
		d.err = ErrBareLineEnd
		return 0
	}
	if d.state == lineStart && piece[0] == '.' {
		if _, d.err = d.w.Write(dot); d.err != nil {
			return 0
		}
	}
	d.state = next
	n, d.err = d.w.Write(piece)
	return n
}

// after returns the state after a piece of a line, not empty; ok is false when it has a bare CR or
// LF, or completes one.
func (s dotState) after(piece []byte) (next dotState, ok bool) {
	last := len(piece) - 1
	if s == afterCR {
		return lineStart, piece[0] == '\n'
	}
	cr := bytes.IndexByte(piece, '\r')
	switch {
	case piece[last] == '\n':
		return lineStart, cr >= 0 && cr == last-1
	case cr >= 0:
		return afterCR, cr == last
	}
	return inLine, true
}

// Terminator returns the bytes that end the message: "." on a line of its own.
// Content that did not end in CRLF has its last line completed by them.
func (d *DotWriter) Terminator() []byte {
	switch d.state {
	case lineStart:
		return []byte(".\r\n")
	case afterCR:
		return []byte("\n.\r\n")
	}
	return []byte("\r\n.\r\n")
}
