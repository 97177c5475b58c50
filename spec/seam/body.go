package seam

import (
	"fmt"

	"github.com/postonce/postonce/spec"
)

// ChunkBytes is the size of every chunk of a body but the last, which is
// shorter or as long. It bounds what a body needs of memory while it is
// written or read.
const ChunkBytes = 64 << 10

// ChunkKey returns the key of chunk number n, from 0, of a message's body.
func ChunkKey(id spec.QueueID, n int) Key {
	return Key{SpaceBody, fmt.Sprintf("%s/%08x", id, n)}
}

// Chunks returns how many chunks a body of size bytes has.
func Chunks(size int64) int { return int((size + ChunkBytes - 1) / ChunkBytes) }

// RemoveBody returns the operations that remove a body of size bytes.
func RemoveBody(id spec.QueueID, size int64) []Op {
	ops := make([]Op, 0, Chunks(size))
	for i := range Chunks(size) {
		ops = append(ops, Op{Key: ChunkKey(id, i), Delete: true})
	}
	return ops
}

// ControlKey returns the key of a message's control entry.
func ControlKey(id spec.QueueID) Key { return Key{SpaceControl, string(id)} }
