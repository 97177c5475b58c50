package spool

import (
	"errors"
	"fmt"
	"io"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A BodyWriter writes the body of a message that does not exist yet. It holds
// one chunk at most; what is full is written ahead, under a key in
// seam.SpaceWriting by which recovery finds the rest of a message that never
// came to exist. A body of up to seam.ChunkBytes is not written ahead at all.
//
// The message comes to exist by one batch that holds Ops; else Abandon it.
type BodyWriter struct {
	store seam.Store
	id    spec.QueueID
	// chunk is the one being filled; its number is ahead, the number of those
	// that are in the store.
	chunk []byte
	ahead int
	size  int64
	err   error
}

// NewBodyWriter returns a writer for the body of message id. Nothing is stored
// before the first chunk is full.
func NewBodyWriter(store seam.Store, id spec.QueueID) *BodyWriter {
	return &BodyWriter{store: store, id: id}
}

// Write implements io.Writer. An error is the store's and stays.
func (w *BodyWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && w.err == nil {
		// A full chunk waits for the byte that proves it is not the last.
		if len(w.chunk) == seam.ChunkBytes {
			w.err = w.flush()
			continue
		}
		n := min(len(p), seam.ChunkBytes-len(w.chunk))
		w.chunk = append(w.chunk, p[:n]...)
		w.size += int64(n)
		written += n
		p = p[n:]
	}
	return written, w.err
}

// flush writes the full chunk ahead.
func (w *BodyWriter) flush() error {
	ops := make([]seam.Op, 0, 2)
	if w.ahead == 0 {
		ops = append(ops, seam.Op{Key: w.writing()})
	}
	ops = append(ops, seam.Op{Key: seam.ChunkKey(w.id, w.ahead), Value: w.chunk})
	if err := w.store.Write(ops); err != nil {
		return fmt.Errorf("chunk %d of the body of %s cannot be written: %w", w.ahead, w.id, err)
	}
	w.chunk = w.chunk[:0]
	w.ahead++
	return nil
}

func (w *BodyWriter) writing() seam.Key {
	return seam.Key{Space: seam.SpaceWriting, Name: string(w.id)}
}

// Size returns how many bytes were written.
func (w *BodyWriter) Size() int64 { return w.size }

// Ops returns what must be in the batch that makes the message exist: the last
// chunk, and the removal of the key in seam.SpaceWriting if there is one. The
// operations share memory with the writer: write no more.
func (w *BodyWriter) Ops() []seam.Op {
	var ops []seam.Op
	if len(w.chunk) > 0 {
		ops = append(ops, seam.Op{Key: seam.ChunkKey(w.id, w.ahead), Value: w.chunk})
	}
	if w.ahead > 0 {
		ops = append(ops, seam.Op{Key: w.writing(), Delete: true})
	}
	return ops
}

// Abandon removes what was written ahead. It must not be called once a batch
// with Ops may have been given to the store.
func (w *BodyWriter) Abandon() error {
	if w.ahead == 0 {
		return nil
	}
	ops := append(seam.RemoveBody(w.id, int64(w.ahead)*seam.ChunkBytes), seam.Op{Key: w.writing(), Delete: true})
	if err := w.store.Write(ops); err != nil {
		return fmt.Errorf("the body of %s cannot be removed: %w", w.id, err)
	}
	w.ahead, w.chunk = 0, nil
	return nil
}

// Body returns a reader of the body of a message, which is size bytes long. It
// holds one chunk at a time. A body that turns out shorter or longer gives an
// error that wraps io.ErrUnexpectedEOF or ErrBodyTooLong, never a plain end: a
// truncated message must not be taken for a whole one.
func Body(store seam.Store, id spec.QueueID, size int64) io.ReadCloser {
	return &bodyReader{store: store, id: id, left: size}
}

// ErrBodyTooLong is wrapped by the error of a Body that is longer than it
// should be.
var ErrBodyTooLong = errors.New("the body is longer than recorded")

type bodyReader struct {
	store  seam.Store
	id     spec.QueueID
	chunk  []byte // What is left of the chunk before number.
	number int
	left   int64 // What is left of the body, beyond chunk.
	err    error
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.chunk) == 0 && r.err == nil {
		r.err = r.next()
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// next reads the next chunk.
func (r *bodyReader) next() error {
	if r.left <= 0 {
		return io.EOF
	}
	chunk, err := r.store.Get(seam.ChunkKey(r.id, r.number))
	if errors.Is(err, seam.ErrNotFound) {
		return fmt.Errorf("chunk %d of the body of %s is missing: %w", r.number, r.id, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("chunk %d of the body of %s cannot be read: %w", r.number, r.id, err)
	}
	switch want := min(r.left, seam.ChunkBytes); {
	case int64(len(chunk)) < want:
		return fmt.Errorf("chunk %d of the body of %s has %d bytes of %d: %w", r.number, r.id, len(chunk), want, io.ErrUnexpectedEOF)
	case int64(len(chunk)) > want:
		return fmt.Errorf("chunk %d of the body of %s has %d bytes: %w", r.number, r.id, len(chunk), ErrBodyTooLong)
	}
	r.chunk = chunk
	r.left -= int64(len(chunk))
	r.number++
	return nil
}

// Close implements io.Closer. It releases the chunk held; reads after it fail.
func (r *bodyReader) Close() error {
	r.chunk, r.err = nil, errors.New("read of a body after Close")
	return nil
}
