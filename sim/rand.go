package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// stream returns the random stream called name of a seed. Streams are split by
// name, so that one draw more in one place changes nothing in another, and so
// that what a seed means survives changes of the code.
func stream(seed uint64, name string) *rand.Rand {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(name)), seed)
	sum := sha256.Sum256(append(key, name...))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}
