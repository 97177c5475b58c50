package impl

import (
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// ids makes queue IDs: the second at which the process began and a number it
// drew, so that no two processes share one, and a count. They sort by age.
type ids struct {
	prefix string
	count  *atomic.Uint32
}

func newIDs(host seam.Host) ids {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], host.Random("queue-ids").Uint32())
	began := strconv.FormatInt(time.Now().Unix(), 36)
	return ids{began + strconv.FormatUint(uint64(binary.BigEndian.Uint32(b[:])), 36), new(atomic.Uint32)}
}

func (i ids) next() spec.QueueID {
	n := strconv.FormatUint(uint64(i.count.Add(1)), 36)
	return spec.QueueID(i.prefix + "-" + n)
}
