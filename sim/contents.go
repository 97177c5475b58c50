package sim

import (
	"maps"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec/seam"
)

// contents is an ordered map of entries. Values are never changed in place, so
// that copies share them.
type contents struct {
	values map[seam.Key][]byte
	// names are the names of each space, in order.
	names map[seam.Space][]string
}

func newContents() contents {
	return contents{values: map[seam.Key][]byte{}, names: map[seam.Space][]string{}}
}

func (c contents) clone() contents {
	out := contents{values: maps.Clone(c.values), names: maps.Clone(c.names)}
	for space, names := range out.names { // in any order: each is copied by itself
		out.names[space] = slices.Clone(names)
	}
	return out
}

// change carries out operations in order.
func (c contents) change(ops []seam.Op) {
	for _, op := range ops {
		_, there := c.values[op.Key]
		names := c.names[op.Key.Space]
		at, _ := slices.BinarySearch(names, op.Key.Name)
		switch {
		case op.Delete && there:
			delete(c.values, op.Key)
			c.names[op.Key.Space] = slices.Delete(names, at, at+1)
		case op.Delete:
		case there:
			c.values[op.Key] = op.Value
		default:
			c.values[op.Key] = op.Value
			c.names[op.Key.Space] = slices.Insert(names, at, op.Key.Name)
		}
	}
}

// scan returns up to limit names of a space that are greater than after and
// begin with prefix.
func (c contents) scan(space seam.Space, prefix, after string, limit int) []string {
	names := c.names[space]
	first, found := slices.BinarySearch(names, max(prefix, after))
	if found && names[first] == after {
		first++
	}
	last := first
	for last < len(names) && last-first < limit && strings.HasPrefix(names[last], prefix) {
		last++
	}
	return names[first:last]
}
