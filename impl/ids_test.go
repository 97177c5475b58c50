package impl

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func TestQueueIDsSortByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []spec.QueueID
		for process := range uint64(20) {
			// A great number in one process, a small one in the next.
			i := newIDs(seam.Host{Random: func(string) *rand.Rand { return rand.New(rand.NewPCG(process, 0)) }})
			for range 50 {
				all = append(all, i.next())
			}
			i.count.Store(36*36*36 - 1)
			all = append(all, i.next())
			time.Sleep(time.Hour << process)
		}
		if !slices.IsSorted(all) {
			t.Errorf("not in the order of their age: %q", all)
		}
		if n := len(all[0]); n != 21 {
			t.Errorf("%q has %d characters", all[0], n)
		}
	})
}
