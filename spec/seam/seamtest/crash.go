package seamtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

func acknowledgedSurvives(t rapid.TB, open func() Disk) {
	disk := open()
	store := opened(t, disk)
	for round := range 5 {
		l := newLedger(t, store)
		name := strconv.Itoa(round)
		l.durable(l.apply(put(seam.SpaceControl, name, "here"), put(seam.SpaceDue, name, "here")))
		if round > 0 {
			l.durable(l.apply(del(seam.SpaceDue, strconv.Itoa(round-1))))
		}
		disk.Crash(0)
		store = opened(t, disk)
		for i := range round + 1 {
			if _, ok := value(t, store, seam.SpaceControl, strconv.Itoa(i)); !ok {
				broken(t, clauseDurable, "after crash %d the put of round %d is gone", round, i)
			}
			if _, ok := value(t, store, seam.SpaceDue, strconv.Itoa(i)); ok != (i == round) {
				broken(t, clauseDurable, "after crash %d the entry that round %d was to delete is there: %t", round, i+1, ok)
			}
		}
	}
	closed(t, store)
}

// writtenSurvives is what lets body chunks be written ahead: the commit of the
// message makes them durable.
func writtenSurvives(t rapid.TB, open func() Disk) {
	for _, commit := range [][]seam.Op{{put(seam.SpaceControl, "m", "control")}, nil} {
		disk := open()
		store := opened(t, disk)
		l := newLedger(t, store)
		chunk := strings.Repeat("chunk", 10000)
		const chunks = 40
		for i := range chunks {
			write(t, store, put(seam.SpaceBody, fmt.Sprintf("m/%08x", i), chunk))
		}
		l.durable(l.apply(commit...))
		write(t, store, put(seam.SpaceBody, "m/late", "not covered"))
		disk.Crash(0)
		store = opened(t, disk)
		for i := range chunks {
			if v, _ := value(t, store, seam.SpaceBody, fmt.Sprintf("m/%08x", i)); v != chunk {
				broken(t, clauseDurable, "chunk %d was written before a batch of %d operations that was acknowledged, and is lost or damaged (%d bytes)",
					i, len(commit), len(v))
			}
		}
		closed(t, store)
	}
}

// crashKeepsPrefix numbers its batches. Every batch sets its own mark, removes
// the mark of the batch before, and counts; so what is left after a crash shows
// a missing batch, a half batch and a wrong order.
func crashKeepsPrefix(t rapid.TB, open func() Disk) {
	disk := open()
	next := 0 // The number of the next batch; batches 0 to next-1 are on the disk.
	for round, kept := range []int{0, 100, 50, 10, 90, 50, 50} {
		store := opened(t, disk)
		l := newLedger(t, store)
		first := next
		var promises []*promise
		for i := range 60 + 37*round {
			ops := numbered(first + i)
			if i%3 == 2 {
				write(t, store, ops...)
				promises = append(promises, nil)
				continue
			}
			promises = append(promises, l.apply(ops...))
		}
		// Waits for some of them, another share each round, and never for all.
		at := (len(promises) * round / 8) / 3 * 3
		l.durable(promises[at])
		said := l.acknowledged()
		disk.Crash(kept)
		least := first + atLeast(promises, said)
		store = opened(t, disk)
		next = survivors(t, store, kept)
		if next < least {
			broken(t, clauseDurable, "batches up to %d were acknowledged or came before one that was; after the crash only those up to %d are there",
				least-1, next-1)
		}
		if most := first + len(promises); next > most {
			broken(t, clausePrefix, "%d batches are there, more than the %d that were applied", next, most)
		}
		closed(t, store)
	}
}

// numbered returns batch i of crashKeepsPrefix.
func numbered(i int) []seam.Op {
	return []seam.Op{
		put(seam.SpaceControl, fmt.Sprintf("%06d", i), strings.Repeat("x", i%700)),
		put(seam.SpaceIntent, fmt.Sprintf("mark %06d", i), ""),
		del(seam.SpaceIntent, fmt.Sprintf("mark %06d", i-1)),
		put(seam.SpaceMeta, "count", strconv.Itoa(i+1)),
	}
}

// atLeast returns how many of the batches must survive: all up to the last one
// that was acknowledged, the unnumbered writes between them included.
func atLeast(promises []*promise, said []int) int {
	if len(said) == 0 {
		return 0
	}
	last := said[len(said)-1]
	for i, p := range promises {
		if p != nil && p.number == last {
			return i + 1
		}
	}
	return 0
}

// survivors checks that whole batches 0 to n-1 are there and returns n.
func survivors(t rapid.TB, store seam.Store, kept int) int {
	t.Helper()
	all := names(t, store, seam.SpaceControl, "", "", 1<<20)
	for i, name := range all {
		if want := fmt.Sprintf("%06d", i); name != want {
			broken(t, clausePrefix, "after a crash that kept %d%% of the rest, batch %s is missing and batch %s is there", kept, want, name)
		}
	}
	count, _ := value(t, store, seam.SpaceMeta, "count")
	if n, _ := strconv.Atoi(count); n != len(all) {
		broken(t, clauseOrder, "after a crash that kept %d%% of the rest, one part of batch %d is there and another is not (count is %q)",
			kept, len(all)-1, count)
	}
	marks := names(t, store, seam.SpaceIntent, "mark ", "", 10)
	if len(all) > 0 && (len(marks) != 1 || marks[0] != fmt.Sprintf("mark %06d", len(all)-1)) {
		broken(t, clauseOrder, "after a crash that kept %d%% of the rest, batch %d is the last and the marks are %q", kept, len(all)-1, marks)
	}
	return len(all)
}

// closeKeeps allows done to be given ErrClosed by a Close that came first, and
// holds the store to what it said.
func closeKeeps(t rapid.TB, open func() Disk) {
	disk := open()
	store := opened(t, disk)
	l := newLedger(t, store)
	var promises []*promise
	for i := range 100 {
		promises = append(promises, l.apply(put(seam.SpaceControl, strconv.Itoa(i), "v")))
	}
	if err := store.Close(); err != nil {
		broken(t, clauseClose, "Close failed on a healthy disk: %v", err)
	}
	durable := len(promises)
	for i, p := range promises {
		switch err := l.wait(p); {
		case err == nil && i > durable:
			broken(t, clauseSequence, "done of batch %d was given ErrClosed, and that of batch %d nil", durable, i)
		case err != nil && !errors.Is(err, seam.ErrClosed):
			broken(t, clauseClosed, "done of batch %d was given: %v", i, err)
		case err != nil:
			durable = min(durable, i)
		}
	}
	disk.Crash(0)
	store = opened(t, disk)
	defer closed(t, store)
	for i := range durable {
		if _, ok := value(t, store, seam.SpaceControl, strconv.Itoa(i)); !ok {
			broken(t, clauseDurable, "batch %d was acknowledged, and is gone after Close and Open", i)
		}
	}
}

func closedSays(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	write(t, store, put(seam.SpaceControl, "a", "1"))
	closed(t, store)
	if _, err := store.Get(seam.Key{Space: seam.SpaceControl, Name: "a"}); !errors.Is(err, seam.ErrClosed) {
		broken(t, clauseClosed, "Get returned: %v", err)
	}
	if _, err := store.Scan(seam.SpaceControl, "", "", 10); !errors.Is(err, seam.ErrClosed) {
		broken(t, clauseClosed, "Scan returned: %v", err)
	}
	if err := store.Write([]seam.Op{put(seam.SpaceControl, "b", "2")}); !errors.Is(err, seam.ErrClosed) {
		broken(t, clauseClosed, "Write returned: %v", err)
	}
	l := newLedger(t, store)
	var promises []*promise
	for range 20 {
		promises = append(promises, l.apply(put(seam.SpaceControl, "c", "3")))
	}
	for _, p := range promises {
		if err := l.wait(p); !errors.Is(err, seam.ErrClosed) {
			broken(t, clauseClosed, "done was given: %v", err)
		}
	}
	if err := store.Close(); err != nil && !errors.Is(err, seam.ErrClosed) {
		broken(t, clauseClosed, "a second Close returned: %v", err)
	}
}

// concurrent is worth most under -race.
func concurrent(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	const writers, batches = 8, 40
	var all sync.WaitGroup
	faults := make(chan string, 2*writers)
	for w := range writers {
		all.Go(func() {
			if fault := writer(store, w, batches); fault != "" {
				faults <- fault
			}
		})
		all.Go(func() {
			for range batches {
				if _, err := store.Scan(seam.SpaceControl, "", "", 20); err != nil {
					faults <- fmt.Sprintf("Scan failed beside writers: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	close(faults)
	for fault := range faults {
		broken(t, clauseOrder, "%s", fault)
	}
	if got := len(names(t, store, seam.SpaceControl, "", "", 1<<20)); got != writers*batches {
		broken(t, clauseReads, "%d writers applied %d batches each and %d entries are there", writers, batches, got)
	}
	closed(t, store)
}

// writer applies its own batches, reads each back, waits for all, and returns
// what went wrong.
func writer(store seam.Store, number, batches int) string {
	said := make(chan int, 2*batches)
	for i := range batches {
		name := fmt.Sprintf("%02d %04d", number, i)
		store.Apply([]seam.Op{put(seam.SpaceControl, name, "v")}, func(err error) {
			if err != nil {
				said <- -1
				return
			}
			said <- i
		})
		if err := store.Write([]seam.Op{put(seam.SpaceBody, name, "chunk")}); err != nil {
			return fmt.Sprintf("Write failed beside other writers: %v", err)
		}
		if v, err := store.Get(seam.Key{Space: seam.SpaceControl, Name: name}); err != nil || string(v) != "v" {
			return fmt.Sprintf("writer %d does not see its own batch %d: %q, %v", number, i, v, err)
		}
	}
	for i := range batches {
		if got := <-said; got != i {
			return fmt.Sprintf("call %d of done that writer %d saw was for its batch %d", i, number, got)
		}
	}
	return ""
}
