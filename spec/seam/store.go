package seam

import (
	"errors"
	"io"
)

// A Space is a set of keys in a Store.
type Space byte

// The spaces of a spool. In keys the message's queue ID comes first where the
// space is by message, so that a message's entries are found by prefix.
const (
	// SpaceControl holds one control entry per message, key: queue ID.
	SpaceControl Space = 'c'
	// SpaceBody holds the chunks of each message's content, key: queue ID,
	// "/", eight hex digits counting from 0.
	SpaceBody Space = 'b'
	// SpaceDue holds the index of what waits, key: destination, 0x00, sixteen
	// hex digits of the due time, "/", queue ID. The value is empty.
	SpaceDue Space = 'd'
	// SpaceIntent holds one key per message that has a recipient in intent,
	// key: queue ID. The value is empty.
	SpaceIntent Space = 'i'
	// SpaceWriting holds one key per message whose body is being written and
	// whose control entry does not exist yet, key: queue ID.
	SpaceWriting Space = 'w'
	// SpaceDamaged holds the raw bytes of control entries that could not be
	// read, key: queue ID. Their bodies stay where they are.
	SpaceDamaged Space = 'x'
	// SpaceMeta holds what belongs to the spool as a whole: the version of its
	// format, and which messages of another relay it has taken over.
	SpaceMeta Space = 'm'
	// SpacePaused holds one key per destination where an operator wants no
	// attempt to begin, key: destination. The value is empty.
	SpacePaused Space = 'p'
)

// A Key names one entry of a Store.
type Key struct {
	Space Space
	Name  string
}

// An Op is one change of a batch: a put, or a deletion when Delete is set.
// A deletion of what does not exist is no error.
type Op struct {
	Key    Key
	Value  []byte
	Delete bool
}

// An Entry is a key with its value.
type Entry struct {
	Key   Key
	Value []byte
}

// ErrNotFound is returned by Store.Get for a key that is not there.
var ErrNotFound = errors.New("no such entry in the store")

// ErrClosed is returned by a Store after Close, and given to done when Close
// came before the batch was durable.
var ErrClosed = errors.New("the store is closed")

// A Store is an ordered map with atomic, ordered, durable batches. All its
// methods may be called concurrently.
//
// The contract, which seamtest.Store checks:
//   - Batches take effect in the order of the calls, each whole or not at all.
//   - When done(nil) was called, the batch and all before it survive a crash.
//   - A crash keeps a prefix of the batches whose done was not yet called.
//   - Reads see every batch applied before, durable or not.
//   - After an error given to done, what the disk holds is not known until
//     the store is opened again; every later batch fails too.
type Store interface {
	// Apply applies a batch and calls done exactly once, later and in another
	// goroutine than the caller's, with nil when the batch is durable. The
	// calls of done come in the order of the batches, one after another.
	// Apply does not wait for the disk and keeps neither ops nor its values.
	Apply(ops []Op, done func(error))
	// Write applies a batch that need not be durable until a later Apply is:
	// for body chunks written ahead. It returns when it is applied; order is
	// as for Apply. It may wait for the disk to bound what is buffered.
	Write(ops []Op) error
	// Get returns the value of a key, which the caller may keep.
	Get(key Key) ([]byte, error)
	// Scan returns up to limit entries of a space with names greater than
	// after and beginning with prefix, in order. The caller may keep them.
	Scan(space Space, prefix, after string, limit int) ([]Entry, error)
	// Close waits for what was applied, and releases the store.
	io.Closer
}
