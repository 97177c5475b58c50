package wire

import (
	"bytes"
	"io"
)

// A LineWriter writes the content of a message as it stands after BDAT: as it is.
// Without BINARYMIME it consists of lines all the same (RFC 3030 section 2), so a
// bare CR or LF is an error as in a DotWriter.
type LineWriter struct {
	w     io.Writer
	state dotState
	err   error
}

// NewLineWriter returns a LineWriter that writes to w.
func NewLineWriter(w io.Writer) *LineWriter { return &LineWriter{w: w} }

// Write writes content, which may be cut into pieces at any byte. Before a bare
// CR or LF it writes nothing of this content. The error is ErrBareLineEnd or the
// underlying writer's; it stays.
func (l *LineWriter) Write(content []byte) (n int, err error) {
	if l.err == nil {
		l.err = l.check(content)
	}
	if l.err == nil {
		n, l.err = l.w.Write(content)
	}
	return n, l.err
}

// check looks for a bare CR or LF in content that is about to be written.
func (l *LineWriter) check(content []byte) error {
	for len(content) > 0 {
		piece := content
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			piece = piece[:i+1]
		}
		next, ok := l.state.after(piece)
		if !ok {
			return ErrBareLineEnd
		}
		l.state, content = next, content[len(piece):]
	}
	return nil
}

// Ended reports whether the content so far ends with a line.
func (l *LineWriter) Ended() bool { return l.state == lineStart }
