package queue

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Key returns the index key of w in SpaceDue: keys of one lane of one destination
// sort by due time. Times before 1970 cannot occur and sort first.
func (w Waiting) Key() seam.Key {
	return seam.Key{Space: seam.SpaceDue, Name: w.name()}
}

func (w Waiting) name() string {
	return fmt.Sprintf("%s%016x/%s", LanePrefix(w.Destination, w.Lane), uint64(max(w.Due, 0)), w.ID)
}

// ParseWaiting is the inverse of Waiting.Key.
func ParseWaiting(name string) (Waiting, error) {
	dest, rest, ok := strings.Cut(name, "\x00")
	var lane spec.Lane
	if ok && rest != "" && 'a' <= rest[0] && rest[0] <= 'z' {
		lane, rest = spec.Lane(rest[0]), rest[1:]
	}
	if !ok || len(rest) < 18 || rest[16] != '/' {
		return Waiting{}, fmt.Errorf("index key %q is not DESTINATION, NUL, a letter, sixteen hex digits, slash, queue ID", name)
	}
	due, err := strconv.ParseUint(rest[:16], 16, 63)
	if err != nil {
		return Waiting{}, fmt.Errorf("index key %q: due time: %w", name, err)
	}
	return Waiting{dest, spec.Wall(due), spec.QueueID(rest[17:]), lane}, nil
}

// LanePrefix is what the index keys of a lane begin with. Where there is no lane,
// the keys of all lanes begin so, and come after those without: what stands there
// then is the first digit of a time, which is seven at most.
func LanePrefix(dest string, lane spec.Lane) string {
	if lane == 0 {
		return dest + "\x00"
	}
	return dest + "\x00" + lane.String()
}

// AfterLane is a name that sorts after every index key of a lane of dest and
// before those of any other: where to go on when skipping from lane to lane.
func AfterLane(dest string, lane spec.Lane) string {
	if lane == 0 {
		return dest + "\x008"
	}
	return dest + "\x00" + (lane + 1).String()
}
