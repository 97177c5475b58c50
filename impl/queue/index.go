package queue

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Key returns the index key of w in SpaceDue: keys of one destination sort by
// due time. Times before 1970 cannot occur and sort first.
func (w Waiting) Key() seam.Key {
	return seam.Key{Space: seam.SpaceDue, Name: w.name()}
}

func (w Waiting) name() string {
	return fmt.Sprintf("%s\x00%016x/%s", w.Destination, uint64(max(w.Due, 0)), w.ID)
}

// ParseWaiting is the inverse of Waiting.Key.
func ParseWaiting(name string) (Waiting, error) {
	dest, rest, ok := strings.Cut(name, "\x00")
	if !ok || len(rest) < 18 || rest[16] != '/' {
		return Waiting{}, fmt.Errorf("index key %q is not DESTINATION, NUL, sixteen hex digits, slash, queue ID", name)
	}
	due, err := strconv.ParseUint(rest[:16], 16, 63)
	if err != nil {
		return Waiting{}, fmt.Errorf("index key %q: due time: %w", name, err)
	}
	return Waiting{dest, spec.Wall(due), spec.QueueID(rest[17:])}, nil
}

// DestinationPrefix is what the index keys of a destination begin with.
func DestinationPrefix(dest string) string { return dest + "\x00" }

// AfterDestination is a name that sorts after every index key of dest and
// before those of any other: where to go on when skipping from destination to
// destination.
func AfterDestination(dest string) string { return dest + "\x01" }
