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
// never writes the final dot: nothing that was written through it can make a
// server accept the message. That takes the bytes of Terminator, which its user
// sends when everything else is ready. Of the content it keeps back nothing but
// the line end with which the last Write ended, so that CRLF.CRLF can leave in
// one piece: there are packet filters that do not find it else.
type DotWriter struct {
	w     io.Writer
	state dotState
	// kept is how many bytes of a CRLF were not written yet.
	kept int
	err  error
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

var dot, crlf = []byte{'.'}, []byte{'\r', '\n'}

// Write writes content, which may be cut into pieces at any byte. The error is
// ErrBareLineEnd or the underlying writer's; it stays.
func (d *DotWriter) Write(content []byte) (n int, err error) {
	for n < len(content) && d.err == nil {
		piece := content[n:]
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			piece = piece[:i+1]
		}
		n += d.writePiece(piece, n+len(piece) == len(content))
	}
	return n, d.err
}

// writePiece writes a piece of a line, not empty, in which an LF can only be
// the last byte, and returns how much of it was written or kept back: the line
// end of the last one.
func (d *DotWriter) writePiece(piece []byte, last bool) (n int) {
	next, ok := d.state.after(piece)
	if !ok {
		d.err = ErrBareLineEnd
		return 0
	}
	if d.state == afterCR && last { // the LF of a CR that is kept back
		d.state, d.kept = next, len(crlf)
		return len(piece)
	}
	if _, d.err = d.w.Write(crlf[:d.kept]); d.err != nil {
		return 0
	}
	d.kept = 0
	if d.state == lineStart && piece[0] == '.' {
		if _, d.err = d.w.Write(dot); d.err != nil {
			return 0
		}
	}
	d.state = next
	if last {
		d.kept = len(piece) - len(bytes.TrimRight(piece, string(crlf)))
	}
	n, d.err = d.w.Write(piece[:len(piece)-d.kept])
	if d.err == nil {
		n += d.kept
	}
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

// Terminator returns the bytes that end the message: what was kept back, and "."
// on a line of its own. Content that did not end in CRLF has its last line
// completed by them; only after no content at all there is none to complete.
func (d *DotWriter) Terminator() []byte {
	if d.state == lineStart && d.kept == 0 {
		return []byte(".\r\n")
	}
	return []byte("\r\n.\r\n")
}
