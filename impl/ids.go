package impl

import (
	"encoding/binary"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// ids makes queue IDs: the second at which the process began and a number it
// drew, so that no two processes share one, and a count. Each has a fixed width,
// so that as text they sort by age: queue list shows the oldest first.
type ids struct {
	prefix string
	count  *atomic.Uint32
}

func newIDs(host seam.Host) ids {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], host.Random("queue-ids").Uint32())
	return ids{digits(host.Now().Unix(), 7) + digits(int64(binary.BigEndian.Uint32(b[:])), 7), new(atomic.Uint32)}
}

func (i ids) next() spec.QueueID {
	return spec.QueueID(i.prefix + "-" + digits(int64(i.count.Add(1)), 6))
}

// digits writes n in base 36, with zeros in front up to a width: seven hold the
// seconds of the next two thousand years, six the two thousand million messages
// of one process that sort; those after them are unique all the same.
func digits(n int64, width int) string {
	text := strconv.FormatInt(n, 36)
	return strings.Repeat("0", max(0, width-len(text))) + text
}
