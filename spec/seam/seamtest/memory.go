package seamtest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/postonce/postonce/spec/seam"
)

// Memory is the smallest Disk that keeps the contract: for tests of what uses
// a store, and for the tests of the checks themselves. The zero value is an
// empty disk.
type Memory struct {
	mu    sync.Mutex
	kept  map[seam.Key][]byte
	store *memoryStore
}

// Open implements Disk.
func (d *Memory) Open() (seam.Store, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil {
		d.kept = map[seam.Key][]byte{}
	}
	d.store = &memoryStore{disk: d, state: maps.Clone(d.kept)}
	d.store.idle.L = &d.mu
	return d.store, nil
}

// Crash implements Disk.
func (d *Memory) Crash(kept int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.store
	if s == nil {
		return
	}
	for _, b := range s.log[:len(s.log)*kept/100] {
		change(d.kept, b.ops)
	}
	s.crashed = true
	s.log = nil
}

// A memoryStore holds its contents as they are and as the disk has them, and
// between them the batches that are not yet durable.
type memoryStore struct {
	disk     *Memory // Its mu guards everything below.
	state    map[seam.Key][]byte
	log      []memoryBatch
	draining bool
	idle     sync.Cond // Signalled when draining ends.
	closed   bool
	crashed  bool
}

// A memoryBatch without done was only written.
type memoryBatch struct {
	ops  []seam.Op
	err  error
	done func(error)
}

// change applies operations to contents.
func change(contents map[seam.Key][]byte, ops []seam.Op) {
	for _, op := range ops {
		if op.Delete {
			delete(contents, op.Key)
			continue
		}
		contents[op.Key] = op.Value
	}
}

// copied returns operations that share nothing with ops.
func copied(ops []seam.Op) []seam.Op {
	ops = slices.Clone(ops)
	for i := range ops {
		ops[i].Value = bytes.Clone(ops[i].Value)
	}
	return ops
}

// Apply implements seam.Store.
func (s *memoryStore) Apply(ops []seam.Op, done func(error)) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	b := memoryBatch{ops: copied(ops), done: done}
	if s.closed {
		b.ops, b.err = nil, seam.ErrClosed
	}
	s.append(b)
	if !s.draining {
		s.draining = true
		go s.drain()
	}
}

// append makes a batch visible and, while there is power, due to become
// durable; the lock is held.
func (s *memoryStore) append(b memoryBatch) {
	change(s.state, b.ops)
	if !s.crashed {
		s.log = append(s.log, b)
	}
}

// drain makes one batch after another durable and says so.
func (s *memoryStore) drain() {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	for len(s.log) > 0 {
		b := s.log[0]
		s.log = s.log[1:]
		change(s.disk.kept, b.ops)
		if b.done == nil {
			continue
		}
		s.disk.mu.Unlock()
		b.done(b.err)
		s.disk.mu.Lock()
	}
	s.draining = false
	s.idle.Broadcast()
}

// Write implements seam.Store.
func (s *memoryStore) Write(ops []seam.Op) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.closed {
		return seam.ErrClosed
	}
	s.append(memoryBatch{ops: copied(ops)})
	return nil
}

// Get implements seam.Store.
func (s *memoryStore) Get(key seam.Key) ([]byte, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.closed {
		return nil, seam.ErrClosed
	}
	v, ok := s.state[key]
	if !ok {
		return nil, seam.ErrNotFound
	}
	return append([]byte{}, v...), nil
}

// Scan implements seam.Store.
func (s *memoryStore) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.closed {
		return nil, seam.ErrClosed
	}
	var entries []seam.Entry
	for key, v := range s.state {
		if key.Space == space && strings.HasPrefix(key.Name, prefix) && key.Name > after {
			entries = append(entries, seam.Entry{Key: key, Value: append([]byte{}, v...)})
		}
	}
	slices.SortFunc(entries, func(a, b seam.Entry) int { return strings.Compare(a.Key.Name, b.Key.Name) })
	return entries[:min(len(entries), max(limit, 0))], nil
}

// Close implements seam.Store.
func (s *memoryStore) Close() error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.closed {
		return seam.ErrClosed
	}
	s.closed = true
	for s.draining {
		s.idle.Wait()
	}
	if !s.crashed {
		for _, b := range s.log {
			change(s.disk.kept, b.ops)
		}
	}
	s.log = nil
	return nil
}
