// Package spool keeps the relay's messages on disk: the seam.Store on Pebble,
// and the bodies of messages as chunks in any Store.
package spool

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postonce/postonce/spec/seam"
)

// Options of a Store. The zero value is right for production.
type Options struct {
	// FS is the file system; the operating system's when nil.
	FS vfs.FS
	// ReadOnly opens a spool to be looked at: nothing in its directory is made
	// or changed, and nothing can be written.
	ReadOnly bool
	// MustExist refuses to make a spool of what is none (ErrNone), such as a
	// directory that is missing or holds something else.
	MustExist bool
	// Log takes what the store has to say; nothing is logged when nil.
	Log *slog.Logger
}

// existing reports whether no spool may be made.
func (o Options) existing() bool { return o.ReadOnly || o.MustExist }

// A Store is a seam.Store in a directory. Batches of many callers share one
// sync of the write-ahead log; mail that leaves soon never leaves that log.
//
// The first error of a write or a sync ends the store: every later call
// returns it, and nothing that is done afterwards reaches the disk (see fuse).
// Open the store again to learn what the disk holds.
type Store struct {
	db   *pebble.DB
	fuse *fuse
	lock *pebble.Lock

	// life is held for reading by every call that uses db, and for writing to
	// end that.
	life   sync.RWMutex
	closed bool

	// order makes the order of the queue the order of the batches. Pebble
	// bounds the batches that wait for a sync to some 4000, and then Apply
	// waits; else it waits only while a full log file is changed for the next.
	order    sync.Mutex
	queue    []waiting
	draining bool
	idle     sync.Cond // Signalled when draining ends; L is order.
}

// waiting is a batch whose done is still to be called: with err, when batch is
// nil.
type waiting struct {
	batch *pebble.Batch
	err   error
	done  func(error)
}

// Apply implements seam.Store.
func (s *Store) Apply(ops []seam.Op, done func(error)) {
	s.life.RLock()
	defer s.life.RUnlock()
	s.order.Lock()
	defer s.order.Unlock()
	batch, err := s.commit(ops)
	s.queue = append(s.queue, waiting{batch: batch, err: err, done: done})
	if !s.draining {
		s.draining = true
		go s.drain()
	}
}

// commit makes a batch visible and asks for its sync; order is held.
func (s *Store) commit(ops []seam.Op) (*pebble.Batch, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	batch, err := s.batch(ops)
	if err != nil {
		return nil, err
	}
	// Pebble would not sync an empty batch; but its done vouches for what was
	// written before it.
	if batch.Empty() {
		if err := batch.LogData(nil, nil); err != nil {
			return nil, errors.Join(err, batch.Close())
		}
	}
	if err := s.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return nil, errors.Join(err, batch.Close())
	}
	return batch, nil
}

// drain calls done for one waiting batch after another until none is left.
func (s *Store) drain() {
	s.order.Lock()
	defer s.order.Unlock()
	for len(s.queue) > 0 {
		w := s.queue[0]
		s.queue[0] = waiting{}
		s.queue = s.queue[1:]
		s.order.Unlock()
		w.done(s.settle(w))
		s.order.Lock()
	}
	s.queue = nil
	s.draining = false
	s.idle.Broadcast()
}

// settle waits until a batch is durable or has failed.
func (s *Store) settle(w waiting) error {
	if w.batch == nil {
		return w.err
	}
	err := w.batch.SyncWait()
	// Pebble does not see the disk's errors; the fuse does, and is blown
	// before the sync that failed returns to Pebble.
	if blown := s.fuse.blown(); blown != nil {
		err = blown
	}
	return errors.Join(err, w.batch.Close())
}

// Write implements seam.Store.
func (s *Store) Write(ops []seam.Op) error {
	s.life.RLock()
	defer s.life.RUnlock()
	if err := s.usable(); err != nil {
		return err
	}
	batch, err := s.batch(ops)
	if err != nil {
		return err
	}
	err = s.db.Apply(batch, pebble.NoSync)
	if blown := s.fuse.blown(); blown != nil {
		err = blown
	}
	return errors.Join(err, batch.Close())
}

// batch copies operations into a Pebble batch.
func (s *Store) batch(ops []seam.Op) (*pebble.Batch, error) {
	batch := s.db.NewBatch()
	for _, op := range ops {
		var err error
		if op.Delete {
			err = batch.Delete(encode(op.Key), nil)
		} else {
			err = batch.Set(encode(op.Key), op.Value, nil)
		}
		if err != nil {
			return nil, errors.Join(err, batch.Close())
		}
	}
	return batch, nil
}

// usable returns why the store can no longer be used; life is held.
func (s *Store) usable() error {
	if s.closed {
		return seam.ErrClosed
	}
	return s.fuse.blown()
}

// Close implements seam.Store: it waits until done was called for every batch.
func (s *Store) Close() error {
	s.life.Lock()
	if s.closed {
		s.life.Unlock()
		return seam.ErrClosed
	}
	s.closed = true
	s.life.Unlock()

	s.order.Lock()
	for s.draining {
		s.idle.Wait()
	}
	s.order.Unlock()

	err := s.db.Close()
	if blown := s.fuse.blown(); blown != nil {
		err = blown
	}
	return errors.Join(err, s.lock.Close())
}
