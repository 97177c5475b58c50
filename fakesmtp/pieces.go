package fakesmtp

import "io"

// pieceSize is how much of what has arrived is taken at once: a piece ends where
// the network ended it, and not where a buffer was full.
const pieceSize = 64 << 10

// A pieces reads from a connection and remembers where what arrived together
// ended. What a client writes at once arrives together on a network that splits
// nothing; and what it writes piece by piece can still arrive together. So this
// never blames wrongly there, but can miss.
type pieces struct {
	conn io.Reader
	buf  []byte
	// got is how much was read of the connection, given how much of that was
	// passed on. starts are where the last pieces began.
	got, given int
	starts     [8]int
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	if p.buf == nil {
		p.buf = make([]byte, pieceSize)
	}
	if p.given == p.got {
		n, err := p.conn.Read(p.buf)
		if n == 0 {
			return 0, err
		}
		copy(p.starts[1:], p.starts[:])
		p.starts[0] = p.got
		p.got += n
	}
	from := p.given - p.starts[0]
	n := copy(b, p.buf[from:p.got-p.starts[0]])
	p.given += n
	return n, nil
}

// torn reports whether the last size bytes that were used, of those that were
// passed on all but ahead, arrived in more than one piece.
func (p *pieces) torn(size, ahead int) bool {
	if p == nil {
		return false
	}
	end := p.given - ahead
	for _, start := range p.starts {
		if end-size < start && start < end {
			return true
		}
	}
	return false
}
