package sim

import (
	"bytes"
	"slices"
	"time"

	"github.com/postonce/postonce/spec/seam"
)

// A store is the disk as one process sees it. It implements seam.Store.
type store struct {
	disk  *disk
	owner *process
	// applied is what reads see.
	applied contents
	// unsaid are the batches whose done is still to be called, in order;
	// saying is true while a goroutine calls it.
	unsaid []*batch
	saying bool
	// broken is why nothing works any more, after a write has failed.
	broken error
	// idle is where Close waits.
	idle   place
	closed bool
}

// lost returns why the store cannot be used, nil when it can.
func (s *store) lost() error {
	switch {
	case s.owner.dead:
		return errGone
	case s.closed:
		return seam.ErrClosed
	}
	return s.broken
}

// Apply implements seam.Store.
func (s *store) Apply(ops []seam.Op, done func(error)) {
	w := s.disk.world
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.cross(s.owner).over()
	b := &batch{ops: copied(ops), done: done}
	s.unsaid = append(s.unsaid, b)
	if err := s.lost(); err != nil {
		b.ready, b.err = true, err
		if !s.saying {
			go s.say()
		}
		return
	}
	if err := s.fails("storing a batch"); err != nil {
		s.broken = err
		b.err = err
		if s.owner.dead {
			return
		}
	}
	s.applied.change(b.ops)
	d := s.disk
	d.pending = append(d.pending, b)
	w.marks.changed()
	d.last = w.claim(max(w.now()+syncTime.draw(d.random), d.last+1))
	time.AfterFunc(d.last-w.now(), func() { s.synced(b) })
}

// synced makes a batch durable, with all before it.
func (s *store) synced(b *batch) {
	w, d := s.disk.world, s.disk
	w.mu.Lock()
	w.commit()
	if n := slices.Index(d.pending, b) + 1; n > 0 && b.err == nil {
		w.sync(s.owner, n)
	}
	if !b.ready {
		b.ready = true
		if s.owner.dead {
			b.err = errGone
		}
	}
	w.mu.Unlock()
	s.say()
}

// say calls done for all that is ready, in order, one after another.
func (s *store) say() {
	w := s.disk.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.saying {
		return
	}
	s.saying = true
	for len(s.unsaid) > 0 && s.unsaid[0].ready {
		b := s.unsaid[0]
		s.unsaid = s.unsaid[1:]
		w.mu.Unlock()
		s.owner.guarded(func() { b.done(b.err) })()
		w.mu.Lock()
	}
	s.saying = false
	s.idle.wake()
}

// die tells everybody who waits that the process is gone.
func (s *store) die() {
	for _, b := range s.unsaid {
		b.ready, b.err = true, errGone
	}
	if !s.saying {
		go s.say()
	}
}

// Write implements seam.Store.
func (s *store) Write(ops []seam.Op) error {
	s.disk.world.mu.Lock()
	defer s.disk.world.mu.Unlock()
	defer s.disk.world.cross(s.owner).over()
	if err := s.lost(); err != nil {
		return err
	}
	if err := s.fails("writing ahead"); err != nil {
		s.broken = err
		return err
	}
	b := &batch{ops: copied(ops)}
	s.applied.change(b.ops)
	s.disk.pending = append(s.disk.pending, b)
	s.disk.world.marks.changed()
	return nil
}

// Get implements seam.Store.
func (s *store) Get(key seam.Key) ([]byte, error) {
	s.disk.world.mu.Lock()
	defer s.disk.world.mu.Unlock()
	defer s.disk.world.cross(s.owner).over()
	if err := s.lost(); err != nil {
		return nil, err
	}
	if err := s.fails("reading " + key.Name); err != nil {
		return nil, err
	}
	value, there := s.applied.values[key]
	if !there {
		return nil, seam.ErrNotFound
	}
	return append([]byte{}, value...), nil
}

// Scan implements seam.Store.
func (s *store) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	s.disk.world.mu.Lock()
	defer s.disk.world.mu.Unlock()
	defer s.disk.world.cross(s.owner).over()
	if err := s.lost(); err != nil {
		return nil, err
	}
	if err := s.fails("reading the spool"); err != nil {
		return nil, err
	}
	names := s.applied.scan(space, prefix, after, limit)
	entries := make([]seam.Entry, 0, len(names))
	for _, name := range names {
		key := seam.Key{Space: space, Name: name}
		entries = append(entries, seam.Entry{Key: key, Value: append([]byte{}, s.applied.values[key]...)})
	}
	return entries, nil
}

// Close implements seam.Store.
func (s *store) Close() error {
	w := s.disk.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := s.lost(); err != nil {
		return err
	}
	s.closed = true
	for !s.owner.dead && (len(s.unsaid) > 0 || s.saying) {
		s.idle.wait(time.Time{})
	}
	if !s.owner.dead {
		s.disk.flush(s.owner)
	}
	return nil
}

// copied returns operations that share nothing with ops.
func copied(ops []seam.Op) []seam.Op {
	out := slices.Clone(ops)
	for i := range out {
		if !out[i].Delete {
			out[i].Value = bytes.Clone(out[i].Value)
		}
	}
	return out
}
