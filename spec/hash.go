package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

// A ContentHash is the hash of a message content as it was before it was
// relayed. It leaves out the trace fields at the very top, Received and
// Return-Path (RFC 5321 section 4.4), which every hop adds or removes, so
// that what was submitted and what a server got compare equal. A CRLF missing
// at the very end is added, because DATA cannot leave it out (RFC 5321 section
// 4.1.1.4). Everything else counts, to the byte.
//
// The content may be written in pieces of any size. Memory is bounded.
type ContentHash struct {
	sum hash.Hash
	// below is true once the first line that is no trace field has begun.
	below bool
	// skipping is true within a line of a trace field, skipped after one.
	skipping, skipped bool
	// start is the beginning of a line that may yet become a trace field.
	start []byte
	// last holds the last two bytes hashed.
	last [2]byte
	// ended is true once Sum was called.
	ended bool
}

// The field names left out, with the colon, in lower case.
var traceFields = [...]string{"received:", "return-path:"}

// NewContentHash returns a ContentHash to which nothing was written.
func NewContentHash() *ContentHash { return &ContentHash{sum: sha256.New()} }

// Write adds p to the content. It never fails.
func (h *ContentHash) Write(p []byte) (int, error) {
	n := len(p)
	if h.ended {
		return n, nil
	}
	for !h.below && len(p) > 0 {
		p = h.top(p)
	}
	h.hash(p)
	return n, nil
}

// top consumes some bytes of the top of the content and returns the rest.
func (h *ContentHash) top(p []byte) []byte {
	if h.skipping {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			return nil
		}
		h.skipping, h.skipped = false, true
		return p[end+1:]
	}
	c := p[0]
	if len(h.start) == 0 && h.skipped && (c == ' ' || c == '\t') {
		h.skipping = true // a continuation line of the field before
		return p[1:]
	}
	h.start = append(h.start, c)
	name := strings.ToLower(string(h.start))
	for _, field := range traceFields {
		if name == field {
			h.skipping = true
			h.start = h.start[:0]
			return p[1:]
		}
		if strings.HasPrefix(field, name) {
			return p[1:]
		}
	}
	h.below = true
	h.hash(h.start)
	h.start = nil
	return p[1:]
}

func (h *ContentHash) hash(p []byte) {
	h.sum.Write(p) // a hash never fails
	switch len(p) {
	case 0:
	case 1:
		h.last = [2]byte{h.last[1], p[0]}
	default:
		h.last = [2]byte(p[len(p)-2:])
	}
}

// Sum ends the content and returns its hash as 32 hex digits. What is written
// after Sum has no effect; Sum may be called again.
func (h *ContentHash) Sum() string {
	if !h.ended {
		h.hash(h.start)
		if h.last != [2]byte{'\r', '\n'} {
			h.hash([]byte("\r\n"))
		}
		h.ended = true
	}
	return hex.EncodeToString(h.sum.Sum(nil)[:16])
}
