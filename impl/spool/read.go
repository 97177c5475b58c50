package spool

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/postonce/postonce/spec/seam"
)

// encode returns a key as it stands in Pebble: the space, then the name.
func encode(key seam.Key) []byte {
	return append([]byte{byte(key.Space)}, key.Name...)
}

// Get implements seam.Store.
func (s *Store) Get(key seam.Key) ([]byte, error) {
	s.life.RLock()
	defer s.life.RUnlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	found, closer, err := s.db.Get(encode(key))
	// After the fuse has blown, Pebble may read back what never reached the
	// disk, so what it says does not count.
	if blown := s.fuse.blown(); blown != nil {
		if err == nil {
			blown = errors.Join(blown, closer.Close())
		}
		return nil, blown
	}
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, seam.ErrNotFound
	}
	if err != nil {
		return nil, unreadable(err)
	}
	value := append([]byte{}, found...)
	return value, closer.Close()
}

// Scan implements seam.Store.
func (s *Store) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	s.life.RLock()
	defer s.life.RUnlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	from := encode(seam.Key{Space: space, Name: prefix})
	to := successor(from)
	if next := append(encode(seam.Key{Space: space, Name: after}), 0); after != "" && bytes.Compare(next, from) > 0 {
		from = next
	}
	if limit <= 0 || bytes.Compare(from, to) >= 0 {
		return nil, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	var entries []seam.Entry
	for ok := it.First(); ok && len(entries) < limit; ok = it.Next() {
		entries = append(entries, seam.Entry{
			Key:   seam.Key{Space: space, Name: string(it.Key()[1:])},
			Value: append([]byte{}, it.Value()...),
		})
	}
	err = it.Close()
	if blown := s.fuse.blown(); blown != nil {
		err = blown
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return entries, nil
}

// successor returns the least key that is greater than every key beginning
// with prefix. A prefix here begins with a space, and no space is 0xff.
func successor(prefix []byte) []byte {
	next := bytes.TrimRight(prefix, "\xff")
	next = append([]byte(nil), next...)
	next[len(next)-1]++
	return next
}
