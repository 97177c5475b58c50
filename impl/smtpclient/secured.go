package smtpclient

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"os"
)

// The sizes of TLS records (RFC 8446 section 5.2; RFC 5246 section 6.2.3 allows
// the longest).
const (
	recordHeader = 5
	mostPlain    = 16 << 10
	mostRecord   = recordHeader + mostPlain + 2048
)

// A secured connection is one under TLS. As seam.Peeker says it, it can be
// asked whether something was said: a reply that is there before the final dot
// has left is not the reply to it, encrypted or not.
type secured struct {
	*tls.Conn
	records *records
	// plain holds what was decrypted and not read: as much as a record has, so
	// that package tls keeps nothing back.
	plain *bufio.Reader
}

func newSecured(conn net.Conn, config *tls.Config) *secured {
	r := &records{Conn: conn, in: bufio.NewReaderSize(conn, mostRecord)}
	t := tls.Client(r, config)
	return &secured{t, r, bufio.NewReaderSize(t, mostPlain)}
}

// Read implements net.Conn.
func (s *secured) Read(p []byte) (int, error) { return s.plain.Read(p) }

// Readable reports, without waiting, whether a Read would return at once. What
// TLS says to itself, such as a new session ticket, does not count.
func (s *secured) Readable() bool {
	s.records.hurry = true
	_, err := s.plain.Peek(1)
	s.records.hurry = false
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// records gives package tls one record at a time, so that nothing is left in
// its hands between two reads. It takes no time in a hurry: then a record that
// is not there whole is one that did not come in time.
type records struct {
	net.Conn
	in    *bufio.Reader
	left  int // of the record under way
	hurry bool
	err   error // the connection's latest
}

// Read implements net.Conn.
func (r *records) Read(p []byte) (int, error) {
	if r.hurry && !r.whole() {
		return 0, os.ErrDeadlineExceeded
	}
	if r.left == 0 {
		head, err := r.in.Peek(recordHeader)
		if err != nil && len(head) == 0 {
			r.err = err
			return 0, err
		}
		r.left = recordBytes(head)
	}
	n, err := r.in.Read(p[:min(len(p), r.left)])
	r.left -= n
	if err != nil {
		r.err = err
	}
	return n, err
}

// Write implements net.Conn.
func (r *records) Write(p []byte) (int, error) {
	n, err := r.Conn.Write(p)
	if err != nil {
		r.err = err
	}
	return n, err
}

// whole reports, without waiting, whether the rest of a record is there, or the
// end of the connection.
func (r *records) whole() bool {
	for {
		there := r.in.Buffered()
		need := r.left
		if need == 0 {
			head, _ := r.in.Peek(min(there, recordHeader)) // it is there
			need = max(recordHeader, recordBytes(head))
		}
		switch {
		case there >= need:
			return true
		case !readable(r.Conn):
			return false
		}
		if _, err := r.in.Peek(there + 1); err != nil {
			return true
		}
	}
}

// recordBytes is the size of the record that begins with head; of less than a
// header, its own.
func recordBytes(head []byte) int {
	if len(head) < recordHeader {
		return len(head)
	}
	return recordHeader + int(binary.BigEndian.Uint16(head[3:]))
}
